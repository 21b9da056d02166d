"""What an expression evaluates to, and how values become arrays of the model's precision.

A value is a Python number where it is known before solving (sizes, literals, whole-number
params and what is computed from these), so that shapes and indices stay static under
`jax.jit`; otherwise it is a JAX array. Arrays hold floats of the model's dtype, except for
the indices of `for`, which stay integers through `+`, `-` and `*`, and conditions.
"""

from __future__ import annotations

from typing import TypeAlias, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Number: TypeAlias = bool | int | float
Numbers: TypeAlias = Float[Array, "..."]
Value: TypeAlias = Number | Array | tuple["Value", ...]

# Whole numbers beyond 64 bits are left to floating point; JAX refuses them.
_LARGEST = 2**63


def is_number(value: object) -> TypeGuard[Number]:
    """Whether a value is a Python number, known before solving."""
    return isinstance(value, bool | int | float)


def as_python_number(value: Number) -> Number:
    """The number itself, or as a float where a whole number exceeds 64 bits."""
    if isinstance(value, int) and abs(value) >= _LARGEST:
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return value


def as_array(value: Value, dtype: np.dtype) -> Array:
    """A value as an array of floats of the model's dtype; conditions stay conditions."""
    if isinstance(value, tuple):
        raise TypeError("the parts of a `split` are used one by one")
    return settle(value, dtype) if isinstance(value, jax.Array) else jnp.asarray(value, dtype)


def settle(value: Array, dtype: np.dtype) -> Array:
    """The array in the model's dtype: nothing computed in passing may raise its precision."""
    if value.dtype == np.bool_ or (value.dtype == dtype and not value.weak_type):
        return value
    return jax.lax.convert_element_type(value, dtype)


def is_integer_array(value: Value) -> TypeGuard[Array]:
    """Whether a value is the index of a `for`, or a sum or product of such."""
    return isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jnp.integer)


def whole_number(value: Value, what: str) -> int:
    """A size, count or axis as a Python integer; a float is taken where it is whole."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise TypeError(f"{what} has to be a whole number known before solving, found {value}")
