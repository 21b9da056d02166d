"""L-BFGS on the total gradient with a backtracking line search, for large levels.

The direction is Optax's two-loop recursion; in a domain it is the projected gradient step of
the spectral length (Birgin, Martínez and Raydan 2000), which needs no memory.
"""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float

from mlodsl.modules import Record
from mlodsl.strategies import Point

from .base import AbstractMover, Place, Proposal, Verdict, is_good_trial

_SHARE = 1e-4


class LimitedMemoryState(Record):
    """The current direction, the length tried along it, and Optax's memory of past pairs."""

    direction: Float[Array, " own"]
    length: Float[Array, ""]
    memory: Any
    turned: Array


class LimitedMemory(AbstractMover):
    """L-BFGS with `memory` pairs.

    Arguments:
        constrained: whether the level has a domain.
        by_slopes: whether steps are judged by the gradients alone.
    """

    memory: int = eqx.field(static=True, default=10)
    constrained: bool = eqx.field(static=True, default=False)
    by_slopes: bool = eqx.field(static=True, default=False)
    needs_factor: ClassVar[bool] = False

    def start(self, own: Float[Array, " own"]) -> LimitedMemoryState:
        """No pairs yet."""
        return LimitedMemoryState(
            jnp.zeros_like(own),
            jnp.ones((), own.dtype),
            self._recursion().init(own),
            jnp.array(True),
        )

    def propose(self, place: Place, state: LimitedMemoryState, point: Point) -> Proposal:
        """The point at the current length along the direction, a new one after a good step."""
        direction, _ = self._direction(place, state, point)
        step = state.length * direction
        decrease = -(point.gradient @ step)
        none = jnp.array(0, jnp.int32)
        return Proposal(point.own + step, place.keep_response(point), decrease, none)

    def observe(
        self,
        place: Place,
        state: LimitedMemoryState,
        point: Point,
        trial: Point,
        proposal: Proposal,
    ) -> Verdict:
        """Turns to a new direction after a good trial; shortens the step after a poor one."""
        direction, memory = self._direction(place, state, point)
        accepted, actual = is_good_trial(
            point, trial, proposal.predicted, _SHARE, by_slopes=self.by_slopes
        )
        ratio = proposal.predicted / jnp.maximum(2 * (proposal.predicted - actual), 1e-300)
        shrink = jnp.where(jnp.isfinite(ratio), jnp.clip(ratio, 0.1, 0.5), 0.1)
        step = jnp.linalg.norm(proposal.own - point.own)
        eps = jnp.finfo(step.dtype).eps
        small = step <= 4 * eps * (1 + jnp.linalg.norm(point.own))
        return Verdict(
            LimitedMemoryState(
                direction, jnp.where(accepted, 1.0, state.length * shrink), memory, accepted
            ),
            accepted,
            ~accepted & small,
        )

    def is_near(
        self, place: Place, state: LimitedMemoryState, point: Point, goal: Float[Array, ""]
    ) -> Bool[Array, ""]:
        """Whether the full step from here is short; without pairs yet it says nothing."""
        direction, _ = self._direction(place, state, point)
        return jnp.linalg.norm(direction) <= goal * (1 + jnp.linalg.norm(point.own))

    def _recursion(self) -> optax.GradientTransformation:
        return optax.scale_by_lbfgs(memory_size=self.memory)

    def _direction(
        self, place: Place, state: LimitedMemoryState, point: Point
    ) -> tuple[Array, Any]:
        def turn() -> tuple[Array, Any]:
            scaled, memory = self._recursion().update(point.gradient, state.memory, point.own)
            if self.constrained:
                own, gradient = point.own, point.gradient
                step = own - state.memory.params
                change = gradient - state.memory.updates
                length = jnp.clip((step @ step) / (step @ change), 1e-10, 1e10)
                length = jnp.where(jnp.isfinite(length) & (step @ change > 0), length, 1.0)
                return place.project(own - length * gradient) - own, memory
            # A direction that doesn't descend (memory of a concave stretch) is replaced.
            descends = scaled @ point.gradient > 0
            return -jnp.where(descends, scaled, point.gradient), memory

        return jax.lax.cond(state.turned, turn, lambda: (state.direction, state.memory))
