"""Tikhonov regularisation for simple bilevel problems."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.calculus import Game, PenalizedGame, choices

from .base import AbstractStrategy, Point, Query, Respond, Response, answered, summed


class Tikhonov(AbstractStrategy):
    """y = argmin g(y) + σ f(x, y) for σ → 0, where g doesn't depend on x; then ∂f/∂x there.

    "Differentiable Engine for Tri-level Optimization", equation (5), for the simple bilevel
    problem (2): among the minima of g it selects the one that is best for f. As printed, σ
    weighs g, and with σ → 0 the minimum would be that of f alone; the weight belongs to f.
    σ goes from 1 to the last one, each minimisation starting from the answer before; the error
    is of first order in the last σ.

    Arguments:
        sigma: the last σ.
        steps: how many values of σ there are, at least 2.
    """

    sigma: Float[Array, ""]
    steps: int = eqx.field(static=True)
    keeps_factor: ClassVar[bool] = False

    @property
    def everywhere(self) -> bool:
        """There are two levels."""
        return False

    @property
    def judges_by_slopes(self) -> bool:
        """The gradient is the value's derivative up to the last σ."""
        return False

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The partial gradient at the selected minimum."""
        game, level, above, own = query.game, query.level, query.above, query.own
        dtype = own.dtype
        last = jnp.asarray(self.sigma, dtype)
        path = last ** jnp.linspace(0, 1, self.steps, dtype=dtype)

        def minimise(guess: Array, sigma: Array) -> tuple[Array, Response]:
            penalized: Game = PenalizedGame(game, level, sigma)
            tolerance = query.accuracy * sigma
            response = respond(
                penalized, level + 1, (*above, own), guess, tolerance, with_factor=False
            )
            return response.flat, response

        flat, responses = jax.lax.scan(minimise, query.guess, path)
        below = choices(game.sizes, level + 1, flat)
        value, gradient = jax.value_and_grad(
            lambda own: game.objective(level, (*above, own, *below))
        )(own)
        return answered(query, summed(responses, flat), value, gradient)
