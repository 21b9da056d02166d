"""A nest of levels as one system of equations, by hand: the mathematics that an expert starts from.

With u_n = x_n, L_n = f_n and u_k = (x_k, u_{k+1}, m_{k+1}), L_k = f_k + ⟨m_{k+1}, ∇ L_{k+1}⟩ the
levels below the top answer where ∇ L_2(u_2) = 0. K = ∇² L_2 is symmetric, and with
K m = -∇_{u_2} f_1 the top's total gradient is ∂/∂x_1 (f_1 + ⟨m, ∇ L_2⟩).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.problems.problem import Problem


def unknowns(problem: Problem) -> int:
    """The length of u_2."""
    return sum(size << depth for depth, size in enumerate(problem.sizes[1:]))


def variables(problem: Problem, flat: jax.Array) -> tuple[jax.Array, ...]:
    """The levels' variables below the top, in u_2."""
    return _choices(problem.sizes[1:], flat)


def _choices(sizes: tuple[int, ...], flat: jax.Array) -> tuple[jax.Array, ...]:
    if len(sizes) == 1:
        return (flat,)
    own, rest = flat[: sizes[0]], flat[sizes[0] :]
    return own, *_choices(sizes[1:], rest[: len(rest) // 2])


def with_zero_multipliers(vectors: tuple[jax.Array, ...]) -> jax.Array:
    """u_2 of the levels' variables below the top."""
    own, *below = vectors
    if not below:
        return own
    rest = with_zero_multipliers(tuple(below))
    return jnp.concatenate([own, rest, jnp.zeros_like(rest)])


def _lagrangian(problem: Problem, data: Any, above: tuple[Any, ...], flat: jax.Array) -> jax.Array:
    sizes = problem.sizes[len(above) :]
    objective = problem.objectives[len(above)]
    if len(sizes) == 1:
        return objective(data, *above, flat)
    own, rest = flat[: sizes[0]], flat[sizes[0] :]
    below, multipliers = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    here = (*above, own)
    value = objective(data, *here, *_choices(sizes[1:], below))
    _, along = jax.jvp(
        lambda below: _lagrangian(problem, data, here, below), (below,), (multipliers,)
    )
    return value + along


def stationarity(problem: Problem, data: Any, own: jax.Array, flat: jax.Array) -> jax.Array:
    """∇_{u_2} L_2 at the top's choice."""
    return jax.grad(lambda flat: _lagrangian(problem, data, (own,), flat))(flat)


def jacobian(problem: Problem, data: Any, own: jax.Array, flat: jax.Array) -> jax.Array:
    """K as a matrix."""
    return jax.jacfwd(lambda flat: stationarity(problem, data, own, flat))(flat)


def right_side(problem: Problem, data: Any, own: jax.Array, flat: jax.Array) -> jax.Array:
    """∇_{u_2} f_1."""
    top = problem.objectives[0]
    return jax.grad(lambda flat: top(data, own, *variables(problem, flat)))(flat)


def value_and_total_gradient(
    problem: Problem, data: Any, own: jax.Array, flat: jax.Array, multipliers: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """f_1 + ⟨m, ∇ L_2⟩, the top's objective corrected for an inexact answer, and the top's total
    gradient, given m."""
    top = problem.objectives[0]

    def value(own: jax.Array) -> jax.Array:
        _, along = jax.jvp(
            lambda flat: _lagrangian(problem, data, (own,), flat), (flat,), (multipliers,)
        )
        return top(data, own, *variables(problem, flat)) + along

    return jax.value_and_grad(value)(own)
