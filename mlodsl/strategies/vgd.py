"""Vanilla gradients: the partial gradient alone, as if the levels below didn't follow."""

from __future__ import annotations

from typing import ClassVar, Literal

import equinox as eqx
import jax

from mlodsl.calculus import choices

from .base import AbstractStrategy, Point, Query, Respond, answered
from .bottom import evaluate_bottom


class PartialGradient(AbstractStrategy):
    """∂f_k/∂x_k at the response of the levels below: the baseline VGD of "Towards Differentiable
    Multilevel Optimization", section 5.1, and "partial gradient" in "Differentiable Engine for
    Tri-level Optimization", section 5.4.

    Its fixed points are equilibria of a game without leaders, not solutions. Costs one gradient.

    Arguments:
        between: how the levels in between find their gradients: `vgd` by partial gradients too,
            as the first paper; `implicit` exactly, as the second.
    """

    between: Literal["vgd", "implicit"] = eqx.field(static=True, default="vgd")
    keeps_factor: ClassVar[bool] = False

    @property
    def everywhere(self) -> bool:
        """Whether the levels in between take partial gradients too."""
        return self.between == "vgd"

    @property
    def judges_by_slopes(self) -> bool:
        """The value follows the response, the gradient doesn't."""
        return True

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The partial gradient at the response."""
        if query.is_bottom:
            return evaluate_bottom(query)
        game, level, above, own = query.game, query.level, query.above, query.own
        response = respond(
            game, level + 1, (*above, own), query.guess, query.accuracy, with_factor=False
        )
        below = choices(game.sizes, level + 1, response.flat)
        value, gradient = jax.value_and_grad(
            lambda own: game.objective(level, (*above, own, *below))
        )(own)
        return answered(query, response, value, gradient)
