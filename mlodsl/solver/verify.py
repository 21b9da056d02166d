"""The total gradient of a strategy against finite differences of the true best responses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

from mlodsl.calculus import Vectors, choices, point_of
from mlodsl.modules import Problem
from mlodsl.settings import Settings

from .certificate.certify import finish_point, lower_findings
from .certificate.lower import read_lower_levels
from .certificate.names import name_of_entry, quote_choice
from .certificate.top import TopLevel
from .choose import choose_strategy
from .constrained import constrained_hypergradient, constrained_value, is_constrained
from .oracle import evaluate_top
from .plan import exact_nest, plan_nest, top_tolerance
from .readings import objectives_around

_MOST_ENTRIES = 16
_DIRECTIONS = 8
# Points and weights of the formula of fourth order, around the point and on one side of it.
_CENTRAL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
_FORWARD = ((0, -25 / 12), (1, 4.0), (2, -3.0), (3, 4 / 3), (4, -1 / 4))
_BACKWARD = tuple((-place, -weight) for place, weight in _FORWARD)


@dataclass(frozen=True, slots=True)
class Verification:
    """A total gradient and its finite differences at one point.

    Arguments:
        level: the top level's name.
        strategy: the strategy that computed the gradient.
        names: what was varied: entries of the top level's variables, or random directions.
        gradient: the gradient along each, as a minimisation.
        differences: the finite differences along each.
        relative_error: the largest error, relative to the size of the gradient and of its
            parts; None where there is nothing to compare.
        accuracy: the largest relative error that counts as agreement.
        at: the top level's variables there, in short.
        findings: why the levels below can't be solved there; empty where they can.
    """

    level: str
    strategy: str
    names: tuple[str, ...] = ()
    gradient: tuple[float, ...] = ()
    differences: tuple[float, ...] = ()
    relative_error: float | None = None
    accuracy: float = 1e-4
    at: str = ""
    findings: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the two agree."""
        error = self.relative_error
        return not self.findings and error is not None and error <= self.accuracy


def verify_gradient(
    problem: Problem, settings: Settings, point: Vectors | None = None
) -> Verification:
    """Compares the gradient under the settings' strategy with differences of the re-solved value.

    Entry by entry where the top level has few variables, else along random directions. Costs
    four to five solves of the lower levels for each.

    Arguments:
        point: a vector a level; the lower levels' are where their solves start. None: the
            model's start.
    """
    with jax.enable_x64(True):
        folded = problem.fold()
        vectors = folded.start(settings.seed) if point is None else point
        verify = _verify_constrained if is_constrained(folded) else _verify
        found = verify(folded, settings, vectors)
        return replace(found, at=quote_choice(folded, 0, np.asarray(vectors[0])))


def _verify(problem: Problem, settings: Settings, vectors: Vectors) -> Verification:
    name = problem.level_names[0]
    chosen = choose_strategy(problem, settings)
    nest = plan_nest(problem, settings, chosen.built)
    own = vectors[0]
    guess = point_of(problem.sizes, 1, vectors[1:]) if len(vectors) > 1 else own[:0]
    tolerance = jnp.asarray(top_tolerance(problem, settings), own.dtype)
    gradient = np.asarray(evaluate_top(nest, own, guess, tolerance).gradient)
    exact = exact_nest(problem, nest)
    point = evaluate_top(exact, own, guess, jnp.zeros_like(tolerance))
    point = finish_point(exact, point)
    reads = read_lower_levels(exact, point)
    findings = lower_findings(problem, reads, np.asarray(point.outcomes))
    if not findings and not np.isfinite(float(point.value)):
        findings = [f"the objective of level `{name}` is not finite here"]
    if findings:
        return Verification(name, chosen.name, findings=tuple(findings))
    here = (vector[None] for vector in choices(problem.sizes, 0, point.flat))
    values, direct = objectives_around(problem, tuple(here))
    top = TopLevel(exact, problem, point, float(values[0, 0]), np.asarray(direct))
    directions, names = _directions(problem, top.own.size, settings.seed)
    step = top.eps ** (1 / 5) * top.size
    derivatives = [_differences(top.value_at, top.own, each, step) for each in directions]
    scale = max(
        top.parts,
        # What the gradient changes by over the size of the point, as far as steps show it.
        max(abs(second) for _, second in derivatives) * top.size,
        top.eps ** (2 / 3) * abs(float(point.value)),
    )
    accuracy = 1e-4 if settings.precision == "float64" else 2e-2
    along = [float(gradient @ direction) for direction in directions]
    return _compared(name, chosen.name, names, along, derivatives, scale, accuracy)


def _verify_constrained(problem: Problem, settings: Settings, vectors: Vectors) -> Verification:
    """As `_verify`, where the active constraints are part of an answer."""
    name = problem.level_names[0]
    own = np.asarray(vectors[0])
    eps = float(np.finfo(own.dtype).eps)
    size = 1 + float(np.linalg.norm(own))

    def value(at: np.ndarray) -> float:
        return float(constrained_value(problem, jnp.asarray(at), vectors[1:]))

    directions, names = _directions(problem, own.size, settings.seed)
    try:
        slope = constrained_hypergradient(problem, settings, vectors[0], vectors[1:])
        step = eps ** (1 / 5) * size
        derivatives = [_differences(value, own, each, step) for each in directions]
    except RuntimeError as error:
        return Verification(name, "kkt", findings=(str(error),))
    gradient = np.asarray(slope)
    scale = max(
        float(np.linalg.norm(gradient)),
        max(abs(second) for _, second in derivatives) * size,
        eps ** (2 / 3) * abs(value(own)),
    )
    along = [float(gradient @ direction) for direction in directions]
    return _compared(name, "kkt", names, along, derivatives, scale, 1e-4)


def _compared(
    level: str,
    strategy: str,
    names: list[str],
    along: list[float],
    derivatives: list[tuple[float, float]],
    scale: float,
    accuracy: float,
) -> Verification:
    """A gradient and its differences along some directions, put side by side."""
    differences = [first for first, _ in derivatives]
    error = max(abs(one - other) for one, other in zip(along, differences, strict=True))
    if any(map(np.isnan, (*along, *differences))):
        error = float("inf")
    return Verification(
        level,
        strategy,
        tuple(names),
        tuple(along),
        tuple(differences),
        error / scale if scale > 0 else error,
        accuracy,
    )


def _directions(problem: Problem, size: int, seed: int) -> tuple[list[np.ndarray], list[str]]:
    """Unit vectors to vary the top level along, and what to call them."""
    if size <= _MOST_ENTRIES:
        units = list(np.eye(size))
        return units, [name_of_entry(problem, 0, unit) for unit in units]
    generator = np.random.default_rng(seed)
    drawn = [generator.standard_normal(size) for _ in range(_DIRECTIONS)]
    names = [f"random direction {number}" for number in range(1, _DIRECTIONS + 1)]
    return [direction / np.linalg.norm(direction) for direction in drawn], names


def _differences(
    value_at: Callable[[np.ndarray], float], own: np.ndarray, direction: np.ndarray, step: float
) -> tuple[float, float]:
    """The first and second derivative of the value along a direction.

    The first on one side where the other isn't finite; the second 0 where it can't be had.
    """

    @functools.cache
    def value(place: int) -> float:
        return value_at((own + place * step * direction).astype(own.dtype))

    first = float("nan")
    for formula in (_CENTRAL, _FORWARD, _BACKWARD):
        first = float(sum(weight * value(place) for place, weight in formula) / step)
        if np.isfinite(first):
            break
    second = (value(1) - 2 * value(0) + value(-1)) / step**2
    return first, float(second) if np.isfinite(second) else 0.0
