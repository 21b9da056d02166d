"""The upper level over the follower's KKT conditions: relaxed, and piece by piece.

Complementarity, λ_i ≥ 0 ≥ g_i with one of them 0, makes a union of pieces: on each, every
constraint of the follower is either active (g_i = 0) or without force (λ_i = 0). A point is a
local minimum of the whole exactly where it is one of every piece that it lies on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from .functions import (
    LOWER_AT_MOST,
    LOWER_EQUAL,
    STATIONARITY,
    UPPER,
    UPPER_AT_MOST,
    UPPER_EQUAL,
    Functions,
)
from .nlp import Evaluation, Program, solve_program
from .rivals import Rivals

Piece = frozenset[int]

# The bounds on λ_i |g_i|, one after the other (Scholtes 2001).
_RELAXATIONS = (1e-1, 1e-3, 1e-6)
_RELAXED_STEPS = 40
_STEPS = 300
_FEASIBLE = 1e-8
# Multipliers and slacks below count as none.
_NONE = 1e-7
# Constraints without either: all their combinations are looked at up to this many.
_MOST_COMBINED = 5
_MOST_PIECES = 48


@dataclass(frozen=True, slots=True)
class Candidate:
    """A point that no piece it lies on improves.

    Arguments:
        point: z.
        value: of the upper objective.
        piece: the active constraints of the follower; None where his conditions don't hold, and
            rivals alone speak for his answer.
        complete: whether all pieces that it lies on were looked at.
    """

    point: np.ndarray
    value: float
    piece: Piece | None
    complete: bool


def relaxed(functions: Functions, rivals: Rivals, start: np.ndarray) -> np.ndarray:
    """z after minimising with λ_i g_i ≥ -t for smaller and smaller t."""
    shape = functions.shape
    least, largest = np.full(shape.all, -np.inf), np.full(shape.all, np.inf)
    own = slice(shape.choices, shape.choices + shape.at_most)
    least[own] = 0.0
    for bound in _RELAXATIONS:

        def evaluate(z: np.ndarray, bound: float = bound) -> Evaluation:
            here = _evaluation(functions, rivals, z, frozenset())
            values, slopes = functions.at(z)
            force, slack = z[own], values[LOWER_AT_MOST]
            products = -force[:, None] * slopes[LOWER_AT_MOST]
            products[:, own] -= np.diag(slack)
            return Evaluation(
                here.value,
                here.slope,
                np.concatenate([here.at_most, -force * slack - bound]),
                np.concatenate([here.at_most_slopes, products]),
                here.equal,
                here.equal_slopes,
            )

        program = Program(evaluate, least, largest)
        answer = solve_program(program, start, steps=_RELAXED_STEPS, precision=1e-9)
        if answer.violation <= 1e-3:
            start = answer.point
    return start


def piece_of(functions: Functions, z: np.ndarray) -> Piece:
    """The piece nearest to a point: active where the multiplier is larger than the slack."""
    values, _ = functions.at(z)
    force = functions.shape.split(z)[2]
    return frozenset(np.flatnonzero(force > -values[LOWER_AT_MOST]).tolist())


def descend(
    functions: Functions, rivals: Rivals, start: np.ndarray, piece: Piece
) -> Candidate | None:
    """From piece to neighbouring piece while the upper objective falls.

    None where no piece that was tried has a feasible point.
    """
    best: Candidate | None = None
    seen: set[Piece] = set()
    waiting = [piece]
    while waiting and len(seen) < _MOST_PIECES:
        trial = waiting.pop(0)
        if trial in seen:
            continue
        seen.add(trial)
        answer, violation = _solve_piece(
            functions, rivals, start if best is None else best.point, trial
        )
        if violation > _FEASIBLE:
            continue
        value = float(functions.at(answer)[0][UPPER])
        if best is not None and value >= best.value - 1e-9 * (1 + abs(value)):
            continue
        best = Candidate(answer, value, trial, complete=False)
        waiting = [one for one in _pieces_at(functions, best) if one not in seen]
    if best is None:
        return None
    undecided = _undecided(functions, best.point, best.piece or frozenset())
    complete = not waiting and len(undecided) <= _MOST_COMBINED
    return Candidate(best.point, best.value, best.piece, complete)


def _undecided(functions: Functions, z: np.ndarray, piece: Piece) -> list[int]:
    """The follower's constraints that are active and have no force."""
    values, _ = functions.at(z)
    slack, force = values[LOWER_AT_MOST], functions.shape.split(z)[2]
    return [
        index
        for index in range(slack.size)
        if (force[index] <= _NONE if index in piece else slack[index] >= -_NONE)
    ]


def _pieces_at(functions: Functions, found: Candidate) -> Iterable[Piece]:
    piece = found.piece or frozenset()
    undecided = _undecided(functions, found.point, piece)
    if len(undecided) > _MOST_COMBINED:
        return [piece ^ {index} for index in undecided]
    certain = piece - set(undecided)
    counts = range(len(undecided) + 1)
    combined = itertools.chain(*(itertools.combinations(undecided, count) for count in counts))
    return [certain | frozenset(one) for one in combined]


def _solve_piece(
    functions: Functions, rivals: Rivals, start: np.ndarray, piece: Piece
) -> tuple[np.ndarray, float]:
    """The minimum of a piece in z, and its violation; multipliers without force are left out."""
    program, free = piece_program(functions, rivals, piece)
    answer = solve_program(program, start[free], steps=_STEPS)
    z = np.zeros_like(start)
    z[free] = answer.point
    return z, answer.violation


def piece_program(functions: Functions, rivals: Rivals, piece: Piece) -> tuple[Program, np.ndarray]:
    """A piece as a program in the entries of z that it leaves free, and which these are."""
    shape = functions.shape
    free = np.ones(shape.all, bool)
    own = np.arange(shape.at_most)
    free[shape.choices + own] = np.isin(own, list(piece))
    least = np.full(shape.all, -np.inf)
    least[shape.choices : shape.choices + shape.at_most] = 0.0

    def evaluate(w: np.ndarray) -> Evaluation:
        z = np.zeros(shape.all, w.dtype)
        z[free] = w
        here = _evaluation(functions, rivals, z, piece)
        return Evaluation(
            here.value,
            here.slope[free],
            here.at_most,
            here.at_most_slopes[:, free],
            here.equal,
            here.equal_slopes[:, free],
        )

    return Program(evaluate, least[free], np.full(int(free.sum()), np.inf)), free


def _evaluation(functions: Functions, rivals: Rivals, z: np.ndarray, piece: Piece) -> Evaluation:
    """All parts at z, the constraints of a piece among the equalities."""
    values, slopes = functions.at(z)
    active = np.isin(np.arange(functions.shape.at_most), list(piece))
    rival_values, rival_slopes = rivals.constraints(z)
    equal = (UPPER_EQUAL, STATIONARITY, LOWER_EQUAL)
    below, below_slopes = values[LOWER_AT_MOST], slopes[LOWER_AT_MOST]
    return Evaluation(
        float(values[UPPER]),
        slopes[UPPER],
        np.concatenate([values[UPPER_AT_MOST], below[~active], rival_values]),
        np.concatenate([slopes[UPPER_AT_MOST], below_slopes[~active], rival_slopes]),
        np.concatenate([*(values[part] for part in equal), below[active]]),
        np.concatenate([*(slopes[part] for part in equal), below_slopes[active]]),
    )
