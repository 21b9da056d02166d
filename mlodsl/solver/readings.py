"""Small readings at a point: objectives, gradients, products, projections, each compiled once for a
structure and asked for by the host; the instances of a batch ask together.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mlodsl.calculus import (
    Factor,
    Game,
    Krylov,
    Numbers,
    Vectors,
    lagrangian,
    lanczos,
    operators,
)
from mlodsl.strategies import Point

from .goals import residual
from .lanes import joined
from .nest import Nest


@joined
def top_residual(nest: Nest, point: Point) -> Float[Array, ""]:
    """The norm of the top level's total gradient g, in a domain of x - proj(x - g)."""
    return residual(nest, 0, point)


@joined
def objectives(game: Game, vectors: Vectors) -> Float[Array, " levels"]:
    """All objectives, as minimisations, at the variables of all levels."""
    return all_objectives(game, vectors)


@joined
def objectives_around(
    game: Game, vectors: Vectors
) -> tuple[Float[Array, "many levels"], Float[Array, " own"]]:
    """As `objectives`, at several points, which are stacked along the first axis; and at the first
    of them the top objective's gradient in its own variables, the levels below held still."""
    own, *below = (stacked[0] for stacked in vectors)
    direct = jax.grad(lambda vector: game.objective(0, (vector, *below)))(own)
    return jax.vmap(lambda *one: all_objectives(game, one))(*vectors), direct


def all_objectives(game: Game, vectors: Vectors) -> Float[Array, " levels"]:
    """As `objectives`, as a part of compiled code."""
    return jnp.stack([game.objective(level, vectors) for level in range(len(game.sizes))])


@joined
def stationarity(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"]
) -> Float[Array, " flat"]:
    """∇_{u_k} L_k; it holds the total gradients of level k and of all levels below."""
    return jax.grad(lambda point: lagrangian(game, level, above, point))(flat)


def lower_slopes(
    game: Game, own: Float[Array, " own"], flat: Float[Array, " flat"]
) -> Float[Array, "2 flat"]:
    """∇_{u_1} L_1 at `beside(flat)`, as a part of compiled code."""
    return jax.vmap(jax.grad(lambda point: lagrangian(game, 1, (own,), point)))(beside(flat))


def beside(flat: Float[Numbers, " flat"]) -> Float[Numbers, "2 flat"]:
    """A vector, and the vector with other last digits, a row each."""
    return flat * _nudges(flat.size, np.dtype(flat.dtype))


@functools.lru_cache(maxsize=64)
def _nudges(size: int, dtype: np.dtype) -> np.ndarray:
    signs = np.where(np.arange(size) % 2, 1, -1)
    return np.array([np.ones(size), 1 + 2 * np.finfo(dtype).eps * signs], dtype)


@joined
def reduced_product(
    nest: Nest,
    level: int,
    above: Vectors,
    flat: Float[Array, " flat"],
    below: Factor | None,
    vector: Float[Array, " own"],
) -> Float[Array, " own"]:
    """S_k v, the reduced Hessian of a level times a vector, without forming it."""
    plans = nest.place(level, above).plans
    return operators(nest.game, level, above, flat, below, plans).reduced(vector)


@joined
def curvature_ends(
    nest: Nest,
    level: int,
    above: Vectors,
    flat: Float[Array, " flat"],
    below: Factor | None,
    start: Float[Array, " own"],
    steps: int,
) -> Krylov:
    """Lanczos' method on S_k, the reduced Hessian of a level; a product for each step."""
    plans = nest.place(level, above).plans
    return lanczos(operators(nest.game, level, above, flat, below, plans).reduced, start, steps)


@joined
def project_top(game: Game, own: Float[Array, " own"]) -> Float[Array, " own"]:
    """The nearest point of the top level's domain."""
    return game.project(0, own)


@joined
def projection_jacobian(game: Game, own: Float[Array, " own"]) -> Float[Array, "own own"]:
    """The derivative of the projection on the top level's domain."""
    return jax.jacfwd(lambda vector: game.project(0, vector))(own)
