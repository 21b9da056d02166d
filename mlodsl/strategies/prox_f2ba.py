"""Prox-F²BA: F²BA whose minimisations are proximal point iterations."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.calculus import Game, ProximalGame

from .base import AbstractStrategy, Point, Query, Respond, Response
from .penalty import DIFFERENCES, penalized_point


class ProximalFirstOrderBilevel(AbstractStrategy):
    """F²BA with y ← argmin_z h_σ(x, z) + ‖z - y‖² / (2 ρ), repeated, for both minimisations.

    The method of Kwon et al. (2024) as "On Finding Small Hyper-Gradients in Bilevel Optimization"
    names it (Appendix D, Assumption D.1). Each proximal problem is strongly convex where
    ρ < 1 / L_g, also for a nonconvex or flat lower objective. The iterations contract by
    1 / (1 + ρ μ).

    Arguments:
        sigma: σ, the weight of the upper objective.
        rho: ρ, the length of a proximal step.
        steps: proximal steps at most, for each minimisation.
    """

    sigma: Float[Array, ""]
    rho: Float[Array, ""]
    steps: int = eqx.field(static=True, default=1000)
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
        rho = jnp.asarray(self.rho, query.own.dtype)
        here = (*query.above, query.own)
        size = query.game.sizes[query.level + 1]
        tolerance = sigma * query.accuracy
        eps = jnp.finfo(query.own.dtype).eps

        def answer(game: Game, guess: Float[Array, " below"]) -> Response:
            def step(flat: Array) -> Response:
                near = ProximalGame(game, query.level + 1, flat[:size], rho)
                return respond(near, query.level + 1, here, flat, tolerance, with_factor=False)

            def once(carry: tuple[Response, Array, Array]) -> tuple[Response, Array, Array]:
                response, count, _ = carry
                found = step(response.flat)
                moved = jnp.linalg.norm(found.flat[:size] - response.flat[:size])
                total = Response(
                    found.flat,
                    None,
                    found.outcomes,
                    response.evaluations + found.evaluations,
                    response.products + found.products,
                )
                return total, count + 1, moved

            def proceed(carry: tuple[Response, Array, Array]) -> Array:
                response, count, moved = carry
                # ‖moved‖ / ρ is the norm of the gradient of h_σ at the new point.
                rounding = 10 * eps * (1 + jnp.linalg.norm(response.flat[:size]))
                return (moved > jnp.maximum(tolerance * rho, rounding)) & (count < self.steps)

            none = jnp.zeros(len(game.sizes), jnp.int32)
            start = (
                Response(guess, None, none, none, none),
                jnp.array(0, jnp.int32),
                jnp.array(jnp.inf, guess.dtype),
            )
            return jax.lax.while_loop(proceed, once, start)[0]

        return penalized_point(query, answer, sigma, DIFFERENCES["one_sided"])
