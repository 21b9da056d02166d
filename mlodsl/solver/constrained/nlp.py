"""A smooth nonlinear program, solved by SciPy's SLSQP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

# Below which progress in the objective ends a program.
_PRECISION = 1e-14

# An objective that falls from the first to the second has no lower bound.
_LOW = -1e6
_LOWEST = -1e10

# How often a program is solved again from where it ended.
_MOST_AGAIN = 3

# How a distance from the start counts beside a violation: it makes the nearest point the only one.
_PULL = 1e-5
_HUGE = 1e6


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
    """Where a program's solution ended: at a solution where `violation` is small.

    Arguments:
        runaway: the first point on the way with a very low objective, where the objective fell
            without end.
    """

    point: np.ndarray
    value: float
    violation: float
    runaway: np.ndarray | None = None


def solve_program(
    program: Program, start: np.ndarray, *, steps: int, precision: float = _PRECISION
) -> Answer:
    """A local solution, from a start that need not be feasible.

    Where the linearised constraints contradict each other, it starts anew from the nearest
    point, in the least squares, that violates them least.
    """
    first = _settled(program, np.clip(start, program.least, program.largest), steps, precision)
    if first.violation <= 1e-6 or first.runaway is not None:
        return first
    second = _settled(program, repaired(program, first.point), steps, precision)
    return min(first, second, key=lambda answer: answer.violation)


def _settled(program: Program, start: np.ndarray, steps: int, precision: float) -> Answer:
    """SLSQP, again from where it ended until that changes nothing: it also stops where two
    objectives on its way are equal by chance."""
    answer = _slsqp(program, start, steps, precision)
    for _ in range(_MOST_AGAIN):
        if not answer.violation <= 1e-6 or answer.runaway is not None:
            break
        again = _slsqp(program, answer.point, steps, precision)
        if again.runaway is not None:
            return again
        falls = answer.value - again.value > 1e-9 * (1 + abs(answer.value))
        if not (falls and again.violation <= 1e-6):
            break
        answer = again
    return answer


def _slsqp(program: Program, start: np.ndarray, steps: int, precision: float) -> Answer:
    last: list[tuple[bytes, Evaluation]] = []

    def at(point: np.ndarray) -> Evaluation:
        key = point.tobytes()
        if not last or last[0][0] != key:
            last[:] = [(key, program.evaluate(point))]
            here = last[0][1]
            if here.value <= _LOW and here.violation <= 1e-9 * (1 + np.max(np.abs(point))):
                low.append((here.value, point.copy()))
        return last[0][1]

    low: list[tuple[float, np.ndarray]] = []
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
    if low and min(value for value, _ in low) <= _LOWEST:
        return Answer(start, here.value, here.violation, low[0][1])
    if not np.all(np.isfinite(point)):
        return Answer(start, here.value, here.violation)
    there = program.evaluate(point)
    return Answer(point, there.value, there.violation)


def repaired(program: Program, start: np.ndarray) -> np.ndarray:
    """The point nearest to a start, in the least squares, that violates least."""

    def residuals(point: np.ndarray) -> np.ndarray:
        here = program.evaluate(point)
        violated = np.concatenate([here.equal, np.maximum(here.at_most, 0)])
        return np.concatenate([_finite(violated), _PULL * (point - start)])

    def slopes(point: np.ndarray) -> np.ndarray:
        here = program.evaluate(point)
        active = (here.at_most > 0)[:, None]
        rows = _finite(np.concatenate([here.equal_slopes, here.at_most_slopes * active]))
        return np.concatenate([rows, _PULL * np.eye(point.size)])

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


def _finite(values: np.ndarray) -> np.ndarray:
    """What isn't a number, or is too large for least squares, as a large number."""
    return np.clip(np.nan_to_num(values, nan=_HUGE, posinf=_HUGE, neginf=-_HUGE), -_HUGE, _HUGE)
