"""Lower levels re-solved from other starting points: is a better response to be found?"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from mlodsl.calculus import choices, point_of
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..nest import Nest
from ..oracle import evaluate_top, objectives
from ..outcome import Outcome

# How far from the response the starts are, in units of 1 + its size, in the order of trying.
_SPREADS = (1.0, 0.3, 4.0, 30.0, 0.6, 2.0, 10.0)

# Turns of a level, at most: from far off, a nest of levels may take all that each is allowed.
_PATIENCE = 60


@dataclass(frozen=True, slots=True)
class BetterResponse:
    """A response of a level that should have been found instead of the certified one.

    Arguments:
        own: the level's variables there.
        gain: how much better it is: for the level itself, or with a `tie`, where it is as good
            for the level, for the level above, in whose favour ties break.
        unbounded: whether the level's objective runs away there.
    """

    level: int
    own: np.ndarray
    gain: float
    unbounded: bool
    tie: bool = False


def search_better_responses(
    nest: Nest,
    problem: Problem,
    point: Point,
    generator: np.random.Generator,
    *,
    seconds: float,
) -> tuple[list[BetterResponse], int]:
    """Re-solves each lower level from other starts, the levels above it held still.

    The starts come in pairs on opposite sides of the response, and the levels take turns. The
    levels below start from their own response, so that they stay on it.

    Arguments:
        seconds: no new start is tried after so long.

    Returns:
        The better responses found, at most one a level, and how many starts were tried.
    """
    sizes = nest.game.sizes
    certified = [np.asarray(vector) for vector in choices(sizes, 0, point.flat)]
    values = np.asarray(objectives(problem, tuple(map(jnp.asarray, certified))))
    found: dict[int, BetterResponse] = {}
    tried = 0
    began = time.perf_counter()
    for spread, level in itertools.product(_SPREADS, range(1, len(sizes))):
        still = jnp.array([0 < other < level for other in range(len(sizes))])
        patience = jnp.array(_PATIENCE, jnp.int32)
        held = eqx.tree_at(lambda n: (n.frozen, n.patience), nest, (still, patience))
        shift = _shift(certified[level], spread, generator)
        for start in (certified[level] + shift, certified[level] - shift):
            if level in found:
                break
            if tried and time.perf_counter() - began > seconds:
                return list(found.values()), tried
            guess = [*certified[1:level], start, *certified[level + 1 :]]
            flat = point_of(sizes, 1, tuple(map(jnp.asarray, guess)))
            zero = jnp.zeros((), flat.dtype)
            answer = evaluate_top(held, jnp.asarray(certified[0]), flat, zero)
            tried += 1
            better = _compare(problem, level, values, answer, sizes)
            if better is not None:
                found[level] = better
    return list(found.values()), tried


def _shift(vector: np.ndarray, spread: float, generator: np.random.Generator) -> np.ndarray:
    """A random change whose entries are `spread` in the root mean square, relative to 1 + size."""
    direction = generator.standard_normal(vector.shape)
    direction /= np.sqrt(np.mean(direction**2))
    return (spread * (1 + np.abs(vector)) * direction).astype(vector.dtype)


def _compare(
    problem: Problem,
    level: int,
    values: np.ndarray,
    answer: Point,
    sizes: tuple[int, ...],
) -> BetterResponse | None:
    vectors = choices(sizes, 0, answer.flat)
    gains = values - np.asarray(objectives(problem, vectors))
    gain = float(gains[level])
    outcomes = np.asarray(answer.outcomes)[level:]
    own = np.asarray(vectors[level])
    eps = np.finfo(own.dtype).eps
    noise = eps**0.5 * (1 + np.abs(values))
    # A level below that failed says nothing of this one.
    if np.isnan(gain) or np.any(outcomes[1:] > Outcome.STALLED):
        return None
    if gain <= noise[level]:
        is_tie = outcomes[0] == Outcome.SOLVED and gain >= -noise[level]
        if is_tie and gains[level - 1] > noise[level - 1]:
            return BetterResponse(level, own, float(gains[level - 1]), unbounded=False, tie=True)
        return None
    return BetterResponse(level, own, gain, unbounded=bool(outcomes[0] == Outcome.UNBOUNDED))
