"""What a step of the top level costs: computed from sizes, and measured over a few steps."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np

from mlodsl.calculus import flat_size
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.solver import Step, Watch, solve
from mlodsl.solver.nest import Nest

_MOST_STEPS = 5


@dataclass(frozen=True, slots=True)
class LinearSystem:
    """The linear system of a lower level.

    Arguments:
        level: its name.
        form: how it is solved: `full`, `reduced`, `cg`, `minres` or `neumann`.
        order: of its matrix, whether that is kept or only multiplied with.
        unknowns: the level's variables, those of the levels below, and their multipliers.
    """

    level: str
    form: str
    order: int
    unknowns: int

    @property
    def words(self) -> str:
        """How it is solved, in words."""
        return _WORDS[self.form].format(order=self.order)


_WORDS = {
    "full": "a dense matrix of all unknowns, from {order} Hessian-vector products",
    "reduced": "a dense reduced Hessian, the levels below eliminated",
    "cg": "conjugate gradients with the reduced Hessian, never formed",
    "minres": "MINRES with the matrix of all unknowns, never formed",
    "neumann": "a Neumann series of the reduced Hessian, never formed",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """The first steps of a run from the model's start.

    Arguments:
        steps: how many were made.
        start_evaluations, start_products: total gradients and Hessian-vector products, by
            level, of evaluating the start, with the levels below solved from theirs.
        evaluations, products: of a step, by level, on average; None where no step was made.
        seconds: of a step, the lower median: early steps may compile something yet.
    """

    steps: int
    start_evaluations: dict[str, int]
    start_products: dict[str, int]
    evaluations: dict[str, float] | None
    products: dict[str, float] | None
    seconds: float | None


def linear_systems(problem: Problem, nest: Nest) -> tuple[LinearSystem, ...]:
    """The linear systems that a step solves, one for each lower level whose Hessian it needs.

    A level's Hessian is needed where the level above differentiates its answer implicitly, or
    where the level moves by Newton's method.
    """
    found = []
    for level, name in list(enumerate(problem.level_names))[1:]:
        differentiated = nest.strategy_of(level - 1).keeps_factor
        if not (differentiated or nest.plans[level].mover.needs_factor):
            continue
        unknowns, form = flat_size(problem.sizes, level), nest.eliminations[level].form
        order = unknowns if form in ("full", "minres") else problem.sizes[level]
        found.append(LinearSystem(name, form, order, unknowns))
    return tuple(found)


def unknowns_of(problem: Problem) -> int:
    """The size of the flattened system of all levels: Σ 2^k d_k, k from 0 at the top.

    Every level's variables, and for each level above it the multipliers of its conditions.
    """
    return flat_size(problem.sizes, 0)


class _EnoughError(Exception):
    """Ends a run whose steps were to be counted."""


def measure_steps(problem: Problem, settings: Settings) -> Measured:
    """Runs the first few steps and counts; the run's answer is not asked for.

    Raises:
        ModelError: the settings don't fit the problem.
    """
    steps: list[Step] = []

    def on_step(step: Step) -> None:
        steps.append(step)
        if len(steps) > _MOST_STEPS:
            raise _EnoughError

    def on_phase(phase: str) -> None:
        if phase == "certificate":
            raise _EnoughError

    try:
        with jax.enable_x64(True):
            solve(problem, settings, Watch(on_phase=on_phase, on_step=on_step))
    except _EnoughError:
        pass
    names = problem.level_names
    first, last, made = steps[0], steps[-1], len(steps) - 1
    times = np.sort(np.diff([step.seconds for step in steps]))

    def each(before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, float] | None:
        if made == 0:
            return None
        pairs = zip(names, before, after, strict=True)
        return {name: (new - old) / made for name, old, new in pairs}

    return Measured(
        made,
        dict(zip(names, first.evaluations, strict=True)),
        dict(zip(names, first.products, strict=True)),
        each(first.evaluations, last.evaluations),
        each(first.products, last.products),
        float(times[(made - 1) // 2]) if made else None,
    )
