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
    box: Box,
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
        box: of the lower variables.
        feasibility: how far from its constraints an answer may be.
    """
    drawn = box.sample(generator, samples, near[0])
    values, violations = functions.below_many(x, drawn)
    scale = np.nanmedian(np.abs(values - np.nanmedian(values)))
    weight = 10 * (1 + (scale if np.isfinite(scale) else 0))
    merits = np.nan_to_num(values + weight * violations, nan=np.inf)
    chosen = list(near)
    order = np.argsort(merits)[: 8 * starts]
    for index in order:
        if len(chosen) >= len(near) + starts:
            break
        distances = [np.linalg.norm(drawn[index] - other) for other in chosen[1:]]
        if min(distances, default=np.inf) > 0.05 * (1 + np.linalg.norm(drawn[index])):
            chosen.append(drawn[index])
    answers = [answer_near(functions, x, start) for start in chosen]
    feasible = [one for one in answers if one.violation <= feasibility]
    return min(feasible, key=lambda one: one.value) if feasible else None


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
