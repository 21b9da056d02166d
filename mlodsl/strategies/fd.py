"""Finite differences of the objective at the lower solvers' answers."""

from __future__ import annotations

from typing import ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.calculus import choices

from .base import AbstractStrategy, Point, Query, Respond, Response, answered, summed
from .bottom import evaluate_bottom


class FiniteDifferences(AbstractStrategy):
    """(F(x + h e_i) - F(x - h e_i)) / 2h for each variable i, F(x) = f(x, response to x).

    The baseline FD of "Towards Differentiable Multilevel Optimization", section 5.1. The error is
    of order h² (`central`) or h, plus rounding over h. All answers start from the same guess,
    so with a fixed number of lower steps it differentiates what those steps compute. Costs two
    responses a variable, `central = false` one, and one more.

    Arguments:
        step: h; 0: the cube root (the square root) of the precision, relative to 1 + |x_i|.
        central: whether differences are central.
        between: how the levels in between find their gradients: `implicit`, or `vgd` by partial
            gradients.
    """

    step: Float[Array, ""]
    central: bool = eqx.field(static=True, default=True)
    between: Literal["implicit", "vgd"] = eqx.field(static=True, default="implicit")
    keeps_factor: ClassVar[bool] = False

    @property
    def everywhere(self) -> bool:
        """Differences of differences would drown in rounding."""
        return False

    @property
    def judges_by_slopes(self) -> bool:
        """The gradient is the value's derivative as far as differences can tell."""
        return False

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The total gradient by differences."""
        if query.is_bottom:
            return evaluate_bottom(query)
        game, level, above, own = query.game, query.level, query.above, query.own
        eps = jnp.finfo(own.dtype).eps
        given = jnp.asarray(self.step, own.dtype)
        chosen = eps ** (1 / 3 if self.central else 1 / 2) * (1 + jnp.abs(own))
        steps = jnp.where(given > 0, given, chosen)
        ahead = own + jnp.diag(steps)
        behind = own - jnp.diag(steps) if self.central else ahead[:0]
        places = jnp.concatenate([own[None], ahead, behind])

        def answer(place: Float[Array, " own"]) -> tuple[Array, Response]:
            # Differences need values as exact as they come.
            exact = jnp.zeros_like(query.accuracy)
            here = (*above, place)
            response = respond(game, level + 1, here, query.guess, exact, with_factor=False)
            below = choices(game.sizes, level + 1, response.flat)
            return game.objective(level, (*here, *below)), response

        values, responses = jax.lax.map(answer, places)
        count = own.size
        # The steps that were made, in the numbers that there are.
        gaps = jnp.diagonal(ahead) - (jnp.diagonal(behind) if self.central else own)
        others = values[count + 1 :] if self.central else values[0]
        gradient = (values[1 : count + 1] - others) / gaps
        return answered(query, summed(responses, responses.flat[0]), values[0], gradient)
