"""Built-in functions that act on each entry alone.

Objectives of an n-level model are differentiated n times, so the derivatives of every order
are finite wherever the mathematics is; at a kink they are those of one of its sides or, at
the kinks of `maximum`, `minimum` and `clip`, the mean of both.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .values import Numbers, is_number

exp = jnp.exp
log = jnp.log
log1p = jnp.log1p
expm1 = jnp.expm1
sqrt = jnp.sqrt
sin = jnp.sin
cos = jnp.cos
tan = jnp.tan
tanh = jnp.tanh
arctan = jnp.arctan
square = jnp.square
sign = jnp.sign
maximum = jnp.maximum
minimum = jnp.minimum


def floor(x: Numbers | float) -> Numbers | float:
    """The largest whole number that is at most `x`; of a Python number, a Python integer."""
    if is_number(x):
        return math.floor(x) if math.isfinite(x) else x
    return jnp.floor(x)


def absolute(x: Numbers) -> Numbers:
    """`abs(x)`; its derivative at 0 is 0."""
    return jnp.abs(x)


@jax.custom_jvp
def sigmoid(x: Numbers) -> Numbers:
    """`1 / (1 + exp(-x))`.

    Its derivative is taken as σ(x) σ(-x): JAX's σ(x) (1 - σ(x)) loses the right tail, where
    the curvature of a well separated logistic regression lives.
    """
    return lax.logistic(x)


@sigmoid.defjvp
def _sigmoid_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (x_dot,) = primals, tangents
    value = sigmoid(x)
    return value, value * sigmoid(-x) * x_dot


@jax.custom_jvp
def softplus(x: Numbers) -> Numbers:
    """`log(1 + exp(x))`, without overflow; its derivative is `sigmoid(x)`."""
    return jnp.logaddexp(x, 0.0)


@softplus.defjvp
def _softplus_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (x,), (x_dot,) = primals, tangents
    return softplus(x), sigmoid(x) * x_dot


def logistic_loss(margin: Numbers) -> Numbers:
    """`log(1 + exp(-margin))`."""
    return softplus(-margin)


def relu(x: Numbers) -> Numbers:
    """`max(x, 0)`; its derivative at 0 is 0. NaN stays NaN."""
    return jnp.where(x <= 0, 0.0, x)


def elu(x: Numbers) -> Numbers:
    """`x` where positive, `exp(x) - 1` elsewhere."""
    # The inner `where` keeps an overflow of the branch not taken out of the derivatives.
    return jnp.where(x > 0, x, jnp.expm1(jnp.where(x > 0, 0.0, x)))


def gelu(x: Numbers) -> Numbers:
    """`x Φ(x)` with Φ the normal distribution function: the exact form, not the tanh one."""
    return 0.5 * x * lax.erfc(-x * (0.5**0.5))


def smooth_abs(x: Numbers, eps: Float[Array, ""] | float = 1e-3) -> Array:
    """`sqrt(x^2 + eps^2)`."""
    return jnp.sqrt(jnp.square(x) + jnp.square(eps))


def huber(x: Numbers, delta: Float[Array, ""] | float = 1.0) -> Array:
    """`x^2 / 2` where `|x| <= delta`, `delta (|x| - delta / 2)` elsewhere."""
    size = jnp.abs(x)
    return jnp.where(size <= delta, 0.5 * jnp.square(x), delta * (size - 0.5 * delta))


def clip(x: Numbers, lo: Numbers | float, hi: Numbers | float) -> Numbers:
    """`x` with what is below `lo` set to `lo` and what is above `hi` to `hi`."""
    return jnp.minimum(jnp.maximum(x, lo), hi)


def where(cond: Array | bool, a: Array | float, b: Array | float) -> Array:
    """`a` where `cond` holds, `b` elsewhere; both are computed."""
    return jnp.where(cond, a, b)
