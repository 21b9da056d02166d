"""BFGS on the total gradient with a backtracking line search.

The inverse of B, the approximate Hessian, follows the BFGS formula with Powell's damping (Nocedal
and Wright, Numerical Optimization, equation (6.17) and procedure 18.2); a step takes a product with
it. Memory grows with the square of the level's size.
"""

from __future__ import annotations

import abc
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mlodsl.modules import Record
from mlodsl.strategies import Point

from .base import AbstractMover, Place, Proposal, Verdict, is_good_trial

_SHARE = 1e-4

# The least ratio of curvatures that is believed.
_LEAST = 0.01

# So many times the tolerance on the gradient the step that is left may be, relative to 1 + the
# size of the point.
_NEAR = 10


class QuasiNewtonState(Record):
    """B or its inverse, the length tried along the current direction, and from how many steps B
    was learnt."""

    matrix: Float[Array, "own own"]
    length: Float[Array, ""]
    pairs: Int[Array, ""]

    @property
    def learnt(self) -> Bool[Array, ""]:
        """Whether B has learnt anything."""
        return self.pairs > 0


class AbstractQuasiNewton(AbstractMover):
    """Steps along -B⁻¹ g, or where a domain lets them go.

    Arguments:
        by_slopes: whether steps are judged by the gradients alone.
    """

    by_slopes: eqx.AbstractVar[bool]
    needs_factor: ClassVar[bool] = False

    @abc.abstractmethod
    def direction(
        self, place: Place, state: QuasiNewtonState, point: Point
    ) -> Float[Array, " own"]:
        """The full step from a point."""

    @abc.abstractmethod
    def learn(
        self,
        state: QuasiNewtonState,
        point: Point,
        step: Float[Array, " own"],
        change: Float[Array, " own"],
    ) -> Float[Array, "own own"]:
        """The matrix after a step s from the point and a change y of the gradient.

        The first pair scales B to yᵀy / sᵀy. Where sᵀy is not positive, the level is concave
        along s: B is made smaller, so that steps lengthen until it isn't.
        """

    def start(self, own: Float[Array, " own"]) -> QuasiNewtonState:
        """The identity: the first step is the gradient's, cut to the size of the point."""
        return QuasiNewtonState(
            jnp.eye(own.size, dtype=own.dtype), jnp.ones((), own.dtype), jnp.array(0, jnp.int32)
        )

    def propose(self, place: Place, state: QuasiNewtonState, point: Point) -> Proposal:
        """The point at the current length along the direction."""
        step = state.length * self.direction(place, state, point)
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
        learnt = self.learn(state, point, step, change)
        # The minimiser of the parabola through the value, the slope and the trial's value.
        ratio = proposal.predicted / jnp.maximum(2 * (proposal.predicted - actual), 1e-300)
        shrink = jnp.where(jnp.isfinite(ratio), jnp.clip(ratio, 0.1, 0.5), 0.1)
        length = jnp.where(accepted, 1.0, state.length * shrink)
        eps = jnp.finfo(step.dtype).eps
        small = jnp.linalg.norm(step) <= 4 * eps * (1 + jnp.linalg.norm(point.own))
        return Verdict(
            QuasiNewtonState(
                jnp.where(accepted, learnt, state.matrix),
                length,
                state.pairs + accepted.astype(jnp.int32),
            ),
            accepted,
            ~accepted & small,
        )

    def is_near(
        self, place: Place, state: QuasiNewtonState, point: Point, goal: Float[Array, ""]
    ) -> Bool[Array, ""]:
        """Whether the full step from here is short, by a B that has learnt something."""
        step = jnp.linalg.norm(self.direction(place, state, point))
        still = jnp.all(point.own == place.project(point.own - point.gradient))
        return still | (state.learnt & (step <= _NEAR * goal * (1 + jnp.linalg.norm(point.own))))


class QuasiNewton(AbstractQuasiNewton):
    """Dense BFGS on the inverse of B."""

    by_slopes: bool = eqx.field(static=True, default=False)

    def direction(
        self, place: Place, state: QuasiNewtonState, point: Point
    ) -> Float[Array, " own"]:
        """-B⁻¹ g; cut, where B isn't learnt yet."""
        return -first_cut(state, point) * (state.matrix @ point.gradient)

    def learn(
        self,
        state: QuasiNewtonState,
        point: Point,
        step: Float[Array, " own"],
        change: Float[Array, " own"],
    ) -> Float[Array, "own own"]:
        """The rank-two formula for the inverse; B s is the gradient, but for the step's length."""
        first, scale = first_pair(state, step, change)
        unit = jnp.eye(step.size, dtype=step.dtype)
        inverse = jnp.where(first, unit / jnp.where(first, scale, 1), state.matrix)
        image = jnp.where(first, scale * step, -state.length * point.gradient)
        shrunk, damped = rescaled(state, step, change, image)
        inverse = inverse / shrunk
        share = 1 / (step @ damped)
        ahead = inverse @ damped
        along = share * (1 + share * (damped @ ahead))
        cross = jnp.outer(step, ahead)
        updated = inverse - share * (cross + cross.T) + along * jnp.outer(step, step)
        updated = jnp.where(step @ change <= 0, 4 * state.matrix, updated)
        return jnp.where(jnp.all(jnp.isfinite(updated)), updated, state.matrix)


def first_cut(state: QuasiNewtonState, point: Point) -> Float[Array, ""]:
    """What a direction is shortened by: where B isn't learnt yet, to the size of the point."""
    length = jnp.maximum(jnp.linalg.norm(point.gradient), 1e-30)
    cut = jnp.minimum(1.0, (1 + jnp.linalg.norm(point.own)) / length)
    return jnp.where(state.learnt, 1.0, cut)


def first_pair(
    state: QuasiNewtonState, step: Float[Array, " own"], change: Float[Array, " own"]
) -> tuple[Bool[Array, ""], Float[Array, ""]]:
    """Whether s and y are the first pair that B learns from, and its scale then: yᵀy / sᵀy."""
    curvature = step @ change
    first = ~state.learnt & (curvature > 0)
    return first, (change @ change) / jnp.where(curvature > 0, curvature, 1)


def rescaled(
    state: QuasiNewtonState,
    step: Float[Array, " own"],
    change: Float[Array, " own"],
    image: Float[Array, " own"],
) -> tuple[Float[Array, ""], Float[Array, " own"]]:
    """What B is multiplied by before it learns from s and y, and y damped.

    The first pair gives B the largest of the curvatures that it met, for all directions. While
    there are directions of which nothing is learnt, B is made smaller wherever it overestimates
    the curvature along s: by sᵀy / sᵀB s (Al-Baali 1998), or the root of that, by which fewer full
    steps are refused. Where sᵀy is small beside sᵀB s still, y is mixed with B s (Nocedal and
    Wright, equation (18.15)).

    Arguments:
        image: B s.
    """
    curvature, modelled = step @ change, step @ image
    ratio = curvature / jnp.where(modelled > 0, modelled, 1)
    early = (curvature > 0) & (state.pairs < step.size)
    shrunk = jnp.sqrt(jnp.clip(jnp.where(early, ratio, 1), _LEAST, 1))
    image, modelled = shrunk * image, shrunk * modelled
    kept = jnp.where(
        curvature < 0.2 * modelled, 0.8 * modelled / jnp.maximum(modelled - curvature, 1e-300), 1.0
    )
    return shrunk, kept * change + (1 - kept) * image
