"""One level, solved by its mover, and the recursion through the levels below.

A turn is: propose a point, evaluate it (which solves the levels below), digest what was found.
`respond` runs turns in one `while_loop`; the top level's host loop runs the same three steps.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import (
    EliminatedFactor,
    Factor,
    FullFactor,
    Game,
    NewtonFactor,
    Vectors,
    block_factor,
    factorize,
    split,
    upper_rows,
)
from mlodsl.strategies import Point, Query, Response

from .goals import error_left, level_goal, loose_solves, needed_below, residual, rounding
from .joint import JointAnswer, solve_by_products, solve_jointly
from .joint_gradient import evaluate_jointly, joint_response
from .movers import FirstOrder, Proposal
from .movers.base import is_finite
from .nest import Nest
from .outcome import Outcome
from .state import LevelState, first_state

# So few variables of the top level are differentiated along with those below.
_FEW_LEADING = 32


def propose(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    goal: Float[Array, ""],
    state: LevelState,
) -> Proposal:
    """The point that the next turn evaluates; on the first turn the guess."""
    place = nest.place(level, above, goal)
    own, below, _ = split(nest.game.sizes, level, guess)
    return jax.lax.cond(
        state.turns == 0,
        lambda: Proposal(own, below, jnp.zeros((), own.dtype), jnp.array(0, jnp.int32)),
        lambda: nest.plans[level].mover.propose(place, state.mover, state.point),
    )


def evaluate(
    nest: Nest,
    level: int,
    above: Vectors,
    proposal: Proposal,
    tolerance: Float[Array, ""],
    turn: Int[Array, ""],
    *,
    with_factor: bool,
    multipliers: Float[Array, " below"] | None = None,
) -> Point:
    """The total gradient of a level, to a hundredth of `tolerance`.

    Arguments:
        turn: how many evaluations the level has had in this solve.
        multipliers: m_{level + 1} as it was found last, where linear solves may start from it.
    """

    def answer(
        game: Game,
        level: int,
        above: Vectors,
        guess: Float[Array, " flat"],
        tolerance: Float[Array, ""],
        *,
        with_factor: bool,
    ) -> Response:
        inner = eqx.tree_at(lambda n: n.game, nest, game, is_leaf=lambda leaf: leaf is nest.game)
        return respond(inner, level, above, guess, tolerance, with_factor=with_factor)

    few = nest.game.sizes[0] <= _FEW_LEADING
    if level == 0 and nest.way == "joint" and few and not with_factor:
        return evaluate_jointly(nest, proposal, 0.01 * tolerance)
    query = Query(
        game=nest.game,
        level=level,
        above=above,
        own=proposal.own,
        guess=proposal.guess,
        plans=nest.eliminations,
        accuracy=0.01 * tolerance,
        turn=turn,
        with_factor=with_factor,
        loose=loose_solves(nest, tolerance),
        multipliers=multipliers,
    )
    point = nest.strategy_of(level).evaluate(query, answer)
    if level == 0 and nest.adapts:
        point = dataclasses.replace(point, error=error_left(tolerance))
    return point


def digest(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    goal: Float[Array, ""],
    state: LevelState,
    proposal: Proposal,
    trial: Point,
) -> LevelState:
    """Accepts the evaluated point or refuses it, and judges whether the level goes on."""
    if state.point.below is None:
        trial = dataclasses.replace(trial, below=None)
    initial = state.turns == 0
    mover = nest.plans[level].mover
    # A value that an unsolved level below gives says nothing; the mover is to shorten its step.
    failed_below = jnp.max(trial.outcomes) >= int(Outcome.LIMIT)
    known = jnp.where(failed_below, jnp.nan, trial.value)
    shown = eqx.tree_at(lambda p: p.value, trial, known)
    verdict = mover.observe(nest.place(level, above), state.mover, state.point, shown, proposal)
    # Where nothing is left to gain at this accuracy, the trial's better one is taken on.
    refined = verdict.stuck & (trial.error < state.point.error)
    accepted = initial | verdict.accepted | refined
    point = _select(accepted, trial, state.point)
    products = trial.products.at[level].add(proposal.products)
    counts = (state.point.evaluations + trial.evaluations, state.point.products + products)
    point = eqx.tree_at(lambda p: (p.evaluations, p.products), point, counts)
    state = LevelState(
        point=point,
        mover=_select(
            initial, state.mover, _select(refined, mover.start(point.own), verdict.state)
        ),
        steps=state.steps + jnp.where(accepted & ~initial, 1, 0).astype(jnp.int32),
        turns=state.turns + 1,
        extra=state.extra,
        outcome=state.outcome,
        running=state.running,
    )
    reach = 1e10 * (1 + jnp.linalg.norm(guess[: trial.own.size]))
    ran_away = ~initial & (jnp.linalg.norm(trial.own) > reach) | (trial.value == -jnp.inf)
    stuck = verdict.stuck & ~initial & ~refined
    return _judge(nest, level, goal, state, stuck, ran_away)


def run_level(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
    wanted: bool | Bool[Array, ""] = True,
) -> LevelState:
    """All turns of a level in one loop.

    Arguments:
        tolerance: on the norm of the level's total gradient, where its plan names none.
        wanted: whether to make any turn at all.
    """
    plan = nest.plans[level]
    goal = level_goal(plan, tolerance)

    def turn(state: LevelState) -> LevelState:
        proposal = propose(nest, level, above, guess, goal, state)
        with_factor = plan.mover.needs_factor
        needed = needed_below(nest, level, state.point, goal)
        trial = evaluate(nest, level, above, proposal, needed, state.turns, with_factor=with_factor)
        return digest(nest, level, above, guess, goal, state, proposal, trial)

    start = first_state(nest, level, guess)
    start = eqx.tree_at(lambda s: s.running, start, jnp.asarray(wanted))
    return jax.lax.while_loop(lambda state: state.running, turn, start)


def run_few_steps(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
) -> tuple[Point, Int[Array, ""]]:
    """As many steps of an Optax optimiser as the plan says, judged once they are made.

    Judging each would take longer than making it.
    """
    plan = nest.plans[level]
    mover = plan.mover
    assert isinstance(mover, FirstOrder)
    goal = level_goal(plan, tolerance)
    place = nest.place(level, above)
    own, below, _ = split(nest.game.sizes, level, guess)

    def at(own: Array, below: Array, turn: Array, *, with_factor: bool) -> Point:
        proposal = Proposal(own, below, jnp.zeros((), own.dtype), jnp.array(0, jnp.int32))
        return evaluate(nest, level, above, proposal, goal, turn, with_factor=with_factor)

    def step(turn: Array, carry: tuple[Any, ...]) -> tuple[Any, ...]:
        own, state, below, *counts = carry
        point = at(own, below, turn, with_factor=False)
        moved, state = mover.step(place, state, point)
        # At the bottom each step counts one gradient; that need not be carried along.
        counts = [total + more for total, more in zip(counts, _counts(point), strict=False)]
        return moved, state, place.keep_response(point), *counts

    steps = jnp.where(nest.frozen[level], 0, plan.steps).astype(jnp.int32)
    if nest.patience is not None:
        steps = jnp.minimum(steps, nest.patience)
    levels = len(nest.game.sizes)
    bottom = level + 1 == levels
    none = [] if bottom else [jnp.zeros(levels, jnp.int32)] * 2
    start = (own, mover.start(own), below, *none)
    own, _, below, *counts = jax.lax.fori_loop(jnp.int32(0), steps, step, start)
    point = at(own, below, steps, with_factor=mover.needs_factor)
    made = [jnp.zeros(levels, jnp.int32).at[level].add(steps), 0] if bottom else counts
    evaluations, products = (total + more for total, more in zip(made, _counts(point), strict=True))
    point = eqx.tree_at(lambda p: (p.evaluations, p.products), point, (evaluations, products))
    solved = residual(nest, level, point) <= jnp.maximum(goal, rounding(point))
    ended = jnp.where(solved, int(Outcome.SOLVED), int(Outcome.BUDGET))
    ended = jnp.where(is_finite(point), ended, int(Outcome.NONFINITE))
    return point, ended.astype(jnp.int32)


def _counts(point: Point) -> tuple[Array, Array]:
    return point.evaluations, point.products


def respond(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
    *,
    with_factor: bool,
) -> Response:
    """Solves `level` and all below it, from the point `guess` (a u_level).

    All at once where the nest does so, one inside the other where it doesn't or that fails.
    """
    if nest.way == "products" and level == 1:
        goal = level_goal(nest.plans[level], tolerance)
        found = solve_by_products(nest, level, above, guess, goal)
        return joint_response(nest, level, found, with_factor=with_factor)
    if not nest.solves_jointly(level):
        return _respond_nested(nest, level, above, guess, tolerance, with_factor=with_factor)
    answer: JointAnswer | None = None
    if nest.way != "nested":
        goal = level_goal(nest.plans[level], tolerance)
        answer = solve_jointly(nest, level, above, guess, goal)
        response = joint_response(nest, level, answer, with_factor=with_factor)
        if nest.way == "joint":
            return response
    wanted = True if answer is None else ~answer.solved
    other = _respond_nested(
        nest, level, above, guess, tolerance, with_factor=with_factor, wanted=wanted
    )
    if with_factor:
        if isinstance(other.factor, FullFactor):
            rows = other.factor.matrix
        else:
            _, _, rows = upper_rows(nest.game, level, above, other.flat)
        other = dataclasses.replace(other, factor=block_factor(nest.game.sizes, level, rows))
    return other if answer is None else _select(answer.solved, response, other)


def _respond_nested(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
    *,
    with_factor: bool,
    wanted: bool | Bool[Array, ""] = True,
) -> Response:
    """Solves a level and, inside of each of its turns, those below it.

    Arguments:
        wanted: whether to make any turn at all.
    """
    if nest.plans[level].makes_few_steps:
        point, outcome = run_few_steps(nest, level, above, guess, tolerance)
    else:
        final = run_level(nest, level, above, guess, tolerance, wanted)
        point, outcome = final.point, final.outcome
    factor: Factor | None = point.factor if with_factor else None
    products = point.products
    if with_factor and factor is None:
        plans = nest.eliminations
        factor = factorize(nest.game, level, above, point.flat, point.below, plans)
        products = products.at[level].add(0 if _is_free(factor) else point.flat.size)
    outcomes = point.outcomes.at[level].set(outcome)
    return Response(point.flat, factor, outcomes, point.evaluations, products)


def _is_free(factor: Factor) -> bool:
    """Whether a factor holds no matrix, so that it cost no products."""
    return isinstance(factor, EliminatedFactor) and factor.reduced is None


def _judge(
    nest: Nest, level: int, goal: Array, state: LevelState, stuck: Array, ran_away: Array
) -> LevelState:
    """How the level stands, and whether it goes on."""
    plan = nest.plans[level]
    point = state.point
    initial = state.turns == 1
    goal = jnp.maximum(goal, rounding(point))
    within = (residual(nest, level, point) + point.error <= goal) & ~_has_negative_curvature(
        point.factor
    )
    extra = state.extra + within.astype(jnp.int32)
    near = plan.mover.is_near(nest.place(level, ()), state.mover, point, goal)
    fades = within & ~near & (extra > plan.extra_steps)
    solved = within & (near | stuck | (level == 0) & fades)
    broken = initial & ~is_finite(point)
    broken_below = initial & (jnp.max(point.outcomes) >= int(Outcome.UNBOUNDED))
    # A mover refuses at most some dozens of trials in a row before it is stuck.
    spent = (state.steps >= plan.steps) | (state.turns >= 4 * plan.steps + 60)
    if nest.patience is not None:
        spent |= state.turns >= nest.patience
    still = nest.frozen[level]
    endings = [
        (broken_below, Outcome.STALLED),
        (broken, Outcome.NONFINITE),
        (ran_away, Outcome.UNBOUNDED),
        (still, Outcome.BUDGET),
        (solved, Outcome.SOLVED),
        (fades, Outcome.LIMIT),
        (stuck, Outcome.STALLED),
        (spent & within, Outcome.SOLVED),
        (spent, Outcome.LIMIT if plan.exact else Outcome.BUDGET),
    ]
    # The first condition that holds decides. (`jnp.select` would need 64-bit integers, which
    # a caller's own `jit` without `jax_enable_x64` can't lower.)
    outcome, ended = state.outcome, jnp.array(False)
    for condition, ending in reversed(endings):
        outcome = jnp.where(condition, jnp.array(int(ending), jnp.int32), outcome)
        ended = ended | condition
    running = ~ended
    return eqx.tree_at(lambda s: (s.extra, s.outcome, s.running), state, (extra, outcome, running))


def _has_negative_curvature(factor: NewtonFactor | None) -> Bool[Array, ""]:
    """Whether S_k, where it is kept as a matrix, has a direction of descent at a standstill."""
    if factor is None or factor.reduced is None or factor.reduced.curvatures.size == 0:
        return jnp.array(False)
    return factor.reduced.curvatures[0] < -factor.reduced.floor


def _select(choose: Array, chosen: Any, other: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(choose, a, b), chosen, other)
