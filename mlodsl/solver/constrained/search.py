"""Local answers from several starts, the follower's answer verified at each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .boxes import lower_bounds, upper_box
from .follower import Box, LowerBounds, best_answer, lower_point, multipliers
from .functions import LOWER, Functions
from .kkt import Candidate, descend, piece_of, relaxed
from .rivals import Rivals
from .value_function import minimize_under_rivals

# Relative to 1 + the size of the follower's objective.
GAP = 1e-7
_ROUNDS = 6
_SAME = 1e-6
# How far from stationary the follower may be at his best answer.
_STATIONARY = 1e-6
_HUGE = 1e4


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """A candidate at which no better answer of the follower was found.

    Arguments:
        gap: the follower's objective less the best value that was found.
    """

    candidate: Candidate
    gap: float


@dataclass(slots=True)
class Search:
    """What a search has found: local answers, best first, and rivals of the follower's."""

    functions: Functions
    rivals: Rivals
    box: Box
    bounds: LowerBounds
    generator: np.random.Generator
    found: list[LocalAnswer]


def new_search(functions: Functions, seed: int) -> Search:
    """A search that has found nothing yet."""
    rivals = Rivals(functions)
    generator = np.random.default_rng(seed)
    return Search(functions, rivals, upper_box(functions), lower_bounds(functions), generator, [])


def starts_of(here: Search, count: int) -> list[np.ndarray]:
    """The model's start and others spread over the upper level's box."""
    x, _ = here.functions.start
    return [x, *here.box.sample(here.generator, count - 1, x)]


def search_from(here: Search, x: np.ndarray, y: np.ndarray) -> None:
    """Adds the local answers that an upper choice leads to.

    A better answer of the follower than a candidate's becomes a rival. Where he has no multipliers
    at his answer to the choice, rivals alone stand for his conditions.
    """
    functions = here.functions
    if functions.shape.lower:
        best = best_answer(functions, x, [y], here.bounds, here.generator)
        y = y if best is None else best.point
        force, _, residual = multipliers(functions, x, y)
        # Next to a point without multipliers they are huge.
        has_some = residual <= _STATIONARY * (1 + np.linalg.norm(y)) and np.max(
            force, initial=0.0
        ) <= _HUGE * (1 + np.linalg.norm(y))
        if best is not None and not has_some:
            own = np.concatenate([x, y])
            found = minimize_under_rivals(functions, own, here.bounds, here.generator)
            if found is not None and not _is_known(here, found):
                _verified(here, found)
    z = lower_point(functions, x, y) if functions.shape.lower else x
    for turn in range(_ROUNDS):
        again = None
        for candidate in _candidates(here, z, relaxing=turn == 0):
            if _is_known(here, candidate):
                continue
            better = _verified(here, candidate)
            own = functions.shape.split(candidate.point)[0]
            if better is not None and here.rivals.add(own, better):
                again = lower_point(functions, own, better)
        if again is None:
            return
        z = again


def _candidates(here: Search, z: np.ndarray, *, relaxing: bool) -> Iterator[Candidate]:
    """Local minima over the pieces, from z itself and from where relaxed pieces lead."""
    functions, rivals = here.functions, here.rivals
    direct = descend(functions, rivals, z, piece_of(functions, z))
    if direct is not None:
        yield direct
    if functions.shape.at_most and (direct is None or relaxing):
        loose = relaxed(functions, rivals, z)
        through = descend(functions, rivals, loose, piece_of(functions, loose))
        if through is not None:
            yield through


def _is_known(here: Search, candidate: Candidate) -> bool:
    shape = here.functions.shape
    own = candidate.point[: shape.choices]
    size = _SAME * (1 + np.linalg.norm(own))
    return any(
        np.linalg.norm(own - one.candidate.point[: shape.choices]) <= size for one in here.found
    )


def _verified(here: Search, candidate: Candidate) -> np.ndarray | None:
    """A better answer of the follower; where there is none, the candidate is kept."""
    functions = here.functions
    gap = 0.0
    if functions.shape.lower:
        x, y, _, _ = functions.shape.split(candidate.point)
        value = float(functions.at(candidate.point)[0][LOWER])
        best = best_answer(functions, x, [y], here.bounds, here.generator)
        if best is not None:
            gap = value - best.value
            if gap > GAP * (1 + abs(value)):
                return best.point
    here.found.append(LocalAnswer(candidate, gap))
    return None
