"""A choice over the KKT conditions of those below: relaxed, and piece by piece.

Complementarity, force ≥ 0, slack ≥ 0 with one of them 0, makes a union of pieces: on each, every
pair has one side that is zero (see `system`). A point is a local minimum of the whole exactly where
it is one of every piece that it lies on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .functions import Functions
from .nlp import Evaluation, Program, solve_program
from .place import AT_MOST, CONDITIONS, EQUAL, FORCE, OWN, SLACK
from .rivals import Rivals
from .system import signs

# A mask for each level below, the next one first: whether a pair's slack is zero, not its force.
Piece = tuple[np.ndarray, ...]

# The bounds on force times slack, one after the other (Scholtes 2001).
_RELAXATIONS = (1e-1, 1e-3, 1e-6)
_RELAXED_STEPS = 40
_STEPS = 300
_FEASIBLE = 1e-8
# Multipliers and slacks below count as none.
_NONE = 1e-7
# Pairs without either: all their combinations are looked at up to this many.
_MOST_COMBINED = 5
_MOST_PIECES = 48


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A point that no piece it lies on improves.

    Arguments:
        point: z.
        value: of the objective.
        piece: that it was found on; None where the conditions below don't hold, and rivals alone
            speak for the answer.
        complete: whether all pieces that it lies on were looked at.
    """

    point: np.ndarray
    value: float
    piece: Piece | None
    complete: bool


def deeper(piece: Piece | None) -> Piece:
    """The masks of the levels below the next one."""
    return () if piece is None else piece[1:]


def relaxed(functions: Functions, rivals: Rivals, start: np.ndarray, piece: Piece) -> np.ndarray:
    """z after minimising with force times slack ≤ t for smaller and smaller t.

    Only the pairs of the next level are relaxed; those below stay on the given piece.
    """
    places = force_places(functions)
    least, largest = _bounds(functions)
    free = (np.zeros_like(piece[0]), *deeper(piece))
    for bound in _RELAXATIONS:

        def evaluate(z: np.ndarray, bound: float = bound) -> Evaluation:
            here = _evaluation(functions, rivals, z, free)
            values, slopes = functions.at(z, deeper(piece))
            # Where a slack has no value, nor has its product.
            with np.errstate(invalid="ignore"):
                products = values[FORCE][:, None] * slopes[SLACK]
                complementarity = values[FORCE] * values[SLACK] - bound
            products[np.arange(places.size), places] += values[SLACK]
            return Evaluation(
                here.value,
                here.slope,
                np.concatenate([here.at_most, complementarity]),
                np.concatenate([here.at_most_slopes, products]),
                here.equal,
                here.equal_slopes,
            )

        program = Program(evaluate, least, largest)
        answer = solve_program(program, start, steps=_RELAXED_STEPS, precision=1e-9)
        if answer.violation <= 1e-3:
            start = answer.point
    return start


def force_places(functions: Functions) -> np.ndarray:
    """Where in z the forces of the next level's pairs stand."""
    below = functions.place.below
    return np.zeros(0, int) if below is None else functions.place.size + below.force_places


def piece_at(functions: Functions, z: np.ndarray, piece: Piece) -> Piece:
    """The piece nearest to a point: active where the force is larger than the slack.

    Arguments:
        piece: what the masks of the levels below the next one are taken from.
    """
    values, _ = functions.at(z, deeper(piece))
    return (values[FORCE] > values[SLACK], *deeper(piece))


def descend(
    functions: Functions, rivals: Rivals, start: np.ndarray, piece: Piece
) -> Candidate | None:
    """From piece to neighbouring piece while the objective falls.

    None where no piece that was tried has a feasible point.
    """
    best: Candidate | None = None
    unsolved = False
    seen: set[bytes] = set()
    waiting = [piece]
    while waiting and len(seen) < _MOST_PIECES:
        trial = waiting.pop(0)
        if _key(trial) in seen:
            continue
        seen.add(_key(trial))
        answer, violation = _solve_piece(
            functions, rivals, start if best is None else best.point, trial
        )
        if violation > _FEASIBLE:
            # A piece that the best point lies on has a minimum; here it wasn't found.
            unsolved |= best is not None and _lies_on(functions, rivals, best.point, trial)
            continue
        value = float(functions.at(answer, deeper(trial))[0][OWN])
        if best is not None and value >= best.value - 1e-9 * (1 + abs(value)):
            continue
        best, unsolved = Candidate(answer, value, trial, complete=False), False
        waiting = [one for one in _pieces_at(functions, answer, trial) if _key(one) not in seen]
    if best is None:
        return None
    undecided = _undecided(functions, best.point, best.piece or ())
    complete = not waiting and len(undecided) <= _MOST_COMBINED and not unsolved
    return Candidate(best.point, best.value, best.piece, complete)


def _lies_on(functions: Functions, rivals: Rivals, z: np.ndarray, piece: Piece) -> bool:
    program, free = piece_program(functions, rivals, piece)
    return bool(program.evaluate(z[free]).violation <= _FEASIBLE)


def _key(piece: Piece) -> bytes:
    return b"|".join(mask.tobytes() for mask in piece)


def _undecided(functions: Functions, z: np.ndarray, piece: Piece) -> list[int]:
    """The next level's pairs both of whose sides are zero, and kinks that let go."""
    if not piece:
        return []
    values, _ = functions.at(z, deeper(piece))
    other = np.where(piece[0], values[FORCE], values[SLACK])
    found = set(np.flatnonzero(other <= _NONE).tolist())
    return sorted(
        found | {pair for pair, _, value in _kinks(functions, z, piece) if value <= _NONE}
    )


def _kinks(functions: Functions, z: np.ndarray, piece: Piece) -> list[tuple[int, int, float]]:
    """Of each kink that a player of the next level stands at: its pair, the pair of the level
    below it, and the multiplier that isn't negative where the kink holds him."""
    shape = functions.place.below
    if shape is None:
        return []
    values = signs(shape, functions.place.split(z)[1])
    pairs = zip(shape.inherited_pairs, values, strict=True)
    return [(pair, below, value) for (pair, below), value in pairs if piece[0][pair]]


def _pieces_at(functions: Functions, z: np.ndarray, piece: Piece) -> Iterable[Piece]:
    """The pieces that meet at a point of one."""
    undecided = _undecided(functions, z, piece)
    shape = functions.place.below
    twins = dict(shape.inherited_pairs) if shape is not None else {}
    if len(undecided) > _MOST_COMBINED:
        choices = [((index, change),) for index in undecided for change in _changes(index, twins)]
        return [_changed(piece, one, twins) for one in choices]
    options = [[(index, change) for change in _changes(index, twins)] for index in undecided]
    return [_changed(piece, one, twins) for one in itertools.product(*options)]


def _changes(index: int, twins: dict[int, int]) -> tuple[str, ...]:
    """What may become of a pair: its slack is zero, its force is, or, where it stands for a pair
    of the level below, its force is and that pair changes sides."""
    return ("active", "inactive", "across") if index in twins else ("active", "inactive")


def _changed(piece: Piece, changes: Iterable[tuple[int, str]], twins: dict[int, int]) -> Piece:
    masks = [mask.copy() for mask in piece]
    for index, change in changes:
        masks[0][index] = change == "active"
        if change == "across":
            masks[1][twins[index]] ^= True
    return tuple(masks)


def _solve_piece(
    functions: Functions, rivals: Rivals, start: np.ndarray, piece: Piece
) -> tuple[np.ndarray, float]:
    """The minimum of a piece in z, and its violation; multipliers without force are left out."""
    program, free = piece_program(functions, rivals, piece)
    answer = solve_program(program, start[free], steps=_STEPS)
    z = np.zeros_like(start)
    if answer.runaway is not None:
        z[free] = answer.runaway
        functions.notes.runaways[functions.place.level] = (functions, z, piece)
        return z, np.inf
    z[free] = answer.point
    return z, answer.violation


def free_entries(functions: Functions, piece: Piece) -> np.ndarray:
    """Which entries of z a piece leaves free: all but the next level's forces that are zero."""
    free = np.ones(functions.place.all, bool)
    if piece:
        free[force_places(functions)] = piece[0]
    return free


def _bounds(functions: Functions) -> tuple[np.ndarray, np.ndarray]:
    least = np.full(functions.place.all, -np.inf)
    least[force_places(functions)] = 0.0
    return least, np.full(functions.place.all, np.inf)


def piece_program(functions: Functions, rivals: Rivals, piece: Piece) -> tuple[Program, np.ndarray]:
    """A piece as a program in the entries of z that it leaves free, and which these are."""
    free = free_entries(functions, piece)
    least, largest = _bounds(functions)

    def evaluate(part: np.ndarray) -> Evaluation:
        z = np.zeros(free.size, part.dtype)
        z[free] = part
        here = _evaluation(functions, rivals, z, piece)
        return Evaluation(
            here.value,
            here.slope[free],
            here.at_most,
            here.at_most_slopes[:, free],
            here.equal,
            here.equal_slopes[:, free],
        )

    return Program(evaluate, least[free], largest[free]), free


def kink_rows(functions: Functions, z: np.ndarray, piece: Piece) -> tuple[np.ndarray, np.ndarray]:
    """What is to be ≤ 0 for the kinks of the next level to hold, and its derivatives in z."""
    shape = functions.place.below
    if shape is None or shape.below is None or not piece:
        return np.zeros(0), np.zeros((0, z.size))
    size = functions.place.size
    rows = np.zeros((shape.signs, z.size))
    places = signs(shape, np.arange(shape.unknowns, dtype=float)).astype(int)
    rows[np.arange(shape.signs), size - places] = 1.0
    held = np.array([piece[0][pair] for pair, _ in shape.inherited_pairs], bool)
    return (rows @ z)[held], rows[held]


def _evaluation(functions: Functions, rivals: Rivals, z: np.ndarray, piece: Piece) -> Evaluation:
    """All parts at z, the zero sides of a piece among the equalities."""
    values, slopes = functions.at(z, deeper(piece))
    active = piece[0] if piece else np.zeros(0, bool)
    rival_values, rival_slopes = rivals.constraints(z, deeper(piece))
    kinks, kink_slopes = kink_rows(functions, z, piece)
    slack, slack_slopes = values[SLACK], slopes[SLACK]
    return Evaluation(
        float(values[OWN]),
        slopes[OWN],
        np.concatenate([values[AT_MOST], -slack[~active], kinks, rival_values]),
        np.concatenate([slopes[AT_MOST], -slack_slopes[~active], kink_slopes, rival_slopes]),
        np.concatenate([values[EQUAL], values[CONDITIONS], slack[active]]),
        np.concatenate([slopes[EQUAL], slopes[CONDITIONS], slack_slopes[active]]),
    )
