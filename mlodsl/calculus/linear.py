"""Linear solves with one symmetric positive definite operator."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import lineax
from jaxtyping import Array, Float, Int

# Products that the largest eigenvalue is estimated with, and what it is enlarged by.
POWER_STEPS = 20
_POWER_MARGIN = 1.1

Matvec = Callable[[Float[Array, " n"]], Float[Array, " n"]]


def conjugate_gradients(
    matvec: Matvec,
    right: Float[Array, " n"],
    *,
    iterations: int,
    tolerance: float | Float[Array, ""],
) -> tuple[Float[Array, " n"], Int[Array, ""]]:
    """The solution of A x = b by conjugate gradients; one product with A an iteration.

    Arguments:
        matvec: v ↦ A v, A symmetric positive definite.
        right: b; scaled to length 1 inside, so that tiny right-hand sides lose nothing.
        iterations: a fixed number of iterations, or 0: until `tolerance`.
        tolerance: on the residual relative to b.

    Returns:
        x, and the number of products with A.
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
    return solution.value * size, jnp.asarray(solution.stats["num_steps"], jnp.int32)


def neumann_series(
    matvec: Matvec,
    right: Float[Array, " n"],
    *,
    iterations: int,
    tolerance: float | Float[Array, ""],
) -> tuple[Float[Array, " n"], Int[Array, ""]]:
    """η Σ_{q=0}^{Q} (I - η A)^q b, which tends to A⁻¹ b: "Stochastic Bilevel Optimization",
    equation (3) without sampling.

    The error falls by 1 - η μ a term. η = 1 / L; the paper's condition η μ < 1 isn't enough, the
    series needs η L < 2.

    Arguments:
        matvec: v ↦ A v, A symmetric positive definite with eigenvalues in [μ, L].
        right: b; scaled to length 1 inside.
        iterations: Q, or 0: until the last term is within `tolerance` of b.

    Returns:
        The sum, and the number of products with A, those that estimate L among them.
    """
    rate = 1 / largest_eigenvalue(matvec, right.size, right.dtype)
    most = iterations or 100_000
    goal = 0.0 if iterations else tolerance
    size = jnp.linalg.norm(right)
    scaled = right / jnp.where(size > 0, size, 1)

    def proceed(carry: tuple[Array, Array, Array]) -> Array:
        _, term, count = carry
        return (count < most) & (jnp.linalg.norm(term) > goal)

    def once(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        total, term, count = carry
        term = term - rate * matvec(term)
        return total + rate * term, term, count + 1

    start = (rate * scaled, scaled, jnp.array(0, jnp.int32))
    total, _, count = jax.lax.while_loop(proceed, once, start)
    return total * size, count + POWER_STEPS


def largest_eigenvalue(matvec: Matvec, size: int, dtype: jnp.dtype) -> Float[Array, ""]:
    """An upper estimate of a symmetric operator's largest absolute eigenvalue.

    By the power method from a fixed direction, enlarged a little since the method's own value
    is never above the eigenvalue; 20 products.
    """
    start = jnp.cos(jnp.arange(1, size + 1, dtype=dtype) ** 2)

    def once(_: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        vector, norm = carry
        image = matvec(vector / jnp.where(norm > 0, norm, 1))
        return image, jnp.linalg.norm(image)

    _, found = jax.lax.fori_loop(0, POWER_STEPS, once, (start, jnp.linalg.norm(start)))
    return _POWER_MARGIN * jnp.maximum(found, jnp.finfo(dtype).tiny)
