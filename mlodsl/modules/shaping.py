"""Built-in functions that make arrays, change their form, or prepare data.

Sizes, axes and seeds are known before solving: Python integers. Arrays are made in JAX's
default precision and settled into the model's by the evaluator.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from .values import Numbers

_Table = Float[Array, "rows ..."]


# ---------------------------------------------------------------- made from nothing


def zeros(*sizes: int) -> Numbers:
    """Zeros of a shape."""
    return jnp.zeros(sizes)


def ones(*sizes: int) -> Numbers:
    """Ones of a shape."""
    return jnp.ones(sizes)


def eye(n: int) -> Float[Array, "n n"]:
    """The identity matrix."""
    return jnp.eye(n)


def arange(n: int) -> Int[Array, " n"]:
    """`0, 1, …, n - 1`."""
    return jnp.arange(n)


def linspace(a: Float[Array, ""], b: Float[Array, ""], n: int) -> Float[Array, " n"]:
    """`n` numbers from `a` to `b`, both included, at even distances."""
    return jnp.linspace(a, b, n)


def one_hot(k: Numbers, n: int) -> Numbers:
    """For each class number a row of `n` zeros with a 1 there; all 0 where out of range."""
    return (jnp.round(k)[..., None] == jnp.arange(n)).astype(float)


# ---------------------------------------------------------------- other forms


def concat(*arrays: Numbers, axis: int = 0) -> Numbers:
    """The arrays one after another along an axis that they have."""
    return jnp.concatenate(arrays, axis=axis)


def stack(*arrays: Numbers, axis: int = 0) -> Numbers:
    """Arrays of one shape side by side along a new axis."""
    return jnp.stack(arrays, axis=axis)


def reshape(A: Numbers, *sizes: int) -> Numbers:
    """The same entries, in rows first order, in another shape."""
    return jnp.reshape(A, sizes)


def split(A: _Table, *sizes: int) -> tuple[_Table, ...]:
    """Blocks of so many rows from the top; rows left over are dropped.

    Raises:
        ValueError: where there are fewer rows than asked for.
    """
    blocks, end = [], 0
    for size in sizes:
        blocks.append(A[end : end + size])
        end += size
    if end > A.shape[0]:
        raise ValueError(f"`split` asks for {end} rows of {A.shape[0]}")
    return tuple(blocks)


# ---------------------------------------------------------------- sizes


def rows(A: Numbers) -> int:
    """The length of the first axis."""
    return int(jnp.shape(A)[0])


def cols(A: Numbers) -> int:
    """The length of the second axis."""
    return int(jnp.shape(A)[1])


def size(A: Numbers) -> int:
    """The number of entries."""
    return int(jnp.size(A))


# ---------------------------------------------------------------- for data


def standardize(A: _Table) -> _Table:
    """Each column with mean 0 and population standard deviation 1; a constant column, which
    has no spread to divide by, becomes 0."""
    if A.shape[0] == 0:
        return A
    constant = jnp.max(A, axis=0) == jnp.min(A, axis=0)
    centred = _scaled(jnp.where(constant, 0.0, A - jnp.mean(A, axis=0)), axis=0)
    variance = jnp.mean(jnp.square(centred), axis=0)
    return centred / jnp.sqrt(jnp.where(constant, 1.0, variance))


def normalize(A: Numbers) -> Numbers:
    """Each row (along the last axis) with Euclidean length 1; a row of zeros stays so."""
    scaled = _scaled(A, axis=-1)
    squares = jnp.sum(jnp.square(scaled), axis=-1, keepdims=True)
    return scaled / jnp.sqrt(jnp.where(squares == 0, 1.0, squares))


def _scaled(A: Numbers, axis: int) -> Numbers:
    """The array over its largest entries along an axis, so that no square under- or
    overflows. Where a common factor cancels, so does its derivative: it counts as constant."""
    largest = lax.stop_gradient(jnp.max(jnp.abs(A), axis=axis, keepdims=True, initial=0.0))
    return A / jnp.where(largest > 0, largest, 1.0)


def shuffle(A: _Table, seed: int = 0) -> _Table:
    """The rows in the order of `jax.random.permutation` under `PRNGKey(seed)`."""
    # At once, also while JAX traces: it draws with 64 bits what a caller's program of 32 can't.
    with jax.ensure_compile_time_eval():
        order = jax.random.permutation(jax.random.PRNGKey(seed), A.shape[0])
    return A[order]
