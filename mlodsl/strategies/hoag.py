"""HOAG: implicit differentiation with solves that get exact as the run goes on."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.calculus import adjoint_gradient, hessian_product, minres, response_gradient

from .base import AbstractStrategy, Point, Query, Respond, answered


class Hoag(AbstractStrategy):
    """Implicit differentiation whose lower solves and linear solves are within ε_t at turn t.

    Pedregosa (2016), the deterministic form of Algorithm 1 of "Stochastic Bilevel Optimization":
    ε_t = `initial` · `decay`^t is summable, which is what convergence needs. The error of the
    gradient is O(ε_t) (there, T_4 ε_k of Proposition 3.12). The linear system is solved by MINRES.

    Arguments:
        initial: ε_0.
        decay: the factor of ε a turn, below 1.
    """

    initial: Float[Array, ""]
    decay: Float[Array, ""]
    keeps_factor: ClassVar[bool] = False

    @property
    def everywhere(self) -> bool:
        """The levels in between differentiate implicitly."""
        return False

    @property
    def judges_by_slopes(self) -> bool:
        """Values of inexact responses say little."""
        return True

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The total gradient within ε_t."""
        game, level, above, own = query.game, query.level, query.above, query.own
        here = (*above, own)
        dtype = own.dtype
        decayed = jnp.asarray(self.initial, dtype) * jnp.asarray(self.decay, dtype) ** query.turn
        tolerance = jnp.maximum(decayed, query.accuracy)
        response = respond(game, level + 1, here, query.guess, tolerance, with_factor=False)
        right = response_gradient(game, level, above, own, response.flat)
        product = hessian_product(game, level + 1, here, response.flat)
        relative = jnp.minimum(tolerance / jnp.maximum(jnp.linalg.norm(right), 1e-30), 0.1)
        solved, count = minres(product, right, iterations=0, tolerance=relative)
        value, gradient = adjoint_gradient(game, level, above, own, response.flat, -solved)
        point = answered(query, response, value, gradient, multipliers=-solved, products=count)
        error = jnp.where(decayed > query.accuracy, decayed, 0.0).astype(dtype)
        return eqx.tree_at(lambda p: p.error, point, error)
