"""Two levels written by hand in JAX, as an expert would.

Why it is hard to beat: the adjoint system of a strictly convex lower level is positive definite, so
conjugate gradients need the fewest Hessian-vector products of all Krylov methods; the gradient is
linearised once (`jax.linearize`), so a product costs two matrix products on the digits, and what
doesn't depend on the direction is computed once a point; the whole hypergradient is one compiled
program; the cold lower solve is Newton's method with conjugate gradients stopped early
(Eisenstat and Walker's rule), which ends in a handful of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg

from benchmarks.problems.problem import Problem

from . import hand_nest
from .contender import ADJOINT_TOLERANCE, LOWER_TOLERANCE, Kind, Solved
from .outer import accuracy, bfgs

_NEWTON_STEPS = 100


def implicit_gradient(
    problem: Problem, data: Any, own: jax.Array, below: jax.Array, tolerance: Any, first: Any = None
) -> tuple[jax.Array, jax.Array]:
    """The hypergradient at a lower solution, and the adjoint.

    Arguments:
        tolerance: relative, of the conjugate gradients.
        first: their starting point.
    """
    upper, lower = problem.objectives
    direct, right = jax.grad(upper, (1, 2))(data, own, below)

    def stationarity(own: jax.Array, below: jax.Array) -> jax.Array:
        return jax.grad(lower, 2)(data, own, below)

    _, product = jax.linearize(lambda below: stationarity(own, below), below)
    adjoint, _ = cg(product, right, x0=first, tol=tolerance)
    _, pull = jax.vjp(lambda own: stationarity(own, below), own)
    return direct - pull(adjoint)[0], adjoint


def newton(
    problem: Problem, data: Any, own: jax.Array, below: jax.Array, tolerance: Any
) -> tuple[jax.Array, jax.Array]:
    """The lower solution by Newton's method with conjugate gradients, and how many steps."""
    lower = problem.objectives[1]

    def stationarity(below: jax.Array) -> jax.Array:
        return jax.grad(lower, 2)(data, own, below)

    def going(state: Any) -> jax.Array:
        _, gradient, steps = state
        return (jnp.linalg.norm(gradient) > tolerance) & (steps < _NEWTON_STEPS)

    def step(state: Any) -> Any:
        below, gradient, steps = state
        _, product = jax.linearize(stationarity, below)
        size = jnp.linalg.norm(gradient)
        forcing = jnp.minimum(0.1, jnp.sqrt(size))
        # Never more exact than the tolerance asks for.
        forcing = jnp.maximum(forcing, 0.5 * tolerance / size)
        move, _ = cg(product, -gradient, tol=forcing)
        value, slope = lower(data, own, below), gradient @ move

        def too_long(length: jax.Array) -> jax.Array:
            drop = lower(data, own, below + length * move) - value
            return (drop > 1e-4 * length * slope + 1e-14 * jnp.abs(value)) & (length > 1e-6)

        length = jax.lax.while_loop(too_long, lambda length: length / 2, jnp.ones_like(size))
        below = below + length * move
        return below, stationarity(below), steps + 1

    start = below, stationarity(below), jnp.array(0)
    below, _, steps = jax.lax.while_loop(going, step, start)
    return below, steps


class HandJax:
    """Two levels as here, more as in `hand_nest`."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """One compiled program."""
        if problem.levels > 2:
            return hand_nest.hypergradient(problem, kind, below)
        data = {name: jnp.asarray(value) for name, value in problem.data.items()}
        own = jnp.asarray(problem.start)
        guess = jnp.asarray(below[0]) if kind == "given" else jnp.zeros(problem.sizes[1])

        @jax.jit
        def evaluate(data: Any, own: jax.Array, guess: jax.Array) -> jax.Array:
            if kind == "cold":
                guess, _ = newton(problem, data, own, guess, LOWER_TOLERANCE)
            return implicit_gradient(problem, data, own, guess, ADJOINT_TOLERANCE)[0]

        return lambda: np.asarray(evaluate(data, own, guess))

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """BFGS on hypergradients that are as exact as the last one was small, from warm starts."""
        if problem.levels > 2:
            return hand_nest.solver(problem, tolerance)
        data = {name: jnp.asarray(value) for name, value in problem.data.items()}
        upper, lower = problem.objectives

        @jax.jit
        def evaluate(data: Any, own: Any, below: Any, adjoint: Any, last: Any) -> Any:
            inner, linear = accuracy(last)
            below, _ = newton(problem, data, own, below, inner)
            gradient, adjoint = implicit_gradient(problem, data, own, below, linear, adjoint)
            # Corrected to first order for what the lower solve left.
            value = upper(data, own, below) - adjoint @ jax.grad(lower, 2)(data, own, below)
            return value, gradient, below, adjoint

        def once() -> Solved:
            below = adjoint = jnp.zeros(problem.sizes[1])

            def at(point: np.ndarray, last: float) -> tuple[float, np.ndarray]:
                nonlocal below, adjoint
                value, gradient, below, adjoint = evaluate(data, point, below, adjoint, last)
                return float(value), np.asarray(gradient)

            ended = bfgs(at, problem.start, tolerance)
            return Solved(ended.point, ended.steps, ended.evaluations)

        return once


CONTENDER = HandJax()
