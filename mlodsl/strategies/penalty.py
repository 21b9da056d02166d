"""What the penalty methods share: total gradients from minima of σ f + g.

With P_s(x) = min_y s f(x, y) + g(x, y), the upper objective at the best response is the
derivative of P at s = 0, and the gradient of P needs no derivative of the response (Danskin;
equation (7) and Lemma 4.2 of "On Finding Small Hyper-Gradients in Bilevel Optimization").
Differences of P and of its gradient in s are thus value and total gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.calculus import Game, PenalizedGame, envelope_gradient

from .base import Point, Query, Response, answered, summed

PenalizedRespond = Callable[[Game, Float[Array, " below"]], Response]


class Difference(NamedTuple):
    """A difference quotient in s: Σ weight P(node σ) / σ. The last node is 0."""

    nodes: tuple[float, ...]
    weights: tuple[float, ...]


DIFFERENCES: dict[str, Difference] = {
    # Errors of the first, second and second order in σ; the last has no negative node.
    "one_sided": Difference((1.0, 0.0), (1.0, -1.0)),
    "central": Difference((1.0, -1.0, 0.0), (0.5, -0.5, 0.0)),
    "extrapolated": Difference((1.0, 0.5, 0.0), (-1.0, 4.0, -3.0)),
}


def penalized_point(
    query: Query, respond: PenalizedRespond, sigma: Float[Array, ""], difference: Difference
) -> Point:
    """The total gradient by differences of P in s.

    Each minimisation starts from the answer of the one before; the last one, of g itself, is
    the response that the point holds. On a flat g it stays next to where f drew the others: the
    tie goes to the level above.

    Arguments:
        respond: the answer to a game from a guess.
        sigma: σ.
        difference: which nodes, and their weights.
    """
    game, level, above, own = query.game, query.level, query.above, query.own
    nodes = sigma * jnp.asarray(difference.nodes, own.dtype)
    weights = jnp.asarray(difference.weights, own.dtype) / sigma

    def minimise(
        guess: Float[Array, " below"], node: Float[Array, ""]
    ) -> tuple[Array, tuple[Array, Array, Response]]:
        penalized = PenalizedGame(game, level, node)
        response = respond(penalized, guess)
        value, gradient = envelope_gradient(penalized, level, above, own, response.flat)
        return response.flat, (value, gradient, response)

    flat, (values, gradients, responses) = jax.lax.scan(minimise, query.guess, nodes)
    # The answer's derivative in s is the multiplier of implicit differentiation.
    return answered(
        query,
        summed(responses, flat),
        weights @ values,
        weights @ gradients,
        multipliers=weights @ responses.flat,
    )
