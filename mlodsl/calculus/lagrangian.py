"""The recursive Lagrangian: a nest of optimisation levels as one function.

With levels 0 (top) to n - 1 and u_{n-1} = x_{n-1}, L_{n-1} = f_{n-1}, for k = n - 2 … 0

    u_k = (x_k, u_{k+1}, m_{k+1}),    L_k = f_k + ⟨m_{k+1}, ∇_{u_{k+1}} L_{k+1}⟩.

"Every level below k is stationary, anticipating those below it" is ∇_{u_{k+1}} L_{k+1} = 0;
K_k = ∇²_{u_k} L_k is symmetric, and where K_{k+1} m_{k+1} = -∇_{u_{k+1}} f_k the total gradient
of level k is the x_k part of ∇_{u_k} L_k. This is Theorem 3.3 of "Towards Differentiable
Multilevel Optimization" for any number of levels, with its Algorithm 1 mended (line 4 as
printed drops the derivatives of the response Jacobians) and without nested differentiation
of solvers: one forward-mode derivative a level.

A point u_k is a flat vector of `flat_size` = d_k + 2 · flat_size(k + 1) numbers.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

if TYPE_CHECKING:
    Numbers: TypeAlias = Array
else:
    # On the host NumPy's arrays stand in for those of JAX: slices of these are slow there.
    Numbers = Array | np.ndarray

Vectors: TypeAlias = tuple[Float[Numbers, " _"], ...]
"""One flat vector a level, top first; as `above`, those of the levels that lead."""


@runtime_checkable
class Game(Protocol):
    """What the calculus needs of a compiled model: sizes, and objectives to be minimised."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of variables of each level, top first."""
        ...

    def objective(self, level: int, vectors: Vectors) -> Float[Array, ""]:
        """The objective of a level, in the sense of a minimisation."""
        ...

    def project(self, level: int, vector: Float[Array, " own"]) -> Float[Array, " own"]:
        """The nearest point of the level's domain."""
        ...


def on_host(array: np.ndarray) -> Numbers:
    """A NumPy array where host code hands on one of JAX, for which it stands in."""
    return cast(Array, array)


@functools.lru_cache(maxsize=1024)
def flat_size(sizes: tuple[int, ...], level: int) -> int:
    """The length of u_level: Σ_{j ≥ level} 2^(j - level) d_j."""
    return sum(size << depth for depth, size in enumerate(sizes[level:]))


def split(
    sizes: tuple[int, ...], level: int, flat: Float[Numbers, " flat"]
) -> tuple[Float[Numbers, " own"], Float[Numbers, " below"], Float[Numbers, " below"]]:
    """u_k as (x_k, u_{k+1}, m_{k+1}); the last two are empty at the bottom."""
    own = sizes[level]
    below = flat_size(sizes, level + 1)
    return flat[:own], flat[own : own + below], flat[own + below :]


def choices(sizes: tuple[int, ...], level: int, flat: Float[Numbers, " flat"]) -> Vectors:
    """The variables (x_k, …, x_{n-1}) inside u_k."""
    found = []
    for below in range(level, len(sizes)):
        own, flat, _ = split(sizes, below, flat)
        found.append(own)
    return tuple(found)


def point_of(
    sizes: tuple[int, ...], level: int, vectors: tuple[Float[Array | np.ndarray, " _"], ...]
) -> Float[Numbers, " flat"]:
    """u_k with the given variables (x_k, …, x_{n-1}) and all multipliers zero."""
    on_host = all(isinstance(vector, np.ndarray) for vector in vectors)
    numpy: Any = np if on_host else jnp
    flat: Any = vectors[-1]
    for depth in range(len(sizes) - 2, level - 1, -1):
        flat = numpy.concatenate([vectors[depth - level], flat, numpy.zeros_like(flat)])
    return flat


def lagrangian(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"]
) -> Float[Array, ""]:
    """L_k at u_k, given the variables of the levels above.

    Its value is f_k corrected to first order for an inexact response of the levels below.
    """
    sizes = game.sizes
    if level == len(sizes) - 1:
        return game.objective(level, (*above, flat))
    own, below, multipliers = split(sizes, level, flat)
    here = (*above, own)
    value = game.objective(level, (*here, *choices(sizes, level + 1, below)))
    _, coupling = jax.jvp(
        lambda point: lagrangian(game, level + 1, here, point), (below,), (multipliers,)
    )
    return value + coupling


def response_gradient(
    game: Game, level: int, above: Vectors, own: Float[Array, " own"], below: Float[Array, " below"]
) -> Float[Array, " below"]:
    """∇_{u_{k+1}} f_k: the right-hand side of the adjoint equation."""
    sizes = game.sizes

    def value(point: Float[Array, " below"]) -> Float[Array, ""]:
        return game.objective(level, (*above, own, *choices(sizes, level + 1, point)))

    return jax.grad(value)(below)
