"""The top level's whole loop as one compiled program, for many instances side by side."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import point_of
from mlodsl.strategies import Point

from .goals import needed_next
from .lanes import clock, joined
from .level import digest, evaluate, propose
from .nest import Nest
from .run import Run, reason_of
from .state import LevelState, first_state
from .status import Status

# So many turns before lanes that have ended are left out.
_TURNS = 64


def run_at_once(
    nest: Nest,
    start: tuple[Float[Array, " own"], ...],
    *,
    tolerance: float,
    deadline: float | None,
    earlier: Run | None = None,
) -> Run:
    """As `run`, without progress, checkpoints and trace: the same turns, none on the host.

    Arguments:
        deadline: on `clock`, looked at once in a while.
        earlier: a run that this one goes on from at another start; its counts and times go on.
    """
    began = clock()
    dtype = np.asarray(start[0]).dtype
    goal = np.asarray(tolerance, dtype)
    guess = point_of(nest.game.sizes, 0, start)
    counted: tuple[Any, ...]
    if earlier is None:
        none = np.zeros(len(nest.game.sizes), np.int32)
        counted = (np.zeros((), np.int32), none, none)
    else:
        done = earlier.state.point
        counted = (earlier.state.steps, done.evaluations, done.products)
    until = np.asarray(_TURNS, np.int32)
    state, best = _turns(nest, guess, goal, counted, None, until)
    reason: Status | None = None
    while bool(state.running):
        if deadline is not None and clock() > deadline and int(state.turns) > 0:
            reason = Status.TIMEOUT
            break
        until = np.asarray(int(state.turns) + _TURNS, np.int32)
        state, best = _turns(nest, guess, goal, counted, (state, best), until)
    if reason is None:
        reason = reason_of(int(state.outcome))
    seconds = clock() - began
    before = (0.0, 0.0) if earlier is None else (earlier.compile_seconds, earlier.solve_seconds)
    returned = state.point if reason is None else best
    return Run(state, returned, reason, before[0], before[1] + seconds)


@joined
def _turns(
    nest: Nest,
    guess: Float[Array, " flat"],
    goal: Float[Array, ""],
    counted: tuple[Int[Array, ""], Int[Array, " levels"], Int[Array, " levels"]],
    reached: tuple[LevelState, Point] | None,
    until: Int[Array, ""],
) -> tuple[LevelState, Point]:
    """Turns of the top level until it ends, or has made as many as `until` in all.

    Arguments:
        counted: the steps, evaluations and products before the first turn.
        reached: the state that it goes on from, and the best point so far; None: it begins.

    Returns:
        The last state, and the best point found so far.
    """

    def turn(carry: tuple[LevelState, Point]) -> tuple[LevelState, Point]:
        state, best = carry
        proposal = propose(nest, 0, (), guess, goal, state)
        needed = needed_next(nest, state.turns, state.point, goal)
        with_factor = nest.plans[0].mover.needs_factor
        trial = evaluate(nest, 0, (), proposal, needed, state.turns, with_factor=with_factor)
        found = digest(nest, 0, (), guess, goal, state, proposal, trial)
        take = (state.turns == 0) | _is_better(nest, found.point, best)
        best = jax.tree.map(lambda one, other: jnp.where(take, one, other), found.point, best)
        return found, best

    def goes_on(carry: tuple[LevelState, Point]) -> Bool[Array, ""]:
        return carry[0].running & (carry[0].turns < until)

    if reached is None:
        state = eqx.tree_at(
            lambda s: (s.steps, s.point.evaluations, s.point.products),
            first_state(nest, 0, guess),
            counted,
        )
        reached = (state, state.point)
    return jax.lax.while_loop(goes_on, turn, reached)


def _is_better(nest: Nest, point: Point, other: Point) -> Bool[Array, ""]:
    """As the loop on the host has it: the less inexact one, then that of the lower value."""
    if nest.adapts:
        return point.value <= other.value
    return (point.error < other.error) | (
        (point.error == other.error) & (point.value <= other.value)
    )
