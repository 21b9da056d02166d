"""BFGS on the total gradient with a backtracking line search, within a convex domain.

The direction minimises the quadratic model g·d + ½ d·B d over the domain (the projected
quasi-Newton method of Schmidt, van den Berg, Friedlander and Murphy, 2009); without a domain it
is -B⁻¹ g. B follows the BFGS formula with Powell's damping (Nocedal and Wright, Numerical
Optimization, procedure 18.2). Memory grows with the square of the level's size.
"""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mlodsl.modules import Record
from mlodsl.strategies import Point

from .base import AbstractMover, Place, Proposal, Verdict, is_good_trial

_SHARE = 1e-4
_SUBPROBLEM_STEPS = 2000

# So many times the tolerance on the gradient the step that is left may be, relative to 1 + the
# size of the point.
_NEAR = 10


class QuasiNewtonState(Record):
    """B, the length tried along the current direction, and whether B was learnt yet."""

    hessian: Float[Array, "own own"]
    length: Float[Array, ""]
    learnt: Bool[Array, ""]


class QuasiNewton(AbstractMover):
    """Dense BFGS.

    Arguments:
        constrained: whether the level has a domain.
        by_slopes: whether steps are judged by the gradients alone.
    """

    constrained: bool = eqx.field(static=True, default=False)
    by_slopes: bool = eqx.field(static=True, default=False)
    needs_factor: ClassVar[bool] = False

    def start(self, own: Float[Array, " own"]) -> QuasiNewtonState:
        """The identity: the first step is the gradient's, cut to the size of the point."""
        return QuasiNewtonState(
            jnp.eye(own.size, dtype=own.dtype), jnp.ones((), own.dtype), jnp.array(False)
        )

    def propose(self, place: Place, state: QuasiNewtonState, point: Point) -> Proposal:
        """The point at the current length along the direction."""
        step = state.length * self._direction(place, state, point)
        decrease = -(point.gradient @ step)
        none = jnp.array(0, jnp.int32)
        return Proposal(point.own + step, place.keep_response(point), decrease, none)

    def observe(
        self,
        place: Place,
        state: QuasiNewtonState,
        point: Point,
        trial: Point,
        proposal: Proposal,
    ) -> Verdict:
        """Updates B after a good trial; halves the length (or more) after a poor one."""
        accepted, actual = is_good_trial(
            point, trial, proposal.predicted, _SHARE, by_slopes=self.by_slopes
        )
        step = trial.own - point.own
        change = trial.gradient - point.gradient
        learnt = _update(state, step, change)
        # The minimiser of the parabola through the value, the slope and the trial's value.
        ratio = proposal.predicted / jnp.maximum(2 * (proposal.predicted - actual), 1e-300)
        shrink = jnp.where(jnp.isfinite(ratio), jnp.clip(ratio, 0.1, 0.5), 0.1)
        length = jnp.where(accepted, 1.0, state.length * shrink)
        eps = jnp.finfo(step.dtype).eps
        small = jnp.linalg.norm(step) <= 4 * eps * (1 + jnp.linalg.norm(point.own))
        return Verdict(
            QuasiNewtonState(
                jnp.where(accepted, learnt, state.hessian), length, state.learnt | accepted
            ),
            accepted,
            ~accepted & small,
        )

    def is_near(
        self, place: Place, state: QuasiNewtonState, point: Point, goal: Float[Array, ""]
    ) -> Bool[Array, ""]:
        """Whether the full step from here is short, by a B that has learnt something."""
        step = jnp.linalg.norm(self._direction(place, state, point))
        still = jnp.all(point.own == place.project(point.own - point.gradient))
        return still | (state.learnt & (step <= _NEAR * goal * (1 + jnp.linalg.norm(point.own))))

    def _direction(
        self, place: Place, state: QuasiNewtonState, point: Point
    ) -> Float[Array, " own"]:
        gradient = point.gradient
        cut = (1 + jnp.linalg.norm(point.own)) / jnp.maximum(jnp.linalg.norm(gradient), 1e-30)
        hessian = jnp.where(state.learnt, state.hessian, state.hessian / jnp.minimum(1.0, cut))
        if self.constrained:
            return _constrained(hessian, gradient, point.own, place)
        return -jnp.linalg.solve(hessian, gradient)


def _update(
    state: QuasiNewtonState, step: Float[Array, " own"], change: Float[Array, " own"]
) -> Float[Array, "own own"]:
    """B after the step s with gradient change y.

    The first pair scales B to yᵀy / sᵀy. Where sᵀy is not positive, the level is concave
    along s: B is made smaller, so that steps lengthen until it isn't.
    """
    curvature = step @ change
    square = jnp.where(curvature > 0, curvature, 1)
    identity = jnp.eye(step.size, dtype=step.dtype)
    scale = (change @ change) / square
    hessian = jnp.where(state.learnt | (curvature <= 0), state.hessian, scale * identity)
    image = hessian @ step
    modelled = step @ image
    kept = jnp.where(
        curvature < 0.2 * modelled, 0.8 * modelled / jnp.maximum(modelled - curvature, 1e-300), 1.0
    )
    damped = kept * change + (1 - kept) * image
    updated = (
        hessian - jnp.outer(image, image) / modelled + jnp.outer(damped, damped) / (step @ damped)
    )
    concave = curvature <= 0
    updated = jnp.where(concave, state.hessian / 4, updated)
    return jnp.where(jnp.all(jnp.isfinite(updated)), updated, state.hessian)


def _constrained(
    hessian: Float[Array, "own own"],
    gradient: Float[Array, " own"],
    own: Float[Array, " own"],
    place: Place,
) -> Float[Array, " own"]:
    """The minimiser of the model over the domain, less the point.

    The unconstrained one where it lies inside, else accelerated projected gradients with
    restarts (Beck and Teboulle 2009; O'Donoghue and Candès 2015) on the model alone.
    """
    free = -jnp.linalg.solve(hessian, gradient)
    inside = jnp.all(place.project(own + free) == own + free)
    largest = jnp.linalg.norm(hessian, ord=2)
    residual = jnp.linalg.norm(place.project(own - gradient) - own)
    goal = jnp.minimum(1e-3, residual) * residual / jnp.maximum(largest, 1.0)

    def slope(at: Array) -> Array:
        return gradient + hessian @ (at - own)

    def once(
        carry: tuple[Array, Array, Array, Array, Array],
    ) -> tuple[Array, Array, Array, Array, Array]:
        current, ahead, momentum, count, _ = carry
        moved = place.project(ahead - slope(ahead) / largest)
        restart = (ahead - moved) @ (moved - current) > 0
        grown = (1 + jnp.sqrt(1 + 4 * momentum**2)) / 2
        grown = jnp.where(restart, 1.0, grown)
        beyond = jnp.where(restart, 0.0, (momentum - 1) / grown)
        shift = jnp.linalg.norm(moved - ahead)
        return moved, moved + beyond * (moved - current), grown, count + 1, shift

    def proceed(carry: tuple[Array, Array, Array, Array, Array]) -> Array:
        return (carry[4] > goal) & (carry[3] < _SUBPROBLEM_STEPS) & ~inside

    one = jnp.ones((), own.dtype)
    start = (own, own, one, jnp.array(0), jnp.array(jnp.inf, own.dtype))
    best = jax.lax.while_loop(proceed, once, start)[0]
    return jnp.where(inside, free, best - own)
