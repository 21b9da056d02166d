"""What `mlodsl explain` says of a model: its parts, its mathematics, how it would be solved."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax

from mlodsl.check import CheckedModel, LevelInfo, VariableInfo
from mlodsl.diagnostics import Diagnostic
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.solver.choose import ChosenStrategy, choose_strategy
from mlodsl.solver.constrained import (
    choose_constrained,
    is_constrained,
    unknowns_with_multipliers,
)
from mlodsl.solver.plan import plan_nest

from .cost import LinearSystem, Measured, linear_systems, measure_steps, unknowns_of
from .mathematics import choice, dependence, model_spelling, statement_of
from .result import FORMAT, plain

_MATHEMATICS_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Way:
    """How a model would be solved.

    Arguments:
        chosen: the strategy, who chose it and why.
        unknowns: of all levels' conditions flattened into one system.
        systems: the linear systems of the lower levels.
        measured: a few steps; None for models with constraints, which aren't solved by steps.
    """

    chosen: ChosenStrategy
    unknowns: int
    systems: tuple[LinearSystem, ...]
    measured: Measured | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A model explained.

    Arguments:
        way: how it would be solved; None where that isn't known.
        obstacles: why it isn't known.
    """

    checked: CheckedModel
    way: Way | None
    obstacles: tuple[Diagnostic, ...] = ()


def find_way(problem: Problem, settings: Settings) -> Way:
    """Chooses a strategy, plans, and measures a few steps.

    Raises:
        ModelError: the settings don't fit the problem.
    """
    with jax.enable_x64(True):
        folded = problem.fold()
        if is_constrained(folded):
            chosen = choose_constrained(folded, settings)
            return Way(chosen, unknowns_with_multipliers(folded, settings.seed), (), None)
        chosen = choose_strategy(folded, settings)
        systems = linear_systems(folded, plan_nest(folded, settings, chosen.built))
    return Way(chosen, unknowns_of(problem), systems, measure_steps(problem, settings))


def explanation_dict(explanation: Explanation) -> dict[str, Any]:
    """An explanation as plain JSON; what isn't known is None."""
    checked, way = explanation.checked, explanation.way
    statement = statement_of(checked, _MATHEMATICS_WIDTH)
    found: dict[str, Any] = plain(
        {
            "format": FORMAT,
            "model": checked.name,
            "title": checked.title,
            "levels": [_level(checked, level) for level in range(len(checked.levels))],
            "mathematics": dataclasses.asdict(statement),
            "strategy": None if way is None else _strategy(way.chosen),
            "cost": None if way is None else _cost(way),
            "obstacles": [diagnostic.message for diagnostic in explanation.obstacles],
        }
    )
    return found


def _level(checked: CheckedModel, level: int) -> dict[str, object]:
    info = checked.levels[level]
    spelling = model_spelling(checked)
    return {
        "name": info.name,
        "title": info.title,
        "players": [
            {
                "name": player.name,
                "sense": player.sense,
                "variables": {
                    variable.name: {
                        "shape": variable.shape,
                        "size": size_of([variable]),
                        "choice": choice(variable, spelling),
                    }
                    for variable in player.variables
                },
                "depends_on": dependence(checked, player, level),
            }
            for player in info.players
        ],
        "size": size_of(info.variables),
    }


def size_of(variables: Sequence[VariableInfo]) -> int | None:
    """How many numbers some variables are; None where a size isn't known yet."""
    total = 0
    for variable in variables:
        sizes = [size for size in variable.shape if isinstance(size, int)]
        if variable.network is not None or len(sizes) < len(variable.shape):
            return None
        total += math.prod(sizes)
    return total


def listens_to(checked: CheckedModel, info: LevelInfo) -> tuple[str, ...]:
    """The other levels whose variables a level's objectives name."""
    level = checked.levels.index(info)
    named = {name for player in info.players for name in dependence(checked, player, level)}
    return tuple(
        other.name
        for other in checked.levels
        if other is not info and named & {variable.name for variable in other.variables}
    )


def _strategy(chosen: ChosenStrategy) -> dict[str, object]:
    return {
        "name": chosen.name,
        "chosen_by": chosen.chosen_by,
        "reason": chosen.reason,
        "options": chosen.options,
        "warnings": chosen.warnings,
    }


def _cost(way: Way) -> dict[str, object]:
    return {
        "unknowns": way.unknowns,
        "linear_systems": [dataclasses.asdict(system) for system in way.systems],
        "measured": None if way.measured is None else dataclasses.asdict(way.measured),
    }
