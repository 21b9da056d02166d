"""Newton's method on the reduced problem of a level, in a trust region.

The Hessian is S_k, which anticipates the levels below, so the step is exact for quadratic
games, and indefinite S_k (a start beyond an inflection, a saddle) is no obstacle. Nocedal and
Wright, Numerical Optimization, chapter 4 and algorithm 7.2 (Steihaug's conjugate gradients).
"""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import (
    EliminatedFactor,
    FullFactor,
    Preconditioner,
    Spectrum,
    operators,
    truncated_conjugate_gradients,
)
from mlodsl.calculus.elimination import Product
from mlodsl.strategies import Point

from .base import AbstractMover, Place, Proposal, Verdict, is_finite, is_good_trial


class TrustRegionNewton(AbstractMover):
    """Newton steps within a radius; the state is the radius.

    Arguments:
        flat: whether a minimum that is flat in some directions is an answer as good as another.
    """

    flat: bool = eqx.field(static=True, default=False)
    needs_factor: ClassVar[bool] = True

    def start(self, own: Float[Array, " own"]) -> Float[Array, ""]:
        """A radius of the size of the point, at least 1."""
        return 1 + jnp.linalg.norm(own)

    def propose(self, place: Place, state: Float[Array, ""], point: Point) -> Proposal:
        """The minimiser of the quadratic model within the radius; the response follows it."""
        factor = point.factor
        assert factor is not None
        if isinstance(factor, FullFactor):
            step, predicted = _dense_step(factor.reduced, point.gradient, state)
            change = factor.tangent @ step
            products = jnp.array(0, jnp.int32)
        else:
            at = operators(
                place.game, place.level, place.above, point.flat, factor.below, place.plans
            )
            near = place.plans[place.level].preconditioner
            step, predicted, products = _step(
                factor, at.reduced, near, point.gradient, state, place.needed
            )
            change = at.tangent(step)
            products += 1 if change.size else 0
        guess = place.keep_response(point)
        return Proposal(point.own + step, guess + change[: guess.size], predicted, products)

    def observe(
        self,
        place: Place,
        state: Float[Array, ""],
        point: Point,
        trial: Point,
        proposal: Proposal,
    ) -> Verdict:
        """Doubles the radius after a good step at its edge, quarters it after a poor one."""
        eps = jnp.finfo(state.dtype).eps
        step = jnp.linalg.norm(proposal.own - point.own)
        accepted, actual = is_good_trial(point, trial, proposal.predicted, 1e-4)
        good = accepted & (actual >= 0.75 * proposal.predicted) & (step >= 0.9 * state)
        poor = ~accepted | (actual < 0.25 * proposal.predicted) & (step >= 0.5 * state)
        radius = jnp.where(good, 2.5 * state, jnp.where(poor, 0.25 * step, state))
        # Nothing is left to gain where even the predicted decrease is below rounding.
        drowned = (proposal.predicted <= 4 * eps * jnp.abs(point.value)) & is_finite(trial)
        tiny = step <= 4 * eps * (1 + jnp.linalg.norm(point.own))
        stuck = ~accepted & (tiny | drowned)
        return Verdict(jnp.maximum(radius, jnp.finfo(state.dtype).tiny), accepted, stuck)

    def is_near(
        self, place: Place, state: Float[Array, ""], point: Point, goal: Float[Array, ""]
    ) -> Bool[Array, ""]:
        """Whether the full Newton step is short, where S_k is kept as a matrix.

        Where a gradient fades out without a minimum (towards infinity, as in exp(-x)) it isn't,
        however small the gradient. A flat direction, with neither, is no obstacle.
        """
        factor = point.factor
        assert factor is not None
        spectrum = factor.reduced
        if spectrum is None:
            return jnp.array(True)
        curved = jnp.abs(spectrum.curvatures) > spectrum.floor
        along = spectrum.axes.T @ point.gradient
        step = jnp.where(curved, along / jnp.where(curved, spectrum.curvatures, 1), 0)
        short = jnp.linalg.norm(step) <= 1e-4 * (1 + jnp.linalg.norm(point.own))
        return short & jnp.all(curved | (jnp.abs(along) <= (goal if self.flat else 0)))


def _step(
    factor: EliminatedFactor,
    reduced: Product,
    near: Preconditioner | None,
    gradient: Float[Array, " own"],
    radius: Float[Array, ""],
    needed: float | Float[Array, ""],
) -> tuple[Float[Array, " own"], Float[Array, ""], Int[Array, ""]]:
    if factor.reduced is not None:
        return *_dense_step(factor.reduced, gradient, radius), jnp.array(0, jnp.int32)
    # The forcing term makes the outer convergence superlinear (Nocedal and Wright, section 7.1);
    # nothing is gained by a residual far below what the gradient's norm has to be.
    size = jnp.linalg.norm(gradient)
    eps = jnp.finfo(gradient.dtype).eps
    goal = size * jnp.maximum(jnp.minimum(0.1, jnp.sqrt(size)), 10 * eps)
    goal = jnp.maximum(goal, 0.5 * needed)
    precondition = None if near is None else near.apply
    return truncated_conjugate_gradients(reduced, -gradient, radius, goal, precondition)


def _dense_step(
    spectrum: Spectrum, gradient: Float[Array, " own"], radius: Float[Array, ""]
) -> tuple[Float[Array, " own"], Float[Array, ""]]:
    """The minimiser of the model within the radius, and the decrease it predicts.

    p(μ) = -(S + μ I)⁻¹ g with the least μ ≥ 0 that makes S + μ I positive definite and p no
    longer than the radius, by bisection on what μ exceeds the least shift by (μ itself would
    swallow it: it may be many orders of magnitude smaller). Where the gradient has no part along
    the most negative curvature (the hard case: a maximum or a saddle met exactly), the step is
    completed along it to the radius.
    """
    curvatures, axes, floor = spectrum.curvatures, spectrum.axes, spectrum.floor
    along = axes.T @ gradient
    # Rounding of the gradient, divided by no curvature, would walk along a flat valley.
    rounding = (jnp.abs(curvatures) <= floor) & (jnp.abs(along) <= floor * jnp.maximum(1, radius))
    along = jnp.where(rounding, 0, along)
    shifted = jnp.where(curvatures[0] > floor, curvatures, curvatures - curvatures[0] + floor)

    def length(excess: Array) -> Array:
        return jnp.linalg.norm(along / (shifted + excess))

    def halve(_: int, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bounds
        middle = jnp.sqrt(low * high)
        too_long = length(middle) > radius
        return jnp.where(too_long, middle, low), jnp.where(too_long, high, middle)

    bounds = (1e-3 * floor, jnp.linalg.norm(gradient) / radius + floor)
    _, high = jax.lax.fori_loop(0, 40, halve, bounds)
    inside = -along / (shifted + jnp.where(length(jnp.zeros_like(high)) > radius, high, 0))
    others = jnp.sum(inside[1:] ** 2)
    edge = jnp.sqrt(jnp.maximum(radius**2 - others, 0)) * jnp.where(along[0] > 0, -1.0, 1.0)
    negative = (curvatures[0] < -floor) & (jnp.linalg.norm(inside) < 0.9 * radius)
    inside = inside.at[0].set(jnp.where(negative, edge, inside[0]))
    predicted = -(along @ inside + 0.5 * jnp.sum(curvatures * inside**2))
    return axes @ inside, predicted
