"""Gradient descent with a step that is shortened where it is too long."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mlodsl.strategies import Point

from .base import AbstractMover, Place, Proposal, Verdict, is_good_trial

_SHARE = 0.1


class Descent(AbstractMover):
    """x ← x - τ ∇f, as lines 5 and 6 of Algorithm 2 of "On Finding Small Hyper-Gradients in
    Bilevel Optimization"; the state is the step.

    A τ that a constant estimated elsewhere makes too long is halved until the objective falls,
    and doubled again, up to τ, where it does.

    Arguments:
        rate: τ.
    """

    rate: float = eqx.field(static=True)
    needs_factor: ClassVar[bool] = False

    def start(self, own: Float[Array, " own"]) -> Float[Array, ""]:
        """τ itself."""
        return jnp.asarray(self.rate, own.dtype)

    def propose(self, place: Place, state: Float[Array, ""], point: Point) -> Proposal:
        """The point a step down the gradient."""
        decrease = state * (point.gradient @ point.gradient)
        moved = point.own - state * point.gradient
        none = jnp.array(0, jnp.int32)
        return Proposal(moved, place.keep_response(point), decrease, none)

    def observe(
        self, place: Place, state: Float[Array, ""], point: Point, trial: Point, proposal: Proposal
    ) -> Verdict:
        """Takes the step where the objective falls by a tenth of what the slope says."""
        accepted, _ = is_good_trial(point, trial, proposal.predicted, _SHARE)
        longest = jnp.asarray(self.rate, state.dtype)
        length = jnp.where(accepted, jnp.minimum(2 * state, longest), state / 2)
        eps = jnp.finfo(state.dtype).eps
        step = jnp.linalg.norm(trial.own - point.own)
        small = step <= 4 * eps * (1 + jnp.linalg.norm(point.own))
        return Verdict(length, accepted, ~accepted & small)

    def is_near(
        self, place: Place, state: Float[Array, ""], point: Point, goal: Float[Array, ""]
    ) -> Bool[Array, ""]:
        """It has no model of the level: always."""
        return jnp.array(True)
