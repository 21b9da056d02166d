"""Answers that are as good as the certified one for every level here, but not close by.

Where a level is indifferent between two answers apart from each other, and so are the levels
above, the leader may follow either as he moves: a minimum along the certified one is none where
he falls along the other.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from mlodsl.modules import Problem

from ..lanes import clock
from ..outcome import Outcome
from .better import Answers, Twin
from .names import quote_choice
from .sentences import level_words

_LENGTHS = (1e-3, 1e-2, 1e-1)
_MOST_AXES = 8
_RANDOM = 4


def twin_finding(
    answers: Answers, problem: Problem, generator: np.random.Generator, *, seconds: float
) -> str | None:
    """A sentence on a twin along which the top level falls; None where none was found.

    A twin is followed in its own steepest descent, along the axes, and at random, while its level
    likes it no less than the certified answer.

    Arguments:
        seconds: no new step is tried after so long.
    """
    if not answers.twins:
        return None
    deadline = clock() + seconds
    x = answers.certified[0]
    size = 1 + float(np.linalg.norm(x))
    for twin in answers.twins:
        for direction in _directions(answers, twin, generator):
            for length in _LENGTHS:
                if clock() > deadline:
                    return None
                moved = np.asarray(problem.project(0, jnp.asarray(x + length * size * direction)))
                found = _better_along(answers, twin, moved)
                if found is not None:
                    name, other = (level_words(problem, level)[0] for level in (0, twin.level))
                    here = quote_choice(problem, twin.level, twin.vectors[twin.level])
                    there = quote_choice(problem, 0, found)
                    return (
                        f"{other} has another best response, {here}: as good here for itself and "
                        f"for {name}, which does better with it close by, at {there}; start there "
                        "with `var … = …`"
                    )
    return None


def _directions(answers: Answers, twin: Twin, generator: np.random.Generator) -> list[np.ndarray]:
    """Directions of length 1: the steepest descent along the twin first."""
    size = answers.certified[0].size
    found = list(np.eye(size)[:_MOST_AXES])
    found += [-axis for axis in found]
    drawn = generator.standard_normal((_RANDOM, size))
    found += list(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
    slope = answers.slope_at(twin.vectors)
    length = float(np.linalg.norm(slope))
    if np.isfinite(length) and length > 0:
        found.insert(0, -slope / length)
    return [direction.astype(answers.certified[0].dtype) for direction in found]


def _better_along(answers: Answers, twin: Twin, moved: np.ndarray) -> np.ndarray | None:
    """The moved choice, where the twin is still a best answer and better for the top level."""
    other, ended = answers.solve(1, [moved, *twin.vectors[1:]])
    if np.any(ended[1:] != Outcome.SOLVED):
        return None
    values = answers.values_at(other)
    here = answers.values[0]
    noise = 10 * answers.noise[0, 1] + 1e-9 * (1 + abs(here))
    if not values[0] < here - noise:
        return None
    kept, ended = answers.solve(1, [moved, *answers.certified[1:]])
    rival = answers.values_at(kept)
    level = twin.level
    if np.any(ended[1:] != Outcome.SOLVED):
        return None
    return moved if values[level] <= rival[level] + answers.noise[level, 0] else None
