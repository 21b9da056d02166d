"""Linear algebra with matrices of a few rows, by loops that fit into one kernel.

A library's routines are called from outside of it; for ten rows the calls take ten times as long as
what they compute (see `one_kernel`).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

# Of larger ones a library takes less time.
LARGEST_ORDER = 16


def product(left: Float[Array, "n m"], right: Float[Array, "m k"]) -> Float[Array, "n k"]:
    """left right."""
    return jnp.sum(left[:, :, None] * right, axis=1)


def cholesky_factor(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """The lower triangular factor of a symmetric matrix, of which the lower triangle is looked at;
    with NaN on the diagonal where it isn't positive definite."""

    def column(number: Array, lower: Array) -> Array:
        rest = _entry(matrix, number, 1) - jnp.sum(lower * _entry(lower, number, 0), axis=1)
        entries = rest / jnp.sqrt(_entry(rest, number, 0))
        entries = jnp.where(jnp.arange(len(matrix)) < number, 0, entries)
        return _with_column(lower, number, entries)

    return jax.lax.fori_loop(0, len(matrix), column, jnp.zeros_like(matrix))


def divided_by_transpose(
    right: Float[Array, "several n"], lower: Float[Array, "n n"]
) -> Float[Array, "several n"]:
    """right L⁻ᵀ, for a lower triangular L."""

    def column(number: Array, found: Array) -> Array:
        row = _entry(lower, number, 0)
        rest = _entry(right, number, 1) - jnp.sum(found * row, axis=1)
        return _with_column(found, number, rest / _entry(row, number, 0))

    return jax.lax.fori_loop(0, len(lower), column, jnp.zeros_like(right))


def divided(
    right: Float[Array, "several n"], lower: Float[Array, "n n"]
) -> Float[Array, "several n"]:
    """right L⁻¹, for a lower triangular L."""

    def column(done: Array, found: Array) -> Array:
        number = len(lower) - 1 - done
        own = _entry(lower, number, 1)
        rest = _entry(right, number, 1) - jnp.sum(found * own, axis=1)
        return _with_column(found, number, rest / _entry(own, number, 0))

    return jax.lax.fori_loop(0, len(lower), column, jnp.zeros_like(right))


def _entry(array: Array, number: Array, axis: int) -> Array:
    return jax.lax.dynamic_index_in_dim(array, number, axis, keepdims=False)


def _with_column(array: Array, number: Array, column: Array) -> Array:
    return jax.lax.dynamic_update_index_in_dim(array, column, number, 1)
