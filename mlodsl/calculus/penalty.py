"""Games with one level's objective changed: the level above mixed in, or a proximal term.

With f the upper and g the lower objective, penalty methods minimise h_σ = σ f + g in the lower
variables; φ_σ(x) = (min_y h_σ - min_y g) / σ tends to the upper objective at the best response
(equation (6) of "On Finding Small Hyper-Gradients in Bilevel Optimization").
"""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.modules import Record

from .lagrangian import Game, Vectors


class PenalizedGame(Record):
    """`game` with σ f_k + f_{k+1} as the objective of level k + 1; with σ = 0 the game itself.

    Arguments:
        level: k, the level that is mixed in.
        sigma: σ; a traced number, so that one compiled solve serves several.
    """

    game: Game
    level: int = eqx.field(static=True)
    sigma: Float[Array, ""]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of variables of each level, top first."""
        return self.game.sizes

    def objective(self, level: int, vectors: Vectors) -> Float[Array, ""]:
        """The objective of a level, in the sense of a minimisation."""
        value = self.game.objective(level, vectors)
        if level != self.level + 1:
            return value
        return value + self.sigma * self.game.objective(self.level, vectors)

    def project(self, level: int, vector: Float[Array, " own"]) -> Float[Array, " own"]:
        """The nearest point of the level's domain."""
        return self.game.project(level, vector)


class ProximalGame(Record):
    """`game` with ‖x_k - centre‖² / (2 ρ) added to the objective of level k.

    Arguments:
        level: k.
        centre: where the proximal term is zero.
        rho: ρ, the larger the weaker the term.
    """

    game: Game
    level: int = eqx.field(static=True)
    centre: Float[Array, " own"]
    rho: Float[Array, ""]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of variables of each level, top first."""
        return self.game.sizes

    def objective(self, level: int, vectors: Vectors) -> Float[Array, ""]:
        """The objective of a level, in the sense of a minimisation."""
        value = self.game.objective(level, vectors)
        if level != self.level:
            return value
        return value + jnp.sum((vectors[level] - self.centre) ** 2) / (2 * self.rho)

    def project(self, level: int, vector: Float[Array, " own"]) -> Float[Array, " own"]:
        """The nearest point of the level's domain."""
        return self.game.project(level, vector)
