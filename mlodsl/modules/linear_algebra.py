"""Built-in functions of linear algebra."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from .values import Numbers

_Matrix = Float[Array, "n n"]


def trace(A: _Matrix) -> Float[Array, ""]:
    """The sum of the diagonal."""
    return jnp.trace(A)


def det(A: _Matrix) -> Float[Array, ""]:
    """The determinant."""
    return jnp.linalg.det(A)


def logdet(A: _Matrix) -> Float[Array, ""]:
    """The logarithm of the determinant's absolute value; -inf where that is 0."""
    return jnp.linalg.slogdet(A)[1]


def inv(A: _Matrix) -> _Matrix:
    """The inverse."""
    return jnp.linalg.inv(A)


def linsolve(A: _Matrix, b: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
    """The solution `x` of `A @ x = b`, for a vector or for each column of a matrix `b`."""
    return jnp.linalg.solve(A, b)


def cholesky(A: _Matrix) -> _Matrix:
    """The lower triangular `L` with `L @ L.T = A`; NaN where `A` isn't positive definite.

    Both triangles of `A` are read: it counts as `(A + A.T) / 2`.
    """
    return jnp.linalg.cholesky(A, symmetrize_input=True)


def outer(a: Float[Array, " n"], b: Float[Array, " m"]) -> Float[Array, "n m"]:
    """The products of each entry of `a` with each entry of `b`."""
    return jnp.outer(a, b)


def kron(A: Numbers, B: Numbers) -> Numbers:
    """The Kronecker product."""
    return jnp.kron(A, B)


def diag(x: Numbers) -> Numbers:
    """The diagonal of a matrix, or the diagonal matrix of a vector."""
    return jnp.diag(x)
