"""BFGS on the total gradient within a convex domain.

The direction minimises the quadratic model g·d + ½ d·B d over the domain (the projected
quasi-Newton method of Schmidt, van den Berg, Friedlander and Murphy, 2009).
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.strategies import Point

from .base import Place
from .quasi_newton import AbstractQuasiNewton, QuasiNewtonState, first_cut, first_pair, rescaled

_SUBPROBLEM_STEPS = 2000


class ProjectedQuasiNewton(AbstractQuasiNewton):
    """Dense BFGS on B itself, which the model over the domain needs."""

    by_slopes: bool = eqx.field(static=True, default=False)

    def direction(
        self, place: Place, state: QuasiNewtonState, point: Point
    ) -> Float[Array, " own"]:
        """To the minimiser of the model over the domain; B is enlarged where it isn't learnt."""
        hessian = state.matrix / first_cut(state, point)
        return _constrained(hessian, point.gradient, point.own, place)

    def learn(
        self,
        state: QuasiNewtonState,
        point: Point,
        step: Float[Array, " own"],
        change: Float[Array, " own"],
    ) -> Float[Array, "own own"]:
        """The rank-two formula for B."""
        first, scale = first_pair(state, step, change)
        unit = jnp.eye(step.size, dtype=step.dtype)
        hessian = jnp.where(first, scale * unit, state.matrix)
        image = hessian @ step
        shrunk, damped = rescaled(state, step, change, image)
        hessian, image = shrunk * hessian, shrunk * image
        along = jnp.outer(damped, damped) / (step @ damped)
        updated = hessian - jnp.outer(image, image) / (step @ image) + along
        updated = jnp.where(step @ change <= 0, state.matrix / 4, updated)
        return jnp.where(jnp.all(jnp.isfinite(updated)), updated, state.matrix)


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
