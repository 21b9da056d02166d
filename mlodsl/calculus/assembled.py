"""K_k of many levels, put together from second derivatives of each objective alone.

L_k is the sum over j ≥ k of the part of f_j at ε_{k+1} … ε_j all together, at the hyper-dual point
at which (x_i, …) and (m_i, …) of u_k are one point and its change along ε_i. So are the entries of
its derivatives parts of those of f_j: with L_k(ε) = f_k + ⟨m_{k+1}, ∇ L_{k+1}⟩ in ε_1 … ε_k, ∇²L_k
at a place is made of the blocks of ∇²L_{k+1} at that place, and at that place with ε_{k+1}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .hyperdual import at_hyperdual, of_order
from .lagrangian import Game, Vectors, flat_size


class Derivatives(NamedTuple):
    """L_k, ∇L_k and ∇²L_k in the variables of the level above, if wanted, and u_k."""

    value: Float[Array, ""]
    gradient: Float[Array, " all"]
    matrix: Float[Array, "all all"]


def assembled(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"], *, leading: bool
) -> Derivatives:
    """The derivatives of L_k at u_k.

    Arguments:
        leading: whether in the variables of the level above too; these come first then.
    """
    sizes = game.sizes
    fixed, first = (above[:-1], above[-1:]) if leading else (above, ())
    ends = np.cumsum([*(len(one) for one in first), *sizes[level:]]).tolist()
    points = [*(one[None] for one in first), *_hyperdual_choices(sizes, level, flat)]

    def derivatives(depth: int) -> Derivatives:
        """Of f_depth, by parts."""
        order = depth - level
        here = [of_order(order, parts[: 1 << order]) for parts in points]

        def objective(point: Array) -> Array:
            return game.objective(depth, (*fixed, *jnp.split(point, ends[:-1])))

        return at_hyperdual(_with_derivatives(objective), jnp.concatenate(here, axis=1))

    found = derivatives(len(sizes) - 1)
    for depth in range(len(sizes) - 2, level - 1, -1):
        outer = ends[-1] - sum(sizes[depth + 1 :])
        found = _one_level_up(found, derivatives(depth), outer)
    return Derivatives(*(parts[0] for parts in found))


def _hyperdual_choices(
    sizes: tuple[int, ...], level: int, flat: Float[Array, " flat"]
) -> list[Float[Array, "parts own"]]:
    """The variables x_k … x_{n-1} inside u_k, each with its changes along ε_{k+1} … ."""
    found, parts = [], flat[None]
    for depth in range(level, len(sizes)):
        own, below = sizes[depth], flat_size(sizes, depth + 1)
        found.append(parts[:, :own])
        parts = jnp.concatenate([parts[:, own : own + below], parts[:, own + below :]])
    return found


def _with_derivatives(
    function: Callable[[Array], Array],
) -> Callable[[Float[Array, " n"]], Derivatives]:
    def value_and_gradient(point: Array) -> tuple[Array, Array]:
        value, gradient = jax.value_and_grad(function)(point)
        return gradient, value

    def evaluate(point: Float[Array, " n"]) -> Derivatives:
        gradient, product, value = jax.linearize(value_and_gradient, point, has_aux=True)
        matrix = jax.vmap(product)(jnp.eye(point.size, dtype=point.dtype))
        return Derivatives(value, gradient, matrix)

    return evaluate


def _one_level_up(below: Derivatives, own: Derivatives, outer: int) -> Derivatives:
    """The parts of L_k's derivatives from those of L_{k+1} and f_k, which has one ε less.

    Arguments:
        outer: how many variables of levels k and above there are.
    """
    half = len(own.value)
    along = Derivatives(*(parts[half:] for parts in below))
    gradient, side = below.gradient[:half, outer:], below.matrix[:half, :, outer:]
    none = jnp.zeros((half, side.shape[2], side.shape[2]), side.dtype)
    upper = jnp.concatenate([along.matrix, side], axis=2)
    lower = jnp.concatenate([jnp.swapaxes(side, 1, 2), none], axis=2)
    return Derivatives(
        own.value + along.value,
        _with_more(own.gradient, jnp.concatenate([along.gradient, gradient], axis=1)),
        _with_more(own.matrix, jnp.concatenate([upper, lower], axis=1)),
    )


def _with_more(own: Float[Array, "parts ..."], more: Float[Array, "parts ..."]) -> Array:
    """The sum, f_k's own variables being the first."""
    sides = zip(own.shape[1:], more.shape[1:], strict=True)
    return more + jnp.pad(own, [(0, 0), *((0, large - small) for small, large in sides)])
