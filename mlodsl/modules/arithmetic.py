"""The operators `+ - * / @ ^`, unary minus and comparisons, on Python numbers and arrays.

Python numbers stay Python numbers and follow IEEE arithmetic: `1 / 0` is `inf`, not an
exception. Powers have finite derivatives of every order wherever the mathematics does, at 0
too; JAX's own `pow` gives NaN there from the second or third order on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array

from .matrix_product import matrix_product
from .values import Number, Value, as_array, as_python_number, is_integer_array, is_number

# Beyond this many bits a power of whole numbers is computed as a float.
_LARGEST_BITS = 64


def negate(value: Value) -> Value:
    """`-a`."""
    return -value  # type: ignore[operator]


def combine(operator: str, left: Value, right: Value, dtype: np.dtype) -> Value:
    """`left operator right` for `+ - * / @`, with NumPy's meaning and broadcasting."""
    if is_number(left) and is_number(right) and operator in _NUMBERS:
        return as_python_number(_NUMBERS[operator](left, right))
    if operator in _KEEPS_INTEGERS and _whole(left) and _whole(right):
        return _ARRAYS[operator](left, right)
    return _ARRAYS[operator](as_array(left, dtype), as_array(right, dtype))


def _whole(value: Value) -> bool:
    return is_integer_array(value) or (isinstance(value, int) and not isinstance(value, bool))


def _divide_numbers(left: Number, right: Number) -> float:
    if right == 0:
        if left == 0 or left != left:
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1.0, right)
    return left / right


_NUMBERS: dict[str, Callable[[Any, Any], Number]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide_numbers,
}
_ARRAYS: dict[str, Callable[[Any, Any], Array]] = {
    "+": jnp.add,
    "-": jnp.subtract,
    "*": jnp.multiply,
    "/": jnp.divide,
    "@": matrix_product,
}
_KEEPS_INTEGERS = frozenset("+-*")


# ---------------------------------------------------------------- powers


def power(base: Value, exponent: Value, dtype: np.dtype) -> Value:
    """`base ^ exponent`.

    A whole exponent that is known before solving is a product, right for negative bases and
    with derivatives of every order at 0. An index of `for` as an exponent is as good.
    """
    if is_number(exponent):
        if is_number(base):
            return as_python_number(_power_of_numbers(base, exponent))
        if math.isfinite(exponent) and exponent == int(exponent):
            return lax.integer_pow(as_array(base, dtype), int(exponent))
    powers = exponent if is_integer_array(exponent) else as_array(exponent, dtype)
    return _power(*jnp.broadcast_arrays(as_array(base, dtype), powers))


def _power_of_numbers(base: Number, exponent: Number) -> Number:
    whole = isinstance(base, int) and isinstance(exponent, int) and exponent >= 0
    if whole and (abs(base) <= 1 or int(base).bit_length() * exponent <= _LARGEST_BITS):
        return base**exponent
    with np.errstate(all="ignore"):
        return float(np.power(np.float64(base), np.float64(exponent)))


def _power_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Array, Array]:
    base, exponent = primals
    base_dot, exponent_dot = tangents
    value = _power(base, exponent)
    tangent = jnp.zeros_like(value)
    if not _is_zero(base_dot):
        # y x^(y - 1), which at x = y = 0 is 0 and not 0 · inf.
        both_zero = (base == 0) & (exponent == 0)
        less = jnp.where(both_zero, jnp.ones_like(exponent), exponent - 1)
        tangent = tangent + exponent * _power(base, less) * base_dot
    if not _is_zero(exponent_dot):
        logarithm = jnp.log(jnp.where(base == 0, jnp.ones_like(base), base))
        tangent = tangent + value * logarithm * exponent_dot
    return value, tangent


def _is_zero(tangent: Any) -> bool:
    """Whether a tangent is zero by construction: the exponent is rarely differentiated, and
    0 · log(negative base) would be NaN."""
    symbolic = isinstance(tangent, jax.custom_derivatives.SymbolicZero)
    return symbolic or tangent.dtype == jax.dtypes.float0


_power = jax.custom_jvp(lax.pow)
_power.defjvp(_power_jvp, symbolic_zeros=True)


# ---------------------------------------------------------------- comparisons

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
    "==": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
}


def compare(operator: str, left: Value, right: Value) -> bool | Array:
    """`left operator right`, elementwise."""
    result: bool | Array = _COMPARISONS[operator](left, right)
    return result
