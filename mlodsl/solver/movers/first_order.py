"""An Optax optimiser: every step is taken, whatever it brings."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from mlodsl.calculus import optax_optimizer
from mlodsl.settings import OptimizerChoice
from mlodsl.strategies import Point

from .base import AbstractMover, Place, Proposal, State, Verdict, is_finite


class FirstOrder(AbstractMover):
    """Steps of an Optax optimiser, projected on the domain. The state is Optax's own."""

    choice: OptimizerChoice = eqx.field(static=True)
    constrained: bool = eqx.field(static=True, default=False)
    seed: int = eqx.field(static=True, default=0)
    needs_factor: ClassVar[bool] = False

    def start(self, own: Float[Array, " own"]) -> State:
        """The state that Optax starts with."""
        return optax_optimizer(self.choice, self.seed).init(own)

    def propose(self, place: Place, state: State, point: Point) -> Proposal:
        """The point after the optimiser's next step."""
        moved, _ = self.step(place, state, point)
        zero, none = jnp.zeros((), moved.dtype), jnp.array(0, jnp.int32)
        return Proposal(moved, place.keep_response(point), zero, none)

    def observe(
        self, place: Place, state: State, point: Point, trial: Point, proposal: Proposal
    ) -> Verdict:
        """Takes the step; only one that isn't finite is refused, and then it is stuck."""
        _, moved_state = self.step(place, state, point)
        good = is_finite(trial)
        return Verdict(moved_state, good, ~good)

    def is_near(
        self, place: Place, state: State, point: Point, goal: Float[Array, ""]
    ) -> Bool[Array, ""]:
        """It has no model of the level: always."""
        return jnp.array(True)

    def step(self, place: Place, state: State, point: Point) -> tuple[Float[Array, " own"], State]:
        """The point after the optimiser's next step, and its state there."""
        updates, state = optax_optimizer(self.choice, self.seed).update(
            point.gradient, state, point.own, value=point.value, grad=point.gradient
        )
        moved = optax.apply_updates(point.own, updates)
        return (place.project(moved) if self.constrained else moved), state
