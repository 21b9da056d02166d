"""The top level's own method, the same for all contenders that have none: BFGS in NumPy.

Its steps cost microseconds beside a hypergradient. Where gradients are only as exact as they need
to be, a step is judged by values corrected to first order, so that noise doesn't stop it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problems.problem import Problem

from .contender import Solved

_ARMIJO, _CURVATURE = 1e-4, 0.9
_ROUNDING = 1e-12
_TRIALS = 20


def accuracy(last: Any) -> tuple[Any, Any]:
    """How exact a hypergradient is to be, from the norm of the last one, in JAX or not.

    Returns:
        The norm of the lower level's gradient, and the adjoint's relative residual.
    """
    known = jnp.minimum(last, 1.0)
    return 1e-3 * known, jnp.clip(2e-2 * known, 1e-8, 1e-3)


@dataclass(frozen=True, slots=True)
class Ended:
    """Where it ended.

    Arguments:
        norm: of the gradient there, as it was computed.
        evaluations: of the gradient.
    """

    point: np.ndarray
    norm: float
    steps: int
    evaluations: int


def bfgs(
    evaluate: Callable[[np.ndarray, float], tuple[float, np.ndarray]],
    start: np.ndarray,
    tolerance: float,
    most: int = 1000,
) -> Ended:
    """Minimises until the gradient's norm is within the tolerance, or no step lowers the objective.

    Arguments:
        evaluate: from a point, and the norm of the last gradient, to the value and the gradient.
        most: steps.
    """
    point = start
    value, gradient = evaluate(point, np.inf)
    norm = float(np.linalg.norm(gradient))
    inverse: np.ndarray | None = None
    evaluations = 1
    for step in range(most):
        if norm <= tolerance:
            return Ended(point, norm, step, evaluations)
        direction = -gradient / max(norm, 1.0) if inverse is None else -inverse @ gradient
        slope = float(gradient @ direction)
        if slope >= 0:
            inverse, direction, slope = None, -gradient / norm, -norm
        shortest, longest, length = 0.0, np.inf, 1.0
        for _ in range(_TRIALS):
            tried = point + length * direction
            found, ahead = evaluate(tried, norm)
            evaluations += 1
            noise = _ROUNDING * (1 + abs(value))
            if not found <= value + _ARMIJO * length * slope + noise:
                longest = length
            elif ahead @ direction < _CURVATURE * slope:
                shortest = length
            else:
                break
            middle = (shortest + longest) / 2
            length = middle if np.isfinite(longest) else 2 * length
        else:
            break
        moved, change = tried - point, ahead - gradient
        turn = float(moved @ change)
        if turn > 0:
            if inverse is None:
                inverse = np.eye(len(point)) * (turn / (change @ change))
            image = inverse @ change
            inverse = (
                inverse
                + np.outer(moved, moved) * (1 + change @ image / turn) / turn
                - (np.outer(image, moved) + np.outer(moved, image)) / turn
            )
        point, value, gradient = tried, found, ahead
        norm = float(np.linalg.norm(gradient))
    return Ended(point, norm, step, evaluations)


def share_of(tolerance: float) -> float:
    """How exact lower levels and adjoints are where they are as exact as the tolerance asks for."""
    return max(1e-2 * tolerance, 1e-10)


def solver_of_answers(
    problem: Problem, answers: Callable[..., Any], tolerance: float, exact: float
) -> Callable[[], Solved]:
    """BFGS on the total gradients of answers that JAX differentiates, each lower level started from
    where it last ended.

    Arguments:
        answers: from the data, the top's choice, guesses and how exact to be to the lower levels'
            answers.
        exact: how exact they are to be.
    """
    data = {name: jnp.asarray(value) for name, value in problem.data.items()}

    @jax.jit
    def evaluate(data: Any, own: Any, guesses: Any) -> Any:
        def value(own: Any) -> Any:
            found = answers(data, own, guesses, exact)
            return problem.objectives[0](data, own, *found), found

        (found, below), gradient = jax.value_and_grad(value, has_aux=True)(own)
        return found, gradient, below

    def once() -> Solved:
        guesses: Any = tuple(map(jnp.zeros, problem.sizes[1:]))

        def at(point: np.ndarray, last: float) -> tuple[float, np.ndarray]:
            nonlocal guesses
            value, gradient, guesses = evaluate(data, point, guesses)
            return float(value), np.asarray(gradient)

        ended = bfgs(at, problem.start, tolerance)
        return Solved(ended.point, ended.steps, ended.evaluations)

    return once
