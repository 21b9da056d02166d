"""The host's loop over the top level's turns: progress, limits, interruption, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from mlodsl.calculus import on_host, point_of, split
from mlodsl.strategies import Point

from .lanes import clock
from .nest import Nest
from .oracle import Turn, evaluate_turn, first_turn, next_turn, turn_by_products
from .outcome import Outcome
from .preconditioning import Preconditioning
from .state import LevelState
from .status import Status


@dataclass(frozen=True, slots=True)
class Step:
    """What a progress line and a line of the trace say of one step of the top level.

    `value` is the top objective as a minimisation, `seconds` since the start of the run;
    `evaluations` and `products` count total gradients and products with Hessians, by level;
    `start` counts the starting points from 1, where there are several.
    """

    step: int
    value: float
    residual: float
    seconds: float
    evaluations: tuple[int, ...]
    products: tuple[int, ...]
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What goes along with a run: called after each accepted step, and to save the state.

    `on_phase` is called as `compile`, `solve` and `certificate` begin, and with `again` before
    those of a second attempt, by another strategy.
    """

    on_phase: Callable[[str], None] = lambda phase: None
    on_step: Callable[[Step], None] = lambda step: None
    save: Callable[[LevelState], None] = lambda state: None
    resume: Callable[[LevelState], LevelState | None] = lambda blank: None


@dataclass(frozen=True, slots=True)
class Run:
    """Where the top level's loop ended.

    Arguments:
        state: the last state; `point` the best point found, with the response below.
        reason: what ended the loop, before any certificate; None: within the tolerance.
        compile_seconds, solve_seconds: of tracing and compiling, and of running.
    """

    state: LevelState
    point: Point
    reason: Status | None
    compile_seconds: float
    solve_seconds: float
    trace: list[Step] = field(default_factory=list)


def run(
    nest: Nest,
    start: tuple[Float[Array, " own"], ...],
    *,
    tolerance: float,
    deadline: float | None,
    watch: Watch,
    earlier: Run | None = None,
) -> Run:
    """Turns of the top level until it is solved, stuck, out of limits or interrupted.

    Arguments:
        deadline: on `clock`, after which no further turn begins; None for none.
        earlier: a run that this one goes on from at another start; its steps, evaluations,
            times and trace count on.
    """
    dtype = start[0].dtype
    goal, guess = jax.device_put(
        (np.asarray(tolerance, dtype), point_of(nest.game.sizes, 0, start))
    )
    began = time.perf_counter()
    turn = first_turn(nest, guess, goal)
    resumed = None
    if earlier is None:
        _compile(nest, guess, goal, turn)
        compiled = time.perf_counter()
        resumed = watch.resume(turn.state)
    else:
        compiled = began
        done = earlier.state.point
        turn = eqx.tree_at(
            lambda t: (t.state.steps, t.state.point.evaluations, t.state.point.products),
            turn,
            (earlier.state.steps, done.evaluations, done.products),
        )
    watch.on_phase("solve")
    turn = turn if resumed is None else first_turn(nest, guess, goal, resumed)
    best: Point | None = turn.state.point if resumed is not None else None
    trace: list[Step] = [] if earlier is None else list(earlier.trace)
    before_this = 0.0 if earlier is None else earlier.solve_seconds
    steps = int(turn.state.steps)
    reason: Status | None = None
    preconditioning = Preconditioning()
    try:
        while bool(turn.state.running):
            if deadline is not None and clock() > deadline and best is not None:
                reason = Status.TIMEOUT
                break
            before_turn = time.perf_counter()
            turn = _turn(nest, guess, goal, turn)
            took = time.perf_counter() - before_turn
            nest = preconditioning.after(nest, turn.state.point, took)
            state, before, steps = turn.state, steps, int(turn.state.steps)
            if best is None or _is_better(nest, state.point, best):
                best = state.point
            if steps > before or int(state.turns) == 1:
                seconds = before_this + time.perf_counter() - compiled
                step = _describe(turn, seconds)
                trace.append(step)
                watch.on_step(step)
                watch.save(state)
    except KeyboardInterrupt:
        reason = Status.INTERRUPTED
    state = turn.state
    if reason is None:
        reason = reason_of(int(state.outcome))
    if reason is None or best is None:
        best = state.point
    watch.save(state)
    ended = time.perf_counter()
    compile_seconds = compiled - began if earlier is None else earlier.compile_seconds
    return Run(state, best, reason, compile_seconds, before_this + ended - compiled, trace)


def _is_better(nest: Nest, point: Point, other: Point) -> bool:
    """Whether a point is the one to return: the less inexact one, then that of the lower value.

    Values of inexact points are of other functions (a weaker penalty, a rougher response), but for
    those that are as exact as the progress asks, whose values are corrected.
    """
    error, other_error = float(point.error), float(other.error)
    if not nest.adapts and error != other_error:
        return error < other_error
    return float(point.value) <= float(other.value)


def _turn(nest: Nest, guess: Array, goal: Array, turn: Turn) -> Turn:
    if nest.has_products:
        found, answered = turn_by_products(nest, guess, goal, turn)
        if answered:
            return found
    return jax.block_until_ready(next_turn(nest, guess, goal, turn, evaluate_turn(nest, turn)))


def _compile(nest: Nest, guess: Array, goal: Array, turn: Turn) -> None:
    """One turn with every level held still: compiles all, runs next to nothing."""
    still = eqx.tree_at(lambda n: n.frozen, nest, np.ones_like(nest.frozen))
    _turn(still, guess, goal, turn)


def _describe(turn: Turn, seconds: float) -> Step:
    state = turn.state
    return Step(
        int(state.steps),
        float(state.point.value),
        float(turn.residual),
        seconds,
        tuple(np.asarray(state.point.evaluations).tolist()),
        tuple(np.asarray(state.point.products).tolist()),
    )


def reason_of(outcome: int) -> Status | None:
    """What ended a loop whose last state has this outcome; None: it is solved."""
    if outcome == Outcome.SOLVED:
        return None
    if outcome in (Outcome.UNBOUNDED, Outcome.NONFINITE):
        return Status.DIVERGED
    return Status.MAX_STEPS if outcome in (Outcome.LIMIT, Outcome.BUDGET) else Status.STALLED


def response_below(nest: Nest, point: Point) -> Float[Array, " below"]:
    """u_1: the answer of all lower levels that a point of the top level holds."""
    return split(nest.game.sizes, 0, on_host(np.asarray(point.flat)))[1]
