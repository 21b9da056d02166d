"""Middle levels whose own objective jumps, because the answer of the levels below them does.

The lowest level's best response may jump from one well to another as a level above it moves.
Solves that follow one well don't see that; here the well is looked for anew at every place.
"""

from __future__ import annotations

import numpy as np

from ..lanes import clock
from .better import Answers, BetterResponse, values_along, with_own
from .directions import both_sides, lines, valleys

# Where a middle level is looked at along a line, outward, and the lowest level at each place.
_PLACES = np.unique(np.concatenate([np.geomspace(1e-6, 100, 17), np.linspace(0.25, 6, 24)]))
_BESIDE = np.sort(np.append(both_sides(1e-2, 30.0, 15, 24), 0.0))
_BISECTIONS = 24

# Answers at neighbouring places that are further apart may be in different wells.
_JUMP = 0.05


def search_over_jumps(
    answers: Answers,
    level: int,
    axis: np.ndarray | None,
    wells: list[np.ndarray],
    deadline: float,
) -> BetterResponse | None:
    """A better response of a middle level, the levels below at their best answer at each place.

    Arguments:
        axis: the direction of the level's least curvature.
        wells: answers of the lowest level that are known.
        deadline: of `clock`.
    """
    certified = answers.certified
    for line in lines(certified[level], axis, answers.generator, 2):
        for sign in (1, -1):
            before = certified
            for place in _PLACES:
                if clock() > deadline:
                    return None
                own = certified[level] + sign * place * line
                vectors, better = _look(answers, level, before, own, wells)
                if better is None and _apart(before, vectors) > _JUMP:
                    better = _close_in(answers, level, before, vectors, wells)
                if better is not None:
                    return better
                before = vectors
    return None


def _look(
    answers: Answers,
    level: int,
    before: list[np.ndarray],
    own: np.ndarray,
    wells: list[np.ndarray],
) -> tuple[list[np.ndarray], BetterResponse | None]:
    """The best answer of the levels below to a level's choice, and what it is worth."""
    vectors, outcomes = best_answer(answers, level + 1, with_own(before, level, own), wells)
    better = answers.compare(level, vectors, outcomes)
    return vectors, None if better is None or better.favours is not None else better


def _close_in(
    answers: Answers,
    level: int,
    near: list[np.ndarray],
    far: list[np.ndarray],
    wells: list[np.ndarray],
) -> BetterResponse | None:
    """Between two places with answers apart: each side of the jump, if it is one.

    A level may like the far side best right behind the jump, where a search from place to place
    steps over; or at its own minimum on the far side.
    """
    found, _ = answers.solve(level, far)
    _, better = _look(answers, level, found, found[level], wells)
    for _ in range(_BISECTIONS):
        if better is not None or _apart(near, far) <= _JUMP:
            break
        middle, better = _look(answers, level, near, (near[level] + far[level]) / 2, wells)
        if _apart(near, middle) >= _apart(middle, far):
            far = middle
        else:
            near = middle
    return better


def _apart(one: list[np.ndarray], other: list[np.ndarray]) -> float:
    """How far apart the lowest level's answers are, relative to 1 + their size."""
    return _distance(one[-1], other[-1])


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.max(np.abs(one - other) / (1 + np.abs(one))))


def best_answer(
    answers: Answers, level: int, vectors: list[np.ndarray], wells: list[np.ndarray]
) -> tuple[list[np.ndarray], np.ndarray]:
    """The best answer found of `level` and those below, the lowest level's well looked for anew.

    Returns:
        All levels' variables, and how the solves ended.
    """
    bottom = len(answers.sizes) - 1
    best, outcomes = answers.solve(level, vectors)
    worth = answers.values_at(best)
    # What is near the answer leads to it again.
    starts = [well for well in wells if _distance(best[bottom], well) > _JUMP]
    for line in lines(best[bottom], None, answers.generator, 1)[:2]:
        values = values_along(answers, best, line, _BESIDE)
        places = [_BESIDE[place] for place in valleys(values, 3)]
        starts += [best[bottom] + place * line for place in places if place != 0]
    for start in starts:
        found, ended = answers.solve(bottom, with_own(best, bottom, start))
        value = answers.values_at(found)
        noise = 1e-12 * (1 + abs(worth[bottom]))
        tie = abs(value[bottom] - worth[bottom]) <= noise
        broken = tie and value[bottom - 1] < worth[bottom - 1] - 1e3 * noise
        if value[bottom] < worth[bottom] - noise or broken:
            if level < bottom:
                found, ended = answers.solve(level, found)
                value = answers.values_at(found)
            best, outcomes, worth = found, ended, value
    return best, outcomes
