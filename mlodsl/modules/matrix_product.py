"""Matrix products, with derivatives in the form that a processor computes soonest.

With X of many rows and W of few columns, XLA takes two to four times as long for Xᵀ C as for the
same numbers in Cᵀ X, which it reads row by row; and what X W adds to a gradient is Xᵀ C. So X dW is
written as (dWᵀ Xᵀ)ᵀ there, whose transpose is (Cᵀ X)ᵀ. Barriers keep XLA from undoing that.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero
from jaxtyping import Array

from .platform import default_platform

# The left matrix's entries for each row and column, below which turning takes longer than it saves:
# a square matrix of 16 rows has 8.
_LEAST = 8


def matrix_product(left: Array, right: Array) -> Array:
    """left @ right, in the highest precision: an accelerator's default multiplies float32 with 10
    to 13 bits, fewer than the tolerances of a solve."""
    return _with_turned_derivative(left, right) if _turns(left, right) else _plain(left, right)


def _plain(left: Array, right: Array) -> Array:
    return jnp.matmul(left, right, precision=lax.Precision.HIGHEST)


def _turned(left: Array, right: Array) -> Array:
    columns = lax.optimization_barrier(right.T)
    contracted = (((1,), (1,)), ((), ()))
    found = lax.dot_general(columns, left, contracted, precision=lax.Precision.HIGHEST)
    return lax.optimization_barrier(found).T


@jax.custom_jvp
def _with_turned_derivative(left: Array, right: Array) -> Array:
    return _plain(left, right)


def _derivative(
    matrices: tuple[Array, Array], changes: tuple[Array | SymbolicZero, Array | SymbolicZero]
) -> tuple[Array, Array]:
    (left, right), (of_left, of_right) = matrices, changes
    value = _with_turned_derivative(left, right)
    change = jnp.zeros_like(value)
    if not isinstance(of_left, SymbolicZero):
        change += _plain(of_left, right)
    if not isinstance(of_right, SymbolicZero):
        change += _turned(left, of_right)
    return value, change


_with_turned_derivative.defjvp(_derivative, symbolic_zeros=True)


def _turns(left: Array, right: Array) -> bool:
    """Whether the larger matrix is on the left, and not too narrow."""
    if left.ndim != 2 or right.ndim != 2 or default_platform() != "cpu":
        return False
    (rows, inner), columns = left.shape, right.shape[1]
    # For each column rows + inner entries are turned, and rows * inner products take less time.
    return rows >= columns and rows * inner >= _LEAST * (rows + inner)
