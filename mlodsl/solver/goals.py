"""How exact each level's gradient has to be, and how exact it is."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mlodsl.calculus import split
from mlodsl.strategies import Point

from .nest import LevelPlan, Nest

# The residual that linear solves may leave, relative to the right-hand side: in terms of the
# tolerance on the gradient, and at most.
_LOOSE, _LOOSEST = 0.2, 1e-3

# The tolerance on a gradient of the top level relative to the norm of the last one, and the error
# that it may then have.
_SHARE, _LEFT = 0.1, 0.1

ROUNDINGS = 50
"""A residual of so many roundings of 1 counts as none."""


def loose_solves(nest: Nest, tolerance: Float[Array, ""]) -> float | Float[Array, ""]:
    """The relative residual that linear solves may leave in a gradient to that tolerance."""
    return jnp.minimum(_LOOSE * tolerance, _LOOSEST) if nest.adapts else 0.0


def error_left(tolerance: Float[Array, ""]) -> Float[Array, ""]:
    """The error of a gradient of the top level that was computed to that tolerance."""
    return _LEFT * tolerance


def needed_next(
    nest: Nest, turns: Int[Array, ""], point: Point, goal: Float[Array, ""]
) -> Float[Array, ""]:
    """How exact the top level's next gradient has to be.

    Where the nest adapts: a share of the last one's norm, until that is within the goal.
    """
    if nest.adapts:
        last = jnp.where(turns == 0, 1.0, residual(nest, 0, point))
        goal = jnp.maximum(goal, _SHARE * jnp.minimum(last, 1))
    return needed_below(nest, 0, point, goal)


def level_goal(plan: LevelPlan, tolerance: Float[Array, ""]) -> Float[Array, ""]:
    """The tolerance of a level: its own, or what is needed."""
    return tolerance if plan.tolerance is None else jnp.asarray(plan.tolerance, tolerance.dtype)


def needed_below(nest: Nest, level: int, point: Point, goal: Float[Array, ""]) -> Float[Array, ""]:
    """The goal of a level, less where residuals below it weigh more than once in its value.

    By the adjoint equation a residual r of the levels below changes the value by ⟨m, r⟩.
    """
    _, _, multipliers = split(nest.game.sizes, level, point.flat)
    weight = jnp.linalg.norm(multipliers)
    return goal / jnp.where(jnp.isfinite(weight), jnp.maximum(1, weight), 1)


def rounding(point: Point) -> Float[Array, ""]:
    """What the gradient's rounding allows; less where the objective is written in small units.

    Levels above may be in much larger units, and need an answer as exact as can be.
    """
    eps = jnp.finfo(point.own.dtype).eps
    scale = jnp.ones((), point.own.dtype)
    if point.factor is not None and point.factor.reduced is not None:
        largest = jnp.max(jnp.abs(point.factor.reduced.curvatures), initial=0.0)
        scale = jnp.minimum(scale, largest * (1 + jnp.linalg.norm(point.own)))
    return ROUNDINGS * eps * scale


def residual(nest: Nest, level: int, point: Point) -> Float[Array, ""]:
    """The norm of the total gradient g, in a domain of x - proj(x - g)."""
    if not nest.plans[level].constrained:
        return jnp.linalg.norm(point.gradient)
    return jnp.linalg.norm(point.own - nest.game.project(level, point.own - point.gradient))
