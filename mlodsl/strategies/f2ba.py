"""F²BA: fully first-order bilevel approximation."""

from __future__ import annotations

from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.calculus import Game

from .base import AbstractStrategy, Point, Query, Respond, Response
from .penalty import DIFFERENCES, penalized_point


class FirstOrderBilevel(AbstractStrategy):
    """∇_x f(x, y) + (∇_x g(x, y) - ∇_x g(x, z)) / σ with y, z the minima of σ f + g and g.

    "On Finding Small Hyper-Gradients in Bilevel Optimization", Algorithm 2. The error is O(σ ℓ κ³)
    (Lemma 4.3), for `central` and `extrapolated` of second order in σ. With more than two levels,
    g is the second level's objective anticipating the levels below it, which its own solver
    finds by implicit differentiation. No derivative of a response is taken: two minimisations
    (`one_sided`, else three), and as many gradients.

    Arguments:
        sigma: σ, the weight of the upper objective.
        form: `one_sided` is the paper's; `central` uses -σ too, for which the lower objective
            must be curved in every direction; `extrapolated` uses σ / 2.
    """

    sigma: Float[Array, ""]
    form: Literal["one_sided", "central", "extrapolated"] = eqx.field(
        static=True, default="one_sided"
    )
    keeps_factor: ClassVar[bool] = False

    @property
    def everywhere(self) -> bool:
        """The levels in between differentiate implicitly."""
        return False

    @property
    def judges_by_slopes(self) -> bool:
        """The gradient is the derivative of φ_σ, which is the value."""
        return False

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The approximate total gradient."""
        sigma = jnp.asarray(self.sigma, query.own.dtype)
        here = (*query.above, query.own)

        def answer(game: Game, guess: Float[Array, " below"]) -> Response:
            tolerance = sigma * query.accuracy
            return respond(game, query.level + 1, here, guess, tolerance, with_factor=False)

        return penalized_point(query, answer, sigma, DIFFERENCES[self.form])
