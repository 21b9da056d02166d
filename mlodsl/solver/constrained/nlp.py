"""A smooth nonlinear program, solved by SciPy's SLSQP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.optimize

from .functions import LOWER_AT_MOST, LOWER_EQUAL, UPPER_AT_MOST, UPPER_EQUAL, Functions

# Below which progress in the objective ends a program.
_PRECISION = 1e-14


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The objective and the constraints of a program at a point, with their derivatives.

    Arguments:
        value, slope: of the objective.
        at_most, at_most_slopes: what is to be ≤ 0.
        equal, equal_slopes: what is to be 0.
    """

    value: float
    slope: np.ndarray
    at_most: np.ndarray
    at_most_slopes: np.ndarray
    equal: np.ndarray
    equal_slopes: np.ndarray

    @property
    def violation(self) -> float:
        """The largest violation of a constraint; infinite where anything isn't a number."""
        worst = max(
            float(np.max(self.at_most, initial=0.0)), float(np.max(np.abs(self.equal), initial=0.0))
        )
        return worst if np.isfinite(worst) and np.isfinite(self.value) else np.inf


@dataclass(frozen=True, slots=True)
class Program:
    """Minimise a function under constraints, within bounds on single variables."""

    evaluate: Callable[[np.ndarray], Evaluation]
    least: np.ndarray
    largest: np.ndarray


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a program's solution ended: at a solution where `violation` is small."""

    point: np.ndarray
    value: float
    violation: float


def solve_program(
    program: Program, start: np.ndarray, *, steps: int, precision: float = _PRECISION
) -> Answer:
    """A local solution, from a start that need not be feasible.

    Where the linearised constraints contradict each other, it starts anew from the nearest
    point, in the least squares, that violates them least.
    """
    first = _slsqp(program, np.clip(start, program.least, program.largest), steps, precision)
    if first.violation <= 1e-6:
        return first
    second = _slsqp(program, _repaired(program, first.point), steps, precision)
    return min(first, second, key=lambda answer: answer.violation)


def _slsqp(program: Program, start: np.ndarray, steps: int, precision: float) -> Answer:
    last: list[tuple[bytes, Evaluation]] = []

    def at(point: np.ndarray) -> Evaluation:
        key = point.tobytes()
        if not last or last[0][0] != key:
            last[:] = [(key, program.evaluate(point))]
        return last[0][1]

    here = at(start)
    if not np.isfinite(here.violation):
        return Answer(start, np.inf, np.inf)
    constraints = []
    if here.equal.size:
        constraints.append(
            {"type": "eq", "fun": lambda w: at(w).equal, "jac": lambda w: at(w).equal_slopes}
        )
    if here.at_most.size:
        constraints.append(
            {
                "type": "ineq",
                "fun": lambda w: -at(w).at_most,
                "jac": lambda w: -at(w).at_most_slopes,
            }
        )
    with np.errstate(all="ignore"):
        found = scipy.optimize.minimize(
            lambda w: at(w).value,
            start,
            jac=lambda w: at(w).slope,
            bounds=scipy.optimize.Bounds(program.least, program.largest),
            constraints=constraints,
            method="SLSQP",
            options={"maxiter": steps, "ftol": precision},
        )
    point = np.clip(np.asarray(found.x, start.dtype), program.least, program.largest)
    if not np.all(np.isfinite(point)):
        return Answer(start, here.value, here.violation)
    there = program.evaluate(point)
    return Answer(point, there.value, there.violation)


def nearest_feasible(functions: Functions, own: np.ndarray) -> np.ndarray:
    """The point (x, y) nearest to a start, in the least squares, that violates least."""
    shape = functions.shape
    rest = np.zeros(shape.at_most + shape.equal)
    parts = ((UPPER_AT_MOST, LOWER_AT_MOST), (UPPER_EQUAL, LOWER_EQUAL))

    def evaluate(point: np.ndarray) -> Evaluation:
        values, slopes = functions.at(np.concatenate([point, rest]))
        at_most, equal = (
            (
                np.concatenate([values[part] for part in kind]),
                np.concatenate([slopes[part] for part in kind])[:, : shape.choices],
            )
            for kind in parts
        )
        return Evaluation(0.0, np.zeros(shape.choices), *at_most, *equal)

    unbounded = np.full(shape.choices, np.inf)
    return _repaired(Program(evaluate, -unbounded, unbounded), own)


def _repaired(program: Program, start: np.ndarray) -> np.ndarray:
    """The nearest point of least violation."""

    def residuals(point: np.ndarray) -> np.ndarray:
        here = program.evaluate(point)
        return np.nan_to_num(np.concatenate([here.equal, np.maximum(here.at_most, 0)]), nan=1e6)

    def slopes(point: np.ndarray) -> np.ndarray:
        here = program.evaluate(point)
        active = (here.at_most > 0)[:, None]
        return np.nan_to_num(np.concatenate([here.equal_slopes, here.at_most_slopes * active]))

    width = program.largest - program.least
    inside = np.where(width > 0, np.clip(start, program.least, program.largest), program.least)
    largest = np.where(width > 0, program.largest, program.least + 1e-12)
    with np.errstate(all="ignore"):
        found = scipy.optimize.least_squares(
            residuals,
            np.minimum(inside, largest),
            slopes,
            bounds=(program.least, largest),
            max_nfev=50,
        )
    return np.clip(found.x, program.least, program.largest)
