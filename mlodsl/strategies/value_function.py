"""The value-function method: a growing penalty on g - g*."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.calculus import Game

from .base import AbstractStrategy, Point, Query, Respond, Response
from .penalty import DIFFERENCES, penalized_point


class ValueFunction(AbstractStrategy):
    """Minimises f + λ (g - g*), g* the least value of g, with λ growing from turn to turn.

    The reformulation by f^L ≤ (f^L)*, equation (4) of "Differentiable Engine for Tri-level
    Optimization" and (10) of "On Finding Small Hyper-Gradients in Bilevel Optimization", with the
    constraint as a penalty; 1 / λ is the σ of equation (6) there. The lower variables are
    minimised out, so what is left is a total gradient in x.

    Arguments:
        penalty: λ at the end.
        initial: λ at the first turn.
        growth: the factor of λ a turn.
    """

    penalty: Float[Array, ""]
    initial: Float[Array, ""]
    growth: Float[Array, ""]
    keeps_factor: ClassVar[bool] = False

    @property
    def everywhere(self) -> bool:
        """The levels in between differentiate implicitly."""
        return False

    @property
    def judges_by_slopes(self) -> bool:
        """While the penalty grows, values of two turns are of two functions."""
        return True

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The gradient of the penalised objective."""
        dtype = query.own.dtype
        last = jnp.asarray(self.penalty, dtype)
        grown = jnp.asarray(self.initial, dtype) * jnp.asarray(self.growth, dtype) ** query.turn
        penalty = jnp.minimum(grown, last)
        here = (*query.above, query.own)

        def answer(game: Game, guess: Float[Array, " below"]) -> Response:
            tolerance = query.accuracy / penalty
            return respond(game, query.level + 1, here, guess, tolerance, with_factor=False)

        point = penalized_point(query, answer, 1 / penalty, DIFFERENCES["one_sided"])
        unfinished = jnp.where(penalty < last, jnp.inf, 0.0).astype(dtype)
        return eqx.tree_at(lambda p: p.error, point, unfinished)
