"""The bottom level, where the total gradient is the plain one, under every strategy."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from mlodsl.calculus import NewtonFactor, factorize, full_factor, full_matrix, lagrangian

from .base import Point, Query


def evaluate_bottom(query: Query) -> Point:
    """Value and gradient of the bottom level, and its Hessian's factor where it is wanted."""
    game, level, above, own = query.game, query.level, query.above, query.own
    factor: NewtonFactor | None = None
    products = 0
    if query.with_factor and query.plans[level].form == "full":
        value, gradient, matrix = full_matrix(game, level, above, own)
        factor = full_factor(game.sizes, level, matrix)
        products = own.size
    else:
        value, gradient = jax.value_and_grad(lambda u: lagrangian(game, level, above, u))(own)
        if query.with_factor:
            factor = factorize(game, level, above, own, None, query.plans)
            products = own.size if query.plans[level].form == "reduced" else 0
    none = jnp.zeros(len(game.sizes), jnp.int32)
    return Point(
        own=own,
        value=value,
        gradient=gradient,
        error=jnp.zeros_like(value),
        flat=own,
        below=None,
        factor=factor,
        outcomes=none,
        evaluations=none.at[level].add(1),
        products=none.at[level].add(products),
    )
