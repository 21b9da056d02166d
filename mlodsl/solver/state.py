"""What one level's loop carries from turn to turn."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import (
    BlockFactor,
    EliminatedFactor,
    Factor,
    NewtonFactor,
    block_factor,
    empty_factor,
    flat_size,
)
from mlodsl.modules import Record
from mlodsl.strategies import Point

from .movers import State
from .nest import Nest
from .outcome import Outcome


class LevelState(Record):
    """The carry of one level's loop; `extra` counts steps since the tolerance was reached."""

    point: Point
    mover: State
    steps: Int[Array, ""]
    turns: Int[Array, ""]
    extra: Int[Array, ""]
    outcome: Int[Array, ""]
    running: Bool[Array, ""]


def first_state(nest: Nest, level: int, guess: Float[Array, " flat"]) -> LevelState:
    """The state before the first turn, which evaluates `guess` itself."""
    zero = jnp.array(0, jnp.int32)
    return LevelState(
        point=_blank(nest, level, guess),
        mover=nest.plans[level].mover.start(guess[: nest.game.sizes[level]]),
        steps=zero,
        turns=zero,
        extra=zero,
        outcome=jnp.array(int(Outcome.LIMIT), jnp.int32),
        running=jnp.array(True),
    )


def _blank(nest: Nest, level: int, flat: Float[Array, " flat"]) -> Point:
    """A point of the right structure for the first turn, which doesn't look at it."""
    sizes = nest.game.sizes
    plans = nest.eliminations
    own = sizes[level]
    # The top level's loop has no use for it, unless its mover forms K_0.
    used = level > 0 or nest.plans[0].mover.needs_factor
    keeps = used and level + 1 < len(sizes) and nest.strategy_of(level).keeps_factor
    below: Factor | None = None
    if keeps and nest.solves_jointly(level + 1):
        order = flat_size(sizes, level + 1)
        below = block_factor(sizes, level + 1, jnp.eye(order, dtype=flat.dtype))
    elif keeps:
        below = empty_factor(sizes, level + 1, plans, flat.dtype)
    factor: NewtonFactor | None = None
    if nest.plans[level].mover.needs_factor:
        factor = empty_factor(sizes, level, plans, flat.dtype)
    if isinstance(factor, EliminatedFactor) and isinstance(below, BlockFactor):
        factor = dataclasses.replace(factor, below=below)
    return Point(
        own=flat[:own],
        value=jnp.array(jnp.inf, flat.dtype),
        gradient=jnp.zeros(own, flat.dtype),
        error=jnp.zeros((), flat.dtype),
        flat=flat,
        below=below,
        factor=factor,
        outcomes=jnp.zeros(len(sizes), jnp.int32),
        evaluations=jnp.zeros(len(sizes), jnp.int32),
        products=jnp.zeros(len(sizes), jnp.int32),
    )
