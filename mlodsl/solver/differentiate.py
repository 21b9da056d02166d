"""Derivatives of a solved point with respect to everything that went into its equations.

By the implicit function theorem at ∇_{u_k} L_k = 0: no derivative passes through a solver,
so derivatives with respect to the point the solver started from are zero.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax
from jaxtyping import Array, Float

from mlodsl.calculus import Game, Vectors, lagrangian

_DENSE = 2048


@eqx.filter_jit
def differentiable_point(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"], *, constrained: bool
) -> Float[Array, " flat"]:
    """u_k, unchanged in value, with its derivatives in the game's leaves and in `above`.

    Arguments:
        flat: u_k with ∇_{u_k} L_k = 0; in a domain x_k = proj(x_k - ∇_{x_k} L_k) instead.
    """
    own = game.sizes[level]

    def conditions(point: Float[Array, " flat"]) -> Float[Array, " flat"]:
        gradient = jax.grad(lambda u: lagrangian(game, level, above, u))(point)
        if not constrained:
            return gradient
        kept = point[:own] - game.project(level, point[:own] - gradient[:own])
        return jnp.concatenate([kept, gradient[own:]])

    return jax.lax.custom_root(
        conditions, jax.lax.stop_gradient(flat), lambda _, guess: guess, solve_linear
    )


def solve_linear(product: Callable[[Array], Array], right: Array) -> Array:
    """The solution of a linear system given by its products, as `jax.lax.custom_root` asks."""
    if right.size <= _DENSE:
        matrix = jax.vmap(product, out_axes=1)(jnp.eye(right.size, dtype=right.dtype))
        return jnp.linalg.solve(matrix, right)
    operator = lineax.FunctionLinearOperator(
        product, jax.ShapeDtypeStruct(right.shape, right.dtype)
    )
    size = jnp.linalg.norm(right)
    solver = lineax.GMRES(rtol=1e-10, atol=1e-10, restart=100, stagnation_iters=100)
    scaled = right / jnp.where(size > 0, size, 1)
    return lineax.linear_solve(operator, scaled, solver).value * size
