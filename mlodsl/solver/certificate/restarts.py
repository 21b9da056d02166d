"""Lower levels re-solved from other starting points: is a better response to be found?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..lanes import clock
from ..nest import Nest
from .better import Answers, BetterResponse, values_along
from .directions import both_sides, lines, valleys
from .jumps import best_answer, search_over_jumps
from .lower import LowerLevel
from .twins import twin_finding

# How far from the response the starts are, in units of 1 + its size, in the order of trying.
_SPREADS = (1.0, 0.3, 4.0, 30.0, 0.6, 2.0, 10.0)

# Turns of a level, at most: from far off, a nest of levels may take all that each is allowed.
_PATIENCE = 60

# Where the lowest level's objective is looked at along lines.
_CLOSE = both_sides(1e-9, 100.0, 67, 200)
_STARTS_OF_A_LINE = 6
_MIDDLE_SIZE = 8


@dataclass(frozen=True, slots=True)
class Search:
    """What was found by re-solving the lower levels from elsewhere.

    Arguments:
        better: responses that should have been found, at most one a level.
        starts: how many starts were tried.
        value: of the top objective at the certified response, as a minimisation.
        direct: its gradient there in its own variables alone.
        gaps: for each level how much better than the certified response the best one found is.
        noise: for each level what can't be told from 0 in that.
        twin: what speaks against the point along another answer that is as good at it.
    """

    better: list[BetterResponse]
    starts: int
    value: float
    direct: np.ndarray
    gaps: np.ndarray
    noise: np.ndarray
    twin: str | None


def search_better_responses(
    nest: Nest,
    problem: Problem,
    point: Point,
    reads: list[LowerLevel],
    generator: np.random.Generator,
    *,
    seconds: float,
    first: int = 1,
) -> Search:
    """Re-solves each lower level from other starts, the levels above it held still.

    First from random starts in pairs on opposite sides of the response, the levels in turns; the
    levels below start from their own response, so that they stay on it. Then from the valleys of
    the level's objective along lines.

    Arguments:
        reads: the lower levels at the point.
        seconds: no new start is tried after so long.
        first: the first level that answers; those above stand still.
    """
    answers = Answers(nest, problem, point, reads, generator, _PATIENCE)
    deadline = clock() + seconds
    found: dict[int, BetterResponse] = {}
    bottom = len(answers.sizes) - 1
    wells: list[np.ndarray] = []
    # What the lowest level finds is of use to levels between.
    every = bottom > first
    looks = {}
    for level in range(first, bottom + 1):
        starts = _starts(answers.certified[level], generator)
        looks[level] = answers.responses(level, starts, deadline, every=every)
    for _, level, _ in itertools.product(_SPREADS, looks, (1, -1)):
        response = None if level in found else next(looks[level], None)
        if response is None:
            continue
        flat, better = response
        if better is not None and level < bottom and not better.unbounded:
            # Only with the best answer of the levels below.
            vectors = answers.vectors_of(flat)
            vectors, outcomes = best_answer(answers, level + 1, vectors, wells)
            better = answers.compare(level, vectors, outcomes)
        if better is not None:
            found[level] = better
        if level == bottom > first:
            _remember(wells, answers.vectors_of(flat)[bottom])
    for read in reversed(reads):
        if read.level in found or read.level < first:
            continue
        axis = None if read.curvature is None else read.curvature.axis
        if read.level == bottom:
            close = _along_lines(answers, bottom, axis, wells, deadline)
        elif answers.sizes[read.level] <= _MIDDLE_SIZE and bottom not in found:
            close = search_over_jumps(answers, read.level, axis, wells, deadline)
        else:
            continue
        if close is not None:
            found[read.level] = close
    twin = None
    if not found and first == 1:
        twin = twin_finding(answers, problem, generator, seconds=seconds)
    return Search(
        list(found.values()),
        answers.tried,
        float(answers.values[0]),
        answers.direct,
        answers.gaps,
        answers.noise[:, 0],
        twin,
    )


def _along_lines(
    answers: Answers,
    level: int,
    axis: np.ndarray | None,
    wells: list[np.ndarray],
    deadline: float,
) -> BetterResponse | None:
    """The lowest level, re-solved from the valleys of its objective along lines."""
    certified = answers.certified
    for line in lines(certified[level], axis, answers.generator, 4):
        values = values_along(answers, certified, line, _CLOSE)
        places = valleys(values, _STARTS_OF_A_LINE)
        starts = certified[level] + np.multiply.outer(_CLOSE[places], line)
        starts = starts.astype(certified[level].dtype)
        for flat, better in answers.responses(level, starts, deadline, every=level > 1):
            if better is not None:
                return better
            if level > 1:
                _remember(wells, answers.vectors_of(flat)[level])
    return None


def _remember(wells: list[np.ndarray], own: np.ndarray) -> None:
    """Keeps a few answers that are apart from each other."""
    if len(wells) < 4 and np.all(np.isfinite(own)):
        scale = 1 + np.abs(own)
        if all(np.max(np.abs(own - well) / scale) > 1e-3 for well in wells):
            wells.append(own)


def _starts(vector: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Starts of a level around its certified answer, a row each, in pairs on opposite sides.

    Random changes, whose entries are a spread in the root mean square, relative to 1 + size.
    """
    directions = generator.standard_normal((len(_SPREADS), vector.size))
    directions /= np.sqrt((directions**2).sum(1) / vector.size)[:, None]
    shifts = (np.array(_SPREADS)[:, None] * (1 + np.abs(vector)) * directions).astype(vector.dtype)
    both = np.concatenate([vector + shifts, vector - shifts], axis=1)
    return both.reshape(-1, vector.size)
