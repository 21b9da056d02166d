"""Whether one response of the lower levels is better than another, beyond rounding."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Array, Float

from mlodsl.calculus import Game, Vectors, point_of
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..goals import ROUNDINGS
from ..lanes import Each, Judge, clock, in_tuple, joined
from ..nest import Nest
from ..oracle import at_once, evaluate_many, evaluate_top, evaluate_with_objectives
from ..outcome import Outcome
from ..readings import objectives, objectives_around
from .lower import LowerLevel
from .norms import eps_of, norm

# How far off a solved response may be, relative to 1 + its size: what levels above see of it.
_SOLVED = 1e-9

# How much worse a twin may be, relative to 1 + the size of the objectives.
_TWIN = 1e-6

# How often a point is moved a little, to see how exact its objectives are.
_DRAWS = 3

# Twins of a level that are kept.
_MOST_TWINS = 4

# How many places on a line are evaluated at once.
_BATCH = 64


@dataclass(frozen=True, slots=True)
class BetterResponse:
    """A response of a level that should have been found instead of the certified one.

    Arguments:
        own: the level's variables there.
        gain: how much better it is for the level itself, or with a tie, where it is as good for
            that, for the level `favours`, as ties break in favour of levels above.
        unbounded: whether the level's objective runs away there.
        favours: the level that decides a tie; None where there is no tie.
    """

    level: int
    own: np.ndarray
    gain: float
    unbounded: bool = False
    favours: int | None = None


@dataclass(frozen=True, slots=True)
class Twin:
    """An answer of a level that is as good as the certified one, for it and all levels above,
    but for a little.

    Arguments:
        vectors: of all levels.
    """

    level: int
    vectors: list[np.ndarray]


class Answers:
    """Responses of the lower levels to one choice of the top level, and their values.

    Arguments:
        point: the certified point.
        reads: its lower levels.
        patience: turns that a level may take, at most.
    """

    def __init__(
        self,
        nest: Nest,
        problem: Problem,
        point: Point,
        reads: list[LowerLevel],
        generator: np.random.Generator,
        patience: int,
    ) -> None:
        self.sizes = nest.game.sizes
        self.problem = problem
        self.generator = generator
        self._free, self._patience = nest, patience
        self._nests: dict[int, Nest] = {}
        self._ends = list(itertools.accumulate(self.sizes))
        self.certified = self.vectors_of(np.asarray(point.flat))
        # The vectors that were solved last, whose objectives came along.
        self._solved: tuple[list[np.ndarray] | None, np.ndarray] = (None, np.zeros(0))
        self._inexact = np.array([0.0, *map(_inexactness, reads)])
        own, *below = self.sizes
        errors = zip(below, map(_error_of_answer, reads), strict=True)
        # How far off each variable of a level may be that is solved as far as rounding allows.
        self._off = np.concatenate([np.zeros(own), *(np.full(*one) for one in errors)])
        self.values, self.noise, self.direct = self._measure(self.certified)
        self.gaps = np.zeros(len(self.sizes))
        self.tried = 0
        self.twins: list[Twin] = []

    def _nest(self, level: int) -> Nest:
        """The nest that holds the levels above `level` still."""
        if level not in self._nests:
            still, patience = _held_above(level, len(self.sizes), self._patience)
            self._nests[level] = self._free.replaced(frozen=still, patience=patience)
        return self._nests[level]

    def vectors_of(self, flat: np.ndarray) -> list[np.ndarray]:
        """All levels' variables inside u_0."""
        return [flat[end - size : end] for end, size in zip(self._ends, self.sizes, strict=True)]

    def values_at(self, vectors: list[np.ndarray]) -> np.ndarray:
        """All objectives, as minimisations."""
        if vectors is self._solved[0]:
            return self._solved[1]
        return np.asarray(objectives(self.problem, tuple(vectors)))

    def solve(self, level: int, vectors: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
        """Solves `level` and those below from given vectors, the levels above held still.

        Returns:
            All levels' variables, and how the solve of each ended.
        """
        flat = point_of(self.sizes, 1, tuple(vectors[1:]))
        answer, values, _ = evaluate_with_objectives(self._nest(level), vectors[0], flat)
        outcomes = np.asarray(answer.outcomes)
        # What was given up tells nothing of its start.
        self.tried += int((outcomes[level:] < Outcome.LIMIT).any())
        found = self.vectors_of(np.asarray(answer.flat))
        self._solved = (found, np.asarray(values))
        return found, outcomes

    def responses(
        self, level: int, starts: np.ndarray, deadline: float, *, every: bool
    ) -> Iterator[tuple[np.ndarray, BetterResponse | None]]:
        """`solve` from the certified point with other variables of a level, a row each, one after
        the other as they are taken: u_0, and what `compare` says of it.

        Arguments:
            every: whether those of which there is nothing to be said are wanted too.
            deadline: on `clock`; no start but the first of all is tried after it.
        """
        size = len(starts) if at_once(self._free) else 1
        end = self._ends[level] - self.sizes[0]
        guess = point_of(self.sizes, 1, tuple(self.certified[1:]))
        for first in range(0, len(starts), size):
            if self.tried and clock() > deadline:
                return
            own = starts[first : first + size]
            guesses = np.repeat(guess[None], len(own), axis=0)
            guesses[:, end - self.sizes[level] : end] = own
            judge, given = _judge_of(self.sizes, level), self._given(level)
            asked = (self._nest(level), self.certified[0], Each(guesses))
            found = evaluate_many(*asked, judge, *given)
            silent, tells = (column.tolist() for column in found.judged)
            if not every and all(silent):
                self.tried += sum(tells)
                continue
            for row, flat in enumerate(found.flats):
                self.tried += tells[row]
                better = None
                if not silent[row]:
                    vectors = self.vectors_of(flat)
                    self._solved = (vectors, found.objectives[row])
                    better = self.compare(level, vectors, found.outcomes[row])
                yield flat, better

    def _given(self, level: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What responses of a level are judged by, for `_judge_of`."""
        eps = eps_of(self.certified[level])
        small = eps**0.5 * (1 + abs(float(self.values[level])))
        limits = np.array([small, max(small, float(self.noise[level, 0]))])
        return self.certified[level], self.values, self._close(), limits

    def _close(self) -> np.ndarray:
        """How much worse a twin may be: beside the point, by what is left of its error, either of
        two answers is the better one."""
        return _TWIN * (1 + np.abs(self.values))

    def compare(
        self, level: int, vectors: list[np.ndarray], outcomes: np.ndarray
    ) -> BetterResponse | None:
        """The response as a better one, where it is better for its level, or breaks a tie."""
        values = self.values_at(vectors)
        rows = (np.concatenate(vectors), np.zeros(0), outcomes, values, *self._given(level))
        if _judge_of(self.sizes, level)(*(one[None] for one in rows))[0][0]:
            return None
        gains = self.values - values
        gain = float(gains[level])
        noise = self.noise
        own = vectors[level]
        if abs(gain) <= eps_of(own) ** 0.5 * (1 + abs(self.values[level])):
            noise = np.maximum(noise, self._measure(vectors)[1])
        if gain > noise[level, 0]:
            self.gaps[level] = max(self.gaps[level], gain)
            unbounded = bool(outcomes[level] == Outcome.UNBOUNDED)
            return BetterResponse(level, own, gain, unbounded)
        if outcomes[level] != Outcome.SOLVED:
            return None
        if np.all((gains >= -self._close())[: level + 1]):
            self._remember_twin(Twin(level, vectors))
        if gain < -noise[level, 0]:
            return None
        for above in range(level - 1, -1, -1):
            if gains[above] > noise[above, 1]:
                return BetterResponse(level, own, float(gains[above]), favours=above)
            if gains[above] < -noise[above, 1]:
                return None
        return None

    def slope_at(self, vectors: list[np.ndarray]) -> np.ndarray:
        """The top level's total gradient along an answer of the levels below."""
        flat = point_of(self.sizes, 1, tuple(vectors[1:]))
        found = evaluate_top(self._nest(1), vectors[0], flat, np.zeros((), flat.dtype))
        return np.asarray(found.gradient)

    def _remember_twin(self, twin: Twin) -> None:
        """Keeps a few answers that are apart from the certified one and from each other."""
        own = twin.vectors[twin.level]
        scale = 1e-3 * (1 + np.abs(own))
        known = [one.vectors[twin.level] for one in self.twins if one.level == twin.level]
        others = [self.certified[twin.level], *known]
        apart = [np.max(np.abs(own - other) / scale) > 1 for other in others]
        if len(known) < _MOST_TWINS and all(apart):
            self.twins.append(twin)

    def _measure(self, vectors: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All objectives, and what can't be told of each: by its own level, and by one above a
        response; and the top objective's gradient in its own variables alone.

        A level is at a minimum of its objective, where its own inexact answer doesn't show; the
        levels above see the error of the answer itself, first of all its rounding.
        """
        here = np.concatenate(vectors)
        eps = eps_of(here)
        sizes = np.array([4 * eps, _SOLVED if eps < 1e-12 else eps**0.5])
        signs = np.where(self.generator.random((2 * _DRAWS, here.size)) < 0.5, -1, 1)
        moves = sizes[:, None] * (np.abs(here) + eps)
        moves[0] = np.maximum(moves[0], np.minimum(self._off, sizes[1] * (1 + np.abs(here))))
        moved = here + moves.repeat(_DRAWS, axis=0) * signs
        rows = np.concatenate([here[None], moved.astype(here.dtype)])
        stacks = tuple(
            rows[:, end - size : end] for end, size in zip(self._ends, self.sizes, strict=True)
        )
        around, direct = objectives_around(self.problem, stacks)
        found = np.asarray(around)
        values = found[0]
        changes = np.abs(found[1:] - values)
        changes[~np.isfinite(changes)] = 0
        worst = changes.reshape(2, _DRAWS, -1).max(1)
        scale = np.abs(values)
        # A value that jumps is not an inexact one.
        worst = np.minimum(4 * worst + self._inexact, eps**0.5 * (1 + scale))
        return values, (worst + 16 * eps * scale).T, np.asarray(direct)


@functools.lru_cache(maxsize=256)
def _held_above(level: int, levels: int, patience: int) -> tuple[np.ndarray, np.ndarray]:
    """Which levels stand still, and the turns that the others may take; the same objects for all
    instances of a batch."""
    found = np.array([0 < other < level for other in range(levels)]), np.array(patience, np.int32)
    for one in found:
        one.setflags(write=False)
    return found


@functools.lru_cache(maxsize=256)
def _judge_of(sizes: tuple[int, ...], level: int) -> Judge:
    """The judge of responses of a level, a row each: of which there is nothing to be said, and
    which tell something of their start, as they weren't given up.

    There is nothing to be said of worse responses, and of the certified one found again. A level
    below that failed says nothing of this one.
    """
    end = sum(sizes[: level + 1])
    mine, below = slice(end - sizes[level], end), slice(level + 1, None)

    def judge(
        flats: np.ndarray,
        _: np.ndarray,
        outcomes: np.ndarray,
        values: np.ndarray,
        certified: np.ndarray,
        expected: np.ndarray,
        close: np.ndarray,
        limits: np.ndarray,
    ) -> tuple[np.ndarray, ...]:
        gains, own = expected - values, flats[:, mine]
        gain, (small, large) = gains[:, level], limits.T
        apart = np.abs(own - certified).max(1)
        again = (np.abs(gain) <= small) & (apart <= 1e-7 * np.abs(own).max(1))
        lower = (gains < -close)[:, : level + 1].any(1)
        failed = (outcomes[:, below] > Outcome.STALLED).any(1)
        silent = again | (lower & (gain < -large)) | failed | np.isnan(gain)
        tells = np.asarray((outcomes[:, level:] < Outcome.LIMIT).any(1))
        return silent, tells

    return judge


def _inexactness(read: LowerLevel) -> float:
    """What the last digits of a level's answer make of its objective, by its curvature."""
    if read.curvature is None:
        return 0.0
    digits = 10 * eps_of(read.own) * (1 + norm(read.own))
    return 100 * abs(read.curvature.largest) * digits**2


def _error_of_answer(read: LowerLevel) -> float:
    """How far off each variable is, if the gradient is no more than rounding (`goals.rounding`)."""
    curvature = read.curvature
    if curvature is None or not curvature.smallest > 0:
        return 0.0
    scale = min(1.0, curvature.largest * (1 + norm(read.own)))
    return ROUNDINGS * eps_of(read.own) * scale / curvature.smallest / read.own.size**0.5


def values_along(
    answers: Answers, vectors: list[np.ndarray], line: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """The lowest level's objective at places on a line through its variables, all others held."""
    own = vectors[-1]
    padding = -len(places) % _BATCH
    batches = np.concatenate([places, np.zeros(padding)]).reshape(-1, _BATCH)
    tried = (own + batches[:, :, None] * line).astype(own.dtype)
    above = tuple(vectors[:-1])
    found = _lowest_objective.of_many(in_tuple, answers.problem, above, Each(tried))[0]
    return found.reshape(-1)[: len(places)]


@joined
def _lowest_objective(
    game: Game, above: Vectors, own: Float[Array, "batch own"]
) -> Float[Array, " batch"]:
    lowest = len(game.sizes) - 1
    return jax.vmap(lambda vector: game.objective(lowest, (*above, vector)))(own)


def with_own(vectors: list[np.ndarray], level: int, own: np.ndarray) -> list[np.ndarray]:
    """All levels' variables with those of one level exchanged."""
    return [*vectors[:level], own.astype(vectors[level].dtype), *vectors[level + 1 :]]
