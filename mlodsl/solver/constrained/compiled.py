"""The compiled functions behind `Functions`: values, derivatives, and answers that are followed.

A context is the vectors of the levels above, and that of the own level with what others choose.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from mlodsl.modules import Problem

from ..compiling import compiled
from . import system
from .place import BELOW, Place
from .system import Masks, Vectors

_NEWTON_STEPS = 8


def _unpacked(place: Place, context: Any, z: Any) -> tuple[Vectors, Any]:
    """The vectors of the own level and those above, and w."""
    above, level_vector = context
    if place.own is None:
        return above, z
    own = place.own.players[place.player].own
    return (*above, jnp.asarray(level_vector).at[own].set(z[: place.size])), z[place.size :]


def parts_of(problem: Problem, place: Place, context: Any, z: Any, masks: Masks) -> list[Array]:
    """The values of all parts, in the order of `place`."""
    here, w = _unpacked(place, context, z)
    vectors = (*here, *system.choices(place.below, w))
    duals = system.duals_of(problem, place.below, here, w)
    empty = jnp.zeros(0, z.dtype)
    own = [jnp.zeros((), z.dtype), empty, empty]
    if place.own is not None:
        at_most, equal = system.constraints(problem, place.own, place.player, vectors, duals)
        own = [problem.objective(place.level, vectors, place.player, duals), at_most, equal]
    if place.below is None:
        return [*own, empty, empty, empty, empty]
    below = system.below_of(place.below, w)
    lower = system.duals_of(problem, place.below.below, (*here, w[: place.below.size]), below)
    objectives = [
        problem.objective(place.below.level, vectors, index, lower)
        for index in range(len(place.below.players))
    ]
    return [*own, jnp.stack(objectives), *system.system(problem, place.below, here, w, masks)]


@compiled
def objectives(problem: Problem, place: Place, context: Any, z: Any) -> Array:
    """The objectives of all levels and players, top first."""
    above, w = _unpacked(place, context, z)
    shape = place.below
    vectors = (*above, *system.choices(shape, w))
    found = []
    for level in range(problem.number_of_levels):
        if shape is not None and level >= shape.level:
            w, shape = system.below_of(shape, w), shape.below
        duals = system.duals_of(problem, shape, vectors[: level + 1], w)
        for player in range(len(problem.structure.players(level))):
            found.append(problem.objective(level, vectors, player, duals))
    return jnp.stack(found)


@compiled
def values_and_slopes(problem: Problem, place: Place, context: Any, z: Any, masks: Masks) -> Array:
    """A row for each value of each part: its derivatives in z, and itself."""

    def parts(z: Array) -> Array:
        objective, *others = parts_of(problem, place, context, z, masks)
        return jnp.concatenate([objective[None], *others])

    return jnp.concatenate([jax.jacfwd(parts)(z), parts(z)[:, None]], axis=1)


@compiled
def many(problem: Problem, place: Place, context: Any, xs: Any) -> tuple[Array, Array]:
    """F at many x, and how far each is from feasible."""

    def one(x: Array) -> tuple[Array, Array]:
        value, at_most, equal, *_ = parts_of(problem, place, context, x, ())
        violation = jnp.sum(jnp.maximum(at_most, 0)) + jnp.sum(jnp.abs(equal))
        return value, violation

    return jax.vmap(one)(xs)


@compiled
def follow(
    problem: Problem, place: Place, context: Any, z: Any, masks: Masks
) -> tuple[Array, Array, Array]:
    """See `Functions.follow`."""
    shape = place.below
    assert shape is not None, "there is a level below"
    x, start = z[: place.size], z[place.size :]

    def conditions(w: Array) -> tuple[Array, Array]:
        here, _ = _unpacked(place, context, jnp.concatenate([x, w]))
        return system.conditions(problem, shape, here, w, masks)

    def once(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        count, w, _ = state
        matrix = jax.jacfwd(lambda point: conditions(point)[0])(w)
        right = conditions(w)[0]
        step = jnp.linalg.solve(matrix, right)
        # Multipliers that aren't unique: the least ones.
        least = functools.partial(jnp.linalg.lstsq, rcond=1e-12)
        step = jax.lax.cond(
            jnp.all(jnp.isfinite(step)), lambda: step, lambda: least(matrix, right)[0]
        )
        return count + 1, w - step, jnp.linalg.norm(step) / (1 + jnp.linalg.norm(w))

    def goes_on(state: tuple[Array, Array, Array]) -> Array:
        count, _, moved = state
        return (count < _NEWTON_STEPS) & (moved > 1e-13)

    _, w, _ = jax.lax.while_loop(goes_on, once, (jnp.zeros((), int), start, jnp.array(jnp.inf)))
    equations, inequalities = conditions(w)
    reached = jnp.linalg.norm(equations) <= 1e-8 * (1 + jnp.linalg.norm(w))
    stays = reached & jnp.all(inequalities >= -1e-8)

    def lagrangians(x: Array) -> Array:
        here, _ = _unpacked(place, context, jnp.concatenate([x, w]))
        below = system.below_of(shape, w)
        return jnp.stack(
            [
                system.lagrangian(
                    problem, shape, index, here, w[: shape.size], own, below, masks[1:]
                )
                for index, own in enumerate(system.multipliers_of(shape, w))
            ]
        )

    values = parts_of(problem, place, context, jnp.concatenate([x, w]), masks[1:])[BELOW]
    return jnp.where(stays, values, jnp.inf), jax.jacfwd(lagrangians)(x), w


@compiled
def weighted_hessian(
    problem: Problem, place: Place, context: Any, z: Any, masks: Masks, weights: list[Any]
) -> Array:
    """The Hessian in z of the parts' sum with some weights."""

    def weighted(z: Array) -> Array:
        parts = parts_of(problem, place, context, z, masks)
        return sum(
            (jnp.sum(weight * part) for weight, part in zip(weights, parts, strict=True)),
            jnp.zeros((), z.dtype),
        )

    return jax.hessian(weighted)(z)
