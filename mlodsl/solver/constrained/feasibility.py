"""The constraints of all levels at a point, whoever they bind."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.modules import Problem

from ..compiling import compiled
from .nlp import Evaluation, Program, repaired

Vectors = tuple[np.ndarray, ...]


def violations(
    problem: Problem, vectors: Vectors, duals: dict[str, Any] | None = None
) -> tuple[float, str]:
    """The largest violation of a constraint, and which one it is, in words.

    Arguments:
        duals: multipliers of named constraints; None: all zero.
    """
    traced = tuple(map(jnp.asarray, vectors))
    worst, where = 0.0, ""
    for level, name in enumerate(problem.level_names):
        for player, info in enumerate(problem.structure.players(level)):
            at_most, equal = problem.constraints(level, traced, player, duals)
            labels = problem.constraint_labels(level, traced, player)
            owner = f"level `{name}`"
            if problem.structure.checked.levels[level].has_players:
                owner = f"player `{info.name}` of {owner}"
            sizes = (np.maximum(np.asarray(at_most), 0), np.abs(np.asarray(equal)))
            for size, own in zip(sizes, labels, strict=True):
                if size.size and not float(np.max(size)) <= worst:
                    worst = float(np.max(size))
                    where = f"{own[int(np.argmax(size))]} of {owner}"
    return worst, where


def nearest_feasible(problem: Problem, vectors: Vectors, still: int = 0) -> Vectors:
    """The point nearest to a start, in the least squares, that violates least.

    Arguments:
        still: how many levels, from the top, stand still.
    """
    ends = np.cumsum([vector.size for vector in vectors])[:-1]
    held = sum(vector.size for vector in vectors[:still])
    start = np.concatenate(vectors)
    size = start.size - held

    def evaluate(part: np.ndarray) -> Evaluation:
        point = np.concatenate([start[:held], part])
        found = jax.device_get(_all_constraints(problem, tuple(np.split(point, ends))))
        (at_most, equal), (at_most_slopes, equal_slopes) = found
        kept = at_most > -np.inf
        return Evaluation(
            0.0,
            np.zeros(size),
            at_most[kept],
            at_most_slopes[kept][:, held:],
            equal,
            equal_slopes[:, held:],
        )

    unbounded = np.full(size, np.inf)
    found = repaired(Program(evaluate, -unbounded, unbounded), start[held:])
    return tuple(np.split(np.concatenate([start[:held], found]), ends))


@compiled
def _all_constraints(
    problem: Problem, vectors: tuple[Any, ...]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    ends = np.cumsum([vector.size for vector in vectors])[:-1]

    def values(point: Array) -> tuple[Array, Array]:
        split = tuple(jnp.split(point, ends))
        found = [
            problem.constraints(level, split, player)
            for level in range(problem.number_of_levels)
            for player in range(len(problem.structure.players(level)))
        ]
        at_most, equal = (jnp.concatenate(part) for part in zip(*found, strict=True))
        return at_most, equal

    point = jnp.concatenate(vectors)
    at_most, equal = values(point)
    by_part = jax.jacfwd(values)(point)
    # A bound without end has no derivative worth the name.
    slopes = jnp.where(jnp.isfinite(at_most)[:, None], by_part[0], 0.0)
    return (at_most, equal), (slopes, by_part[1])
