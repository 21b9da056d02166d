"""Three and more levels written by hand in JAX, as an expert would.

Why it is hard to beat: all lower levels are one system of equations (`flat_nest`), so that no
solver is nested in another and Newton's method on all of them at once ends in a handful of steps;
no derivative passes through a solver. Few unknowns go by LU, many by MINRES with inexact Newton
steps, which costs some dozens of Hessian-vector products where an objective costs O(d).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.problems.problem import Problem

from . import flat_nest
from .contender import ADJOINT_TOLERANCE, LOWER_TOLERANCE, Kind, Solved
from .minres import minres
from .outer import accuracy, bfgs

_DENSE = 120
_NEWTON_STEPS = 100
_MOST_PRODUCTS = 5000


def linear_solve(
    problem: Problem, data: Any, own: Any, flat: jax.Array, right: jax.Array, tolerance: Any
) -> jax.Array:
    """K⁻¹ `right`; the tolerance is relative, and of MINRES alone."""
    if right.size <= _DENSE:
        return jnp.linalg.solve(flat_nest.jacobian(problem, data, own, flat), right)
    _, product = jax.linearize(lambda flat: flat_nest.stationarity(problem, data, own, flat), flat)
    return minres(product, right, tolerance, _MOST_PRODUCTS)


def newton(
    problem: Problem, data: Any, own: Any, flat: jax.Array, tolerance: Any
) -> tuple[jax.Array, jax.Array]:
    """Where ∇ L_2 vanishes, and how many steps it took; steps are halved until it falls."""

    def residual(flat: jax.Array) -> jax.Array:
        return flat_nest.stationarity(problem, data, own, flat)

    def going(state: Any) -> jax.Array:
        _, value, steps = state
        return (jnp.linalg.norm(value) > tolerance) & (steps < _NEWTON_STEPS)

    def step(state: Any) -> Any:
        flat, value, steps = state
        size = jnp.linalg.norm(value)
        forcing = jnp.maximum(jnp.minimum(0.1, size), 0.5 * tolerance / size)
        move = linear_solve(problem, data, own, flat, value, forcing)

        def halved(trial: Any) -> Any:
            length = trial[0] / 2
            tried = flat - length * move
            return length, tried, residual(tried)

        def too_long(trial: Any) -> jax.Array:
            length, _, found = trial
            return ~(jnp.linalg.norm(found) < size) & (length > 1e-4)

        _, flat, value = jax.lax.while_loop(too_long, halved, halved((2.0, flat, value)))
        return flat, value, steps + 1

    flat, _, steps = jax.lax.while_loop(going, step, (flat, residual(flat), jnp.array(0)))
    return flat, steps


def implicit_gradient(
    problem: Problem, data: Any, own: Any, flat: jax.Array, tolerance: Any
) -> tuple[jax.Array, jax.Array]:
    """The top objective, corrected to first order, and its total gradient at u_2."""
    right = flat_nest.right_side(problem, data, own, flat)
    multipliers = -linear_solve(problem, data, own, flat, right, tolerance)
    return flat_nest.value_and_total_gradient(problem, data, own, flat, multipliers)


def completed(
    problem: Problem, data: Any, own: Any, below: tuple[Any, ...], tolerance: Any
) -> jax.Array:
    """u_2 of given lower solutions: the multipliers of the levels in between, bottom up."""
    first, *rest = below
    if not rest:
        return first
    deeper = dataclasses.replace(
        problem,
        sizes=problem.sizes[1:],
        objectives=tuple(_led(objective, own) for objective in problem.objectives[1:]),
    )
    flat = completed(deeper, data, first, tuple(rest), tolerance)
    right = flat_nest.right_side(deeper, data, first, flat)
    multipliers = -linear_solve(deeper, data, first, flat, right, tolerance)
    return jnp.concatenate([first, flat, multipliers])


def _led(objective: Callable[..., Any], own: Any) -> Callable[..., Any]:
    return lambda data, *vectors: objective(data, own, *vectors)


def hypergradient(
    problem: Problem, kind: Kind, below: Sequence[np.ndarray]
) -> Callable[[], np.ndarray]:
    """One compiled program."""
    data = {name: jnp.asarray(value) for name, value in problem.data.items()}
    given = tuple(map(jnp.asarray, below))

    @jax.jit
    def evaluate(data: Any, own: Any, given: Any) -> Any:
        if kind == "given":
            flat = completed(problem, data, own, given, ADJOINT_TOLERANCE)
        else:
            zero = jnp.zeros(flat_nest.unknowns(problem))
            flat, _ = newton(problem, data, own, zero, LOWER_TOLERANCE)
        return implicit_gradient(problem, data, own, flat, ADJOINT_TOLERANCE)[1]

    return lambda: np.asarray(evaluate(data, jnp.asarray(problem.start), given))


def solver(problem: Problem, tolerance: float) -> Callable[[], Solved]:
    """BFGS on hypergradients that are as exact as the last one was small, from warm starts."""
    data = {name: jnp.asarray(value) for name, value in problem.data.items()}

    @jax.jit
    def evaluate(data: Any, own: Any, flat: Any, last: Any) -> Any:
        inner, linear = accuracy(last)
        flat, _ = newton(problem, data, own, flat, inner)
        value, gradient = implicit_gradient(problem, data, own, flat, linear)
        return value, gradient, flat

    def once() -> Solved:
        flat = jnp.zeros(flat_nest.unknowns(problem))

        def at(point: np.ndarray, last: float) -> tuple[float, np.ndarray]:
            nonlocal flat
            value, gradient, flat = evaluate(data, point, flat, last)
            return float(value), np.asarray(gradient)

        ended = bfgs(at, problem.start, tolerance)
        return Solved(ended.point, ended.steps, ended.evaluations)

    return once
