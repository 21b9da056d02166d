"""Linear solves with one symmetric positive definite operator."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import lineax
from jaxtyping import Array, Float


def conjugate_gradients(
    matvec: Callable[[Float[Array, " n"]], Float[Array, " n"]],
    right: Float[Array, " n"],
    *,
    iterations: int,
    tolerance: float,
) -> Float[Array, " n"]:
    """The solution of A x = b by conjugate gradients; one product with A an iteration.

    Arguments:
        matvec: v ↦ A v, A symmetric positive definite.
        right: b; scaled to length 1 inside, so that tiny right-hand sides lose nothing.
        iterations: a fixed number of iterations, or 0: until `tolerance`.
        tolerance: on the residual relative to b.
    """
    size = jnp.linalg.norm(right)
    scaled = right / jnp.where(size > 0, size, 1)
    operator = lineax.FunctionLinearOperator(
        matvec,
        jax.ShapeDtypeStruct(right.shape, right.dtype),
        tags=lineax.positive_semidefinite_tag,
    )
    solver = lineax.CG(
        rtol=0.0 if iterations else tolerance,
        atol=0.0 if iterations else tolerance,
        max_steps=iterations or max(100, 10 * right.size),
        stabilise_every=None,
    )
    solution = lineax.linear_solve(operator, scaled, solver, throw=False)
    return solution.value * size
