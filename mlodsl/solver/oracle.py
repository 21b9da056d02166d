"""What the host asks of the compiled code: evaluations of the top level.

Everything here is compiled once for a structure (a model's text, its sizes, the options) and
serves every value of its params; the instances of a batch call it together.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import Numbers, choices, on_host, split
from mlodsl.modules import Record
from mlodsl.strategies import Point

from .abilities import careful
from .compiling import compiled, is_traced
from .goals import needed_next, residual
from .joint import solve_by_products
from .joint_gradient import gradient_by_products
from .kept import Kept
from .lanes import Each, Judge, in_lane, in_rows, joined, judged, rows_of
from .level import digest, evaluate, propose
from .movers import Proposal
from .nest import Nest, Way
from .outcome import Outcome
from .readings import all_objectives, lower_slopes
from .state import LevelState, first_state

# To compile one level inside the other takes some ten times longer from three levels to six.
_DEEP = 5

_STALLED = int(Outcome.STALLED)

_ways: Kept[tuple[Way, ...]] = Kept()

_compiled_soon = functools.partial(compiled, seldom=True)

LATE = 10_000
"""A turn at which every strategy is as exact as it gets."""


class Turn(Record):
    """The top level's loop before a turn.

    Arguments:
        state: of the loop.
        proposal: what the turn evaluates.
        needed: the norm of an error of its gradient that is small enough.
        residual: of the state's point.
    """

    state: LevelState
    proposal: Proposal
    needed: Float[Array, ""]
    residual: Float[Array, ""]


@_compiled_soon
def first_turn(
    nest: Nest,
    guess: Float[Array, " flat"],
    goal: Float[Array, ""],
    state: LevelState | None = None,
) -> Turn:
    """The first turn of the top level from a guess, or the one after a state it was left in."""
    return _begin_turn(nest, guess, goal, first_state(nest, 0, guess) if state is None else state)


@_compiled_soon
def turn_by_products(
    nest: Nest, guess: Float[Array, " flat"], goal: Float[Array, ""], turn: Turn
) -> tuple[Turn, Bool[Array, ""]]:
    """The turn after this one, its point evaluated by products alone.

    Whether an answer below is a minimum isn't looked at then; the certificate will.

    Returns:
        The turn, and whether the levels below gave an answer; where not, it says nothing.
    """
    state, proposal = turn.state, turn.proposal
    trial = evaluate(
        nest.going("products"),
        0,
        (),
        proposal,
        turn.needed,
        state.turns,
        with_factor=False,
        multipliers=split(nest.game.sizes, 0, state.point.flat)[2],
    )
    state = digest(nest, 0, (), guess, goal, state, proposal, trial)
    answered = jnp.max(trial.outcomes) < _STALLED
    return _begin_turn(nest, guess, goal, state), answered


@_compiled_soon
def next_turn(
    nest: Nest, guess: Float[Array, " flat"], goal: Float[Array, ""], turn: Turn, trial: Point
) -> Turn:
    """The turn after one whose point was evaluated."""
    state = digest(nest, 0, (), guess, goal, turn.state, turn.proposal, trial)
    return _begin_turn(nest, guess, goal, state)


def _begin_turn(nest: Nest, guess: Array, goal: Array, state: LevelState) -> Turn:
    proposal = propose(nest, 0, (), guess, goal, state)
    needed = needed_next(nest, state.turns, state.point, goal)
    return Turn(state, proposal, needed, residual(nest, 0, state.point))


def evaluate_top(
    nest: Nest,
    own: Array | np.ndarray,
    guess: Array | np.ndarray,
    tolerance: Array | np.ndarray,
) -> Point:
    """The top level's total gradient at `own`, the levels below solved from `guess`.

    Where they may be solved all at once, what solves them one inside the other is compiled
    only once that fails; under a transformation it is part of the same code.
    """
    return evaluate_with_objectives(nest, own, guess, tolerance).point


def total_gradient(
    nest: Nest, own: Array, guess: Array, tolerance: Array
) -> tuple[Float[Array, " own"], Int[Numbers, " levels"]]:
    """The top level's total gradient alone, and how the solve of each level below ended.

    As by `evaluate_top`, but that many unknowns are first solved by products: what looks at the
    levels' curvature at every step would take longer from afar.
    """
    asked = (nest, own, guess, tolerance)
    if is_traced(*asked):
        return _total_gradient(*asked, "both")
    ways = _ways.find(nest) or _ways.keep(nest, _ways_of(nest))
    for way in ways[:-1]:
        gradient, outcomes = _total_gradient(*asked, way)
        known = np.asarray(outcomes)
        # Of a few numbers Python finds the largest sooner than NumPy.
        if max(known.tolist()) < _STALLED:
            return gradient, on_host(known)
    return _total_gradient(*asked, ways[-1])


def _ways_of(nest: Nest) -> tuple[Way, ...]:
    """The ways to a total gradient alone, to be tried in turn."""
    ways: tuple[Way, ...] = ("joint", "nested") if nest.solves_jointly(1) else ("both",)
    if nest.abilities.verified and not np.asarray(nest.frozen).any():
        return ("products", *ways)
    return ways


@compiled
def _total_gradient(
    nest: Nest,
    own: Float[Array, " own"],
    guess: Float[Array, " below"],
    tolerance: Array,
    way: Way,
) -> tuple[Float[Array, " own"], Int[Array, " levels"]]:
    if way == "products":
        return gradient_by_products(nest, own, guess, 0.01 * tolerance)
    if nest.abilities.ahead and way == "both":
        found = solve_by_products(nest, 1, (own,), guess, 0.01 * tolerance)
        guess = jnp.where(found.solved, found.flat, guess)
    proposal = Proposal(own, guess, jnp.zeros((), own.dtype), jnp.array(0, jnp.int32))
    with_factor = nest.plans[0].mover.needs_factor
    late = jnp.array(LATE, jnp.int32)
    # There is no progress that its exactness could be tied to.
    exact = dataclasses.replace(nest.going(way), abilities=careful(nest.abilities))
    point = evaluate(exact, 0, (), proposal, tolerance, late, with_factor=with_factor)
    return point.gradient, point.outcomes


def evaluate_turn(nest: Nest, turn: Turn) -> Point:
    """As `evaluate_top`, at what a turn of the top level proposes."""
    proposal, state = turn.proposal, turn.state
    multipliers = split(nest.game.sizes, 0, state.point.flat)[2] if nest.adapts else None
    asked = (nest, proposal.own, proposal.guess, turn.needed, state.turns)
    return _evaluate(*asked, multipliers).point


class Evaluation(NamedTuple):
    """An evaluation of the top level.

    Arguments:
        objectives: of all levels, as minimisations, at the answer.
        slopes: `lower_slopes` there; None where what needs them has to ask for them.
    """

    point: Point
    objectives: Float[Array, " levels"]
    slopes: Float[Array, "2 flat"] | None


def evaluate_with_objectives(
    nest: Nest,
    own: Array | np.ndarray,
    guess: Array | np.ndarray,
    tolerance: Array | np.ndarray | None = None,
) -> Evaluation:
    """As `evaluate_top`, with the plain objectives of all levels at that answer.

    Arguments:
        tolerance: None for as little as rounding allows.
    """
    exact = _exactly(np.dtype(own.dtype)) if tolerance is None else tolerance
    if at_once(nest):
        return _evaluate_in_lane(nest, own, guess, exact)
    return _evaluate(nest, own, guess, exact, LATE)


@functools.lru_cache(maxsize=8)
def _exactly(dtype: np.dtype) -> np.ndarray:
    """A tolerance of zero; the same object for all instances of a batch."""
    zero = np.zeros((), dtype)
    zero.setflags(write=False)
    return zero


class Evaluations(NamedTuple):
    """Evaluations of the top level, a row each: u_0, the total gradient, how the solve of each
    level ended, and all objectives; and what a judge makes of them."""

    flats: np.ndarray
    gradients: np.ndarray
    outcomes: np.ndarray
    objectives: np.ndarray
    judged: tuple[np.ndarray, ...] = ()

    def of_rows(self, first: int, last: int) -> Evaluations:
        """Some rows, without what was judged."""
        flats, gradients, outcomes, objectives, _ = self
        rows = slice(first, last)
        return Evaluations(flats[rows], gradients[rows], outcomes[rows], objectives[rows])


def evaluate_many(
    nest: Nest,
    own: np.ndarray | Each,
    guess: np.ndarray | Each,
    judge: Judge | None = None,
    *given: Any,
) -> Evaluations:
    """As `evaluate_with_objectives` for rows of points or of guesses or of both.

    Arguments:
        judge, given: as in `Joined.of_many`; of the arrays of `Evaluations`.
    """
    if at_once(nest):
        dtype = (own.rows if isinstance(own, Each) else own).dtype
        asked = (nest, own, guess, _exactly(dtype))
        return _evaluations(_evaluate_in_lane.of_many(_parts, *asked, judge=judge, given=given))
    rows = rows_of(own, guess)
    found = in_rows(_parts(evaluate_with_objectives(nest, *row)) for row in rows)
    return _evaluations(judged(found, judge, given))


def _evaluations(found: tuple[np.ndarray, ...]) -> Evaluations:
    flats, gradients, outcomes, values, *more = found
    return Evaluations(flats, gradients, outcomes, values, tuple(more))


def at_once(nest: Nest) -> bool:
    """Whether many evaluations take hardly longer than one, as in a batch: they go together then,
    those that may turn out not to be needed too."""
    return in_lane() and not nest.solves_jointly(1)


def _parts(found: Evaluation) -> tuple[Array, ...]:
    point, values, _ = found
    return point.flat, point.gradient, point.outcomes, values


def _evaluate(
    nest: Nest,
    own: Array | np.ndarray,
    guess: Array | np.ndarray,
    tolerance: Array | np.ndarray,
    turn: int | Int[Array, ""],
    multipliers: Array | np.ndarray | None = None,
) -> Evaluation:
    if not nest.adapts:
        multipliers = None
    elif multipliers is None:
        multipliers = np.zeros(guess.shape, guess.dtype)
    asked = (nest, own, guess, tolerance, np.asarray(turn, np.int32), multipliers)
    # A lane's numbers are known.
    known = in_lane() or not is_traced(*asked)
    if not known or not nest.solves_jointly(1):
        return _evaluate_top(*asked, "both")
    found = _evaluate_top(*asked, "joint")
    several = not np.all(np.asarray(nest.frozen)[1:-1])
    if not _answered(found.point) and several:
        found = _from_the_bottom_up(asked)
    if _answered(found.point):
        return found
    if _is_search(nest) and len(nest.game.sizes) >= _DEEP:
        # Of one start among many in a search no answer is known then.
        worst = np.where(np.asarray(nest.frozen), Outcome.BUDGET, Outcome.LIMIT)
        point = dataclasses.replace(found.point, outcomes=jnp.asarray(worst, jnp.int32))
        return found._replace(point=point)
    return _evaluate_top(*asked, "nested")


def _from_the_bottom_up(asked: tuple[Any, ...]) -> Evaluation:
    """The joint method on ever more levels, the others held still: first the lowest alone.

    Ends with the first that gives no answer, which then isn't one of all levels.
    """
    nest, own, guess, *others = asked
    levels, frozen = len(nest.game.sizes), np.asarray(nest.frozen)
    for lowest in range(levels - 1, 0, -1):
        held = eqx.tree_at(lambda n: n.frozen, nest, frozen | (np.arange(levels) < lowest))
        found = _evaluate_top(held, own, guess, *others, "joint")
        if not _answered(found.point) or np.all(frozen[1:lowest]):
            break
        guess = split(nest.game.sizes, 0, found.point.flat)[1]
    return found


def _answered(point: Point) -> bool:
    return bool(np.asarray(point.outcomes).max() < _STALLED)


def _is_search(nest: Nest) -> bool:
    """Whether levels may be given up after some turns."""
    return nest.patience is not None and int(nest.patience) < np.iinfo(np.int32).max


@joined
def _evaluate_top(
    nest: Nest,
    own: Float[Array, " own"],
    guess: Float[Array, " below"],
    tolerance: Array,
    turn: Int[Array, ""],
    multipliers: Float[Array, " below"] | None,
    way: Way,
) -> Evaluation:
    return _evaluation(nest.going(way), own, guess, tolerance, turn, multipliers)


@joined
def _evaluate_in_lane(
    nest: Nest, own: Float[Array, " own"], guess: Float[Array, " below"], tolerance: Array
) -> Evaluation:
    """With the slopes; one program for all that lanes ask for."""
    multipliers = jnp.zeros_like(guess) if nest.adapts else None
    late = jnp.array(LATE, jnp.int32)
    found = _evaluation(nest.going("both"), own, guess, tolerance, late, multipliers)
    if len(nest.game.sizes) == 1:
        return found
    own, flat, _ = split(nest.game.sizes, 0, found.point.flat)
    return found._replace(slopes=lower_slopes(nest.game, own, flat))


def _evaluation(
    nest: Nest,
    own: Array,
    guess: Array,
    tolerance: Array,
    turn: Int[Array, ""],
    multipliers: Array | None,
) -> Evaluation:
    proposal = Proposal(own, guess, jnp.zeros((), own.dtype), jnp.array(0, jnp.int32))
    with_factor = nest.plans[0].mover.needs_factor
    asked = (nest, 0, (), proposal, tolerance, turn)
    point = evaluate(*asked, with_factor=with_factor, multipliers=multipliers)
    vectors = choices(nest.game.sizes, 0, point.flat)
    return Evaluation(point, all_objectives(nest.game, vectors), None)
