"""The follower's best answers to an upper choice, and the multipliers at an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize

from .functions import Functions
from .nlp import Answer, Evaluation, Program, solve_program

# Constraints this close to their bound count as active.
NEAR = 1e-6

_STEPS = 200
_SAMPLES = 512
_STARTS = 4
_APART = 0.05


@dataclass(frozen=True, slots=True)
class Box:
    """Where single variables are bounded, ±inf elsewhere, and the region that starts are in."""

    least: np.ndarray
    largest: np.ndarray

    def sample(self, generator: np.random.Generator, count: int, about: np.ndarray) -> np.ndarray:
        """Points spread over the box; where it is unbounded, around a point at all distances."""
        size = 1 + np.abs(about)
        distances = 10.0 ** generator.uniform(-1, 1.5, (count, 1))
        free = about + distances * size * generator.uniform(-1, 1, (count, about.size))
        share = generator.uniform(0, 1, (count, about.size))
        finite = np.isfinite(self.least) & np.isfinite(self.largest)
        least, largest = np.where(finite, self.least, 0), np.where(finite, self.largest, 0)
        return np.clip(
            np.where(finite, least + share * (largest - least), free), self.least, self.largest
        )


@dataclass(frozen=True, slots=True)
class LowerBounds:
    """The follower's constraints that bound one of his variables each, linearly for a given x.

    Arguments:
        rows: pairs of a constraint and its variable.
    """

    rows: tuple[tuple[int, int], ...]

    def at(self, functions: Functions, x: np.ndarray, y: np.ndarray) -> Box:
        """The box that they make at an upper choice; y is any point."""
        least, largest = np.full(y.size, -np.inf), np.full(y.size, np.inf)
        if self.rows:
            (_, values, _), (_, slopes, _) = functions.below(x, y)
            for index, variable in self.rows:
                slope = slopes[index, variable]
                bound = y[variable] - values[index] / slope if slope else np.nan
                if slope > 0:
                    largest[variable] = np.fmin(largest[variable], bound)
                else:
                    least[variable] = np.fmax(least[variable], bound)
        # Bounds that cross leave no answer; the program says so.
        return Box(least, np.maximum(least, largest))


def follower_program(functions: Functions, x: np.ndarray) -> Program:
    """The lower level at an upper choice, in y."""

    def evaluate(y: np.ndarray) -> Evaluation:
        (value, at_most, equal), (slope, at_most_slopes, equal_slopes) = functions.below(x, y)
        return Evaluation(float(value), slope, at_most, at_most_slopes, equal, equal_slopes)

    unbounded = np.full(functions.shape.lower, np.inf)
    return Program(evaluate, -unbounded, unbounded)


def answer_near(functions: Functions, x: np.ndarray, y: np.ndarray) -> Answer:
    """The follower's local answer from a start."""
    return solve_program(follower_program(functions, x), y, steps=_STEPS)


def best_answer(
    functions: Functions,
    x: np.ndarray,
    near: list[np.ndarray],
    bounds: LowerBounds,
    generator: np.random.Generator,
    *,
    feasibility: float = 1e-9,
    samples: int = _SAMPLES,
    starts: int = _STARTS,
) -> Answer | None:
    """The best of the follower's answers from given starts and from the best of many samples.

    None where no feasible answer was found.

    Arguments:
        near: starts; the first one is also what unbounded variables are sampled around.
        bounds: of the lower variables.
        feasibility: how far from its constraints an answer may be.
    """
    drawn = bounds.at(functions, x, near[0]).sample(generator, samples, near[0])
    values, violations = functions.below_many(x, drawn)
    chosen = [*near, *_promising(drawn, values, violations, starts)]
    answers = [answer_near(functions, x, start) for start in chosen]
    feasible = [one for one in answers if one.violation <= feasibility]
    return min(feasible, key=lambda one: one.value) if feasible else None


def _promising(
    drawn: np.ndarray, values: np.ndarray, violations: np.ndarray, count: int
) -> list[np.ndarray]:
    """Samples to start from, apart from each other: the feasible ones of least value come first,
    then those that are nearest to feasible."""
    feasible = violations <= 1e-9
    values = np.nan_to_num(values, nan=np.inf)
    order = np.lexsort((np.where(feasible, values, violations), ~feasible))
    chosen: list[np.ndarray] = []
    for index in order[: 64 * count]:
        if len(chosen) >= count:
            break
        here = drawn[index]
        distances = [np.linalg.norm(here - other) for other in chosen]
        if min(distances, default=np.inf) > _APART * (1 + np.linalg.norm(here)):
            chosen.append(here)
    return chosen


def multipliers(
    functions: Functions, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """λ ≥ 0 of the active inequalities and μ that make y stationary, by least squares.

    Returns:
        λ (0 where inactive), μ, and how far from stationary y is with them.
    """
    (_, at_most, equal), (slope, at_most_slopes, equal_slopes) = functions.below(x, y)
    active = np.flatnonzero(at_most >= -NEAR)
    columns = np.concatenate([at_most_slopes[active].T, equal_slopes.T, -equal_slopes.T], axis=1)
    of_at_most = np.zeros(at_most.size)
    if columns.shape[1] == 0:
        return of_at_most, np.zeros(0), float(np.linalg.norm(slope))
    if not np.all(np.isfinite(columns)) or not np.all(np.isfinite(slope)):
        return of_at_most, np.zeros(equal.size), np.inf
    weights = scipy.optimize.lsq_linear(columns, -slope, bounds=(0, np.inf), method="bvls").x
    of_at_most[active] = weights[: active.size]
    positive, negative = np.split(weights[active.size :], 2)
    residual = float(np.linalg.norm(columns @ weights + slope))
    return of_at_most, positive - negative, residual


def lower_point(functions: Functions, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """z = (x, y, λ, μ) with the multipliers of least squares."""
    of_at_most, of_equal, _ = multipliers(functions, x, y)
    return np.concatenate([x, y, of_at_most, of_equal])
