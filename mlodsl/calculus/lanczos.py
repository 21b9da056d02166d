"""Lanczos' method: both ends of a symmetric operator's spectrum from some products with it.

lineax has no eigenvalues, and SciPy's ARPACK returns to Python for each product, which takes longer
than the product itself.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.modules import Record


class Krylov(Record):
    """A V = V T + β_m v_{m+1} e_mᵀ with T tridiagonal and the rows of `basis` orthonormal.

    Arguments:
        diagonal, beside: of T; the last entry of `beside` is β_m.
        basis: Vᵀ. Beyond an invariant subspace its rows are zero.
    """

    diagonal: Float[Array, " m"]
    beside: Float[Array, " m"]
    basis: Float[Array, "m n"]


def lanczos(
    matvec: Callable[[Float[Array, " n"]], Float[Array, " n"]],
    start: Float[Array, " n"],
    steps: int,
) -> Krylov:
    """`steps` products with A from a direction; every vector is made orthogonal to all before it.

    Arguments:
        matvec: v ↦ A v, A symmetric.
        start: any vector but zero.
    """
    eps = jnp.finfo(start.dtype).eps

    def once(index: Array, carry: tuple[Array, ...]) -> tuple[Array, ...]:
        diagonal, beside, basis, vector, largest = carry
        basis = basis.at[index].set(vector)
        image = matvec(vector)
        along = vector @ image
        # Twice is enough (Parlett, The Symmetric Eigenvalue Problem, section 6.9).
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        norm = jnp.linalg.norm(image)
        largest = jnp.maximum(largest, jnp.abs(along) + norm)
        ended = norm <= 10 * eps * largest
        vector = jnp.where(ended, 0, image / jnp.where(ended, 1, norm))
        beside = beside.at[index].set(jnp.where(ended, 0, norm))
        return diagonal.at[index].set(along), beside, basis, vector, largest

    blank = jnp.zeros(steps, start.dtype)
    basis = jnp.zeros((steps, start.size), start.dtype)
    unit = start / jnp.linalg.norm(start)
    carry = (blank, blank, basis, unit, jnp.zeros((), start.dtype))
    diagonal, beside, basis, _, _ = jax.lax.fori_loop(0, steps, once, carry)
    return Krylov(diagonal, beside, basis)
