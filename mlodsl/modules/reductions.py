"""Built-in functions that fold many entries into fewer: sums, norms, softmax, losses.

Without `axis` a reduction runs over all entries; `softmax`, `log_softmax` and `logsumexp`
run over the last axis.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .elementwise import smooth_abs
from .values import Numbers


def sum(x: Numbers, axis: int | None = None) -> Numbers:
    """The sum of the entries."""
    return jnp.sum(x, axis=axis)


def mean(x: Numbers, axis: int | None = None) -> Numbers:
    """The mean of the entries."""
    return jnp.mean(x, axis=axis)


def max(x: Numbers, axis: int | None = None) -> Numbers:
    """The largest entry; where several are, its derivative is shared evenly."""
    return jnp.max(x, axis=axis)


def min(x: Numbers, axis: int | None = None) -> Numbers:
    """The smallest entry; where several are, its derivative is shared evenly."""
    return jnp.min(x, axis=axis)


def prod(x: Numbers, axis: int | None = None) -> Numbers:
    """The product of the entries; its derivatives are right where entries are 0."""
    return jnp.prod(x, axis=axis)


def cumsum(x: Numbers, axis: int | None = None) -> Numbers:
    """The running sum along an axis; without `axis`, of all entries in their order."""
    return jnp.cumsum(x, axis=axis)


def logsumexp(x: Numbers, axis: int = -1) -> Numbers:
    """`log(sum(exp(x)))` without overflow; a scalar stays itself."""
    if jnp.ndim(x) == 0:
        return jnp.asarray(x)
    shift = _shift(x, axis)
    return jnp.log(jnp.sum(jnp.exp(x - shift), axis=axis)) + jnp.squeeze(shift, axis)


def softmax(x: Numbers, axis: int = -1) -> Numbers:
    """`exp(x) / sum(exp(x))` without overflow."""
    weights = jnp.exp(x - _shift(x, axis))
    return weights / jnp.sum(weights, axis=axis, keepdims=True)


def _shift(x: Numbers, axis: int) -> Numbers:
    """The largest entry, or 0 where that isn't finite; `axis` stays, of length 1.

    Any shift gives the same value, so it counts as a constant.
    """
    largest = jnp.max(lax.stop_gradient(x), axis=axis, keepdims=True, initial=-jnp.inf)
    return jnp.where(jnp.isfinite(largest), largest, 0.0)


def log_softmax(x: Numbers, axis: int = -1) -> Numbers:
    """`log(softmax(x))`, accurate where the softmax underflows."""
    return x - jnp.expand_dims(logsumexp(x, axis=axis), axis)


def norm1(x: Numbers) -> Float[Array, ""]:
    """The sum of the absolute values of all entries."""
    return jnp.sum(jnp.abs(x))


def norm2(x: Numbers) -> Float[Array, ""]:
    """The Euclidean norm of all entries; at 0, where it has a kink, its derivatives are 0."""
    # |x| = s |x / s| for any constant s; this one keeps the squares from under- and overflowing.
    largest = lax.stop_gradient(jnp.max(jnp.abs(x), initial=0.0))
    scale = jnp.where(largest > 0, largest, 1.0)
    squares = jnp.sum(jnp.square(x / scale))
    # The inner `where` keeps the infinite slope of the root at 0 out of the derivatives.
    return jnp.where(squares == 0, 0.0, scale * jnp.sqrt(jnp.where(squares == 0, 1.0, squares)))


def norm_inf(x: Numbers) -> Float[Array, ""]:
    """The largest absolute value of all entries; 0 where there are none."""
    return jnp.max(jnp.abs(x), initial=0.0)


def sumsq(x: Numbers) -> Float[Array, ""]:
    """The sum of the squares of all entries."""
    return jnp.sum(jnp.square(x))


def smooth_norm1(x: Numbers, eps: Float[Array, ""] | float = 1e-3) -> Float[Array, ""]:
    """The sum of `sqrt(x^2 + eps^2)` over all entries."""
    return jnp.sum(smooth_abs(x, eps))


def dot(a: Numbers, b: Numbers) -> Float[Array, ""]:
    """The sum of the products of the entries of two arrays of one shape."""
    # One product of vectors: mapped over rows (`dot(a, w) for a in X`) it is a matrix product.
    return jnp.vdot(a, b, precision=lax.Precision.HIGHEST)


def cross_entropy(logits: Float[Array, "*rows classes"], labels: Numbers) -> Float[Array, "*rows"]:
    """`-log softmax(logits)` at the labels: one loss a row.

    Arguments:
        logits: a row of scores for each example; the classes are the last axis.
        labels: class numbers from 0, one axis less than `logits`, or rows of weights
            (one-hot or soft) of the shape of `logits`. A class number out of range gives NaN.
    """
    scores = log_softmax(logits)
    if jnp.ndim(labels) == jnp.ndim(logits):
        # A class of weight 0 costs nothing, also where its score is -inf.
        return -jnp.sum(jnp.where(labels == 0, 0.0, labels * scores), axis=-1)
    numbers = jnp.asarray(jnp.round(labels), int)[..., None]
    # What lies beyond the end is filled; a negative number would count from there.
    places = jnp.where(numbers < 0, scores.shape[-1], numbers)
    return -jnp.take_along_axis(scores, places, axis=-1, mode="fill", fill_value=jnp.nan)[..., 0]
