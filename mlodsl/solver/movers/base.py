"""How a level moves: proposes the next point, then learns what was found there.

One evaluation of the level a turn, so a loop over turns holds the solve of the levels below
once, and the code of a nest of levels grows with their number and no faster.
"""

from __future__ import annotations

import abc
from typing import Any, TypeAlias

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import EliminationPlan, Game, Vectors
from mlodsl.modules import Record
from mlodsl.strategies import Point

State: TypeAlias = Any


class Place(Record):
    """Where a mover stands: the game, its level, the choices above, the linear solves.

    `needed` is the norm of the gradient that is small enough; 0 where that isn't said.
    """

    game: Game
    level: int = eqx.field(static=True)
    above: Vectors
    plans: tuple[EliminationPlan, ...]
    needed: float | Float[Array, ""] = 0.0

    def project(self, own: Float[Array, " own"]) -> Float[Array, " own"]:
        """The nearest point of the level's domain."""
        return self.game.project(self.level, own)

    def keep_response(self, point: Point) -> Float[Array, " below"]:
        """The levels below as they answered last: a first guess for the next point."""
        own = self.game.sizes[self.level]
        return point.flat[own : own + (point.flat.size - own) // 2]


class Proposal(Record):
    """The next point to evaluate, a guess of the response there, and what `observe` needs.

    `products` counts the products with the level's Hessian that the proposal took.
    """

    own: Float[Array, " own"]
    guess: Float[Array, " below"]
    predicted: Float[Array, ""]
    products: Int[Array, ""]


class Verdict(Record):
    """What a mover makes of an evaluated proposal."""

    state: State
    accepted: Bool[Array, ""]
    stuck: Bool[Array, ""]


class AbstractMover(Record):
    """How a level moves. `needs_factor`: whether it wants K_k at each point."""

    needs_factor: eqx.AbstractClassVar[bool]

    @abc.abstractmethod
    def start(self, own: Float[Array, " own"]) -> State:
        """The state before the first point was evaluated."""

    @abc.abstractmethod
    def propose(self, place: Place, state: State, point: Point) -> Proposal:
        """The next point to evaluate, from the point accepted last."""

    @abc.abstractmethod
    def observe(
        self, place: Place, state: State, point: Point, trial: Point, proposal: Proposal
    ) -> Verdict:
        """Accepts the trial or refuses it."""

    @abc.abstractmethod
    def is_near(
        self, place: Place, state: State, point: Point, goal: Float[Array, ""]
    ) -> Bool[Array, ""]:
        """Whether the mover's own model puts the minimum near the point.

        Arguments:
            goal: the level's tolerance; a relative distance of that size is near enough.
        """


def is_finite(point: Point) -> Bool[Array, ""]:
    """Whether value and gradient are numbers."""
    return jnp.isfinite(point.value) & jnp.all(jnp.isfinite(point.gradient))


def is_good_trial(
    point: Point,
    trial: Point,
    decrease: Float[Array, ""],
    share: float,
    *,
    by_slopes: bool = False,
) -> tuple[Bool[Array, ""], Float[Array, ""]]:
    """Whether a trial decreased the value by `share` of what was hoped for, and by how much.

    Where the hoped-for decrease drowns in the rounding of the value, the slopes at both ends
    tell it: -½ (g + g₊)·s, exact for a quadratic (the idea of Hager and Zhang's approximate
    Wolfe conditions).

    Arguments:
        by_slopes: whether slopes decide always, since the gradient isn't the value's derivative.
    """
    eps = jnp.finfo(point.value.dtype).eps
    actual = point.value - trial.value
    size = jnp.abs(point.value) + jnp.abs(trial.value)
    drowned = (decrease <= jnp.sqrt(eps) * size) & (jnp.abs(actual) <= jnp.sqrt(eps) * size)
    from_slopes = -((point.gradient + trial.gradient) @ (trial.own - point.own)) / 2
    actual = jnp.where(drowned | by_slopes, from_slopes, actual)
    enough = (actual >= share * decrease) & (actual > 0)
    return is_finite(trial) & enough, actual
