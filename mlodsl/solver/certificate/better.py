"""Whether one response of the lower levels is better than another, beyond rounding."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from mlodsl.calculus import Game, Vectors, choices, point_of
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..lanes import joined
from ..nest import Nest
from ..oracle import evaluate_with_objectives, objectives, objectives_of_many
from ..outcome import Outcome
from .lower import LowerLevel

# How far off a solved response may be, relative to 1 + its size: what levels above see of it.
_SOLVED = 1e-9

# How much worse a twin may be, relative to 1 + the size of the objectives.
_TWIN = 1e-6

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
        self.certified = [np.asarray(v) for v in choices(self.sizes, 0, point.flat)]
        self._free, self._patience = nest, patience
        self._nests: dict[int, Nest] = {}
        # The vectors that were solved last, whose objectives came along.
        self._solved: tuple[list[np.ndarray] | None, np.ndarray] = (None, np.zeros(0))
        self.values = self.values_at(self.certified)
        self._inexact = np.array([0.0, *map(_inexactness, reads)])
        self.noise = self._noise(self.certified, self.values)
        self.gaps = np.zeros(len(self.sizes))
        self.tried = 0
        self.twins: list[Twin] = []

    def _nest(self, level: int) -> Nest:
        """The nest that holds the levels above `level` still."""
        if level not in self._nests:
            still = np.array([0 < other < level for other in range(len(self.sizes))])
            limits = (still, np.array(self._patience, np.int32))
            self._nests[level] = eqx.tree_at(lambda n: (n.frozen, n.patience), self._free, limits)
        return self._nests[level]

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
        answer, values = evaluate_with_objectives(self._nest(level), vectors[0], flat)
        outcomes = np.asarray(answer.outcomes)
        # What was given up tells nothing of its start.
        self.tried += int(np.any(outcomes[level:] < Outcome.LIMIT))
        found = [np.asarray(v) for v in choices(self.sizes, 0, answer.flat)]
        self._solved = (found, np.asarray(values))
        return found, outcomes

    def compare(
        self, level: int, vectors: list[np.ndarray], outcomes: np.ndarray
    ) -> BetterResponse | None:
        """The response as a better one, where it is better for its level, or breaks a tie."""
        values = self.values_at(vectors)
        gains = self.values - values
        gain = float(gains[level])
        # A level below that failed says nothing of this one.
        if np.isnan(gain) or np.any(outcomes[level + 1 :] > Outcome.STALLED):
            return None
        noise = self.noise
        own = vectors[level]
        if abs(gain) <= np.finfo(own.dtype).eps ** 0.5 * (1 + abs(self.values[level])):
            apart = float(np.max(np.abs(own - self.certified[level])))
            if apart <= 1e-7 * float(np.max(np.abs(own))):
                return None
            noise = np.maximum(noise, self._noise(vectors, values))
        if gain > noise[level, 0]:
            self.gaps[level] = max(self.gaps[level], gain)
            unbounded = bool(outcomes[level] == Outcome.UNBOUNDED)
            return BetterResponse(level, own, gain, unbounded)
        if outcomes[level] != Outcome.SOLVED:
            return None
        # Beside the point, by what is left of its error, either of two answers is the better one.
        close = _TWIN * (1 + np.abs(self.values))
        if np.all((gains >= -close)[: level + 1]):
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
        found, _ = evaluate_with_objectives(self._nest(1), vectors[0], flat)
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

    def _noise(self, vectors: list[np.ndarray], values: np.ndarray) -> np.ndarray:
        """What can't be told of each objective: by its own level, and by one above a response.

        A level is at a minimum of its objective, where an inexact answer doesn't show; the
        levels above see the error of the answer itself.
        """
        eps = float(np.finfo(vectors[0].dtype).eps)
        found = []
        for size in (4 * eps, _SOLVED if eps < 1e-12 else eps**0.5):
            draws = [
                [
                    (v + size * (np.abs(v) + eps) * self.generator.choice([-1, 1], v.shape)).astype(
                        v.dtype
                    )
                    for v in vectors
                ]
                for _ in range(3)
            ]
            moved = tuple(np.stack(draw) for draw in zip(*draws, strict=True))
            changes = np.abs(np.asarray(objectives_of_many(self.problem, moved)) - values)
            worst = np.max(np.where(np.isfinite(changes), changes, 0), axis=0)
            # A value that jumps is not an inexact one.
            worst = np.minimum(4 * worst + self._inexact, eps**0.5 * (1 + np.abs(values)))
            found.append(worst + 16 * eps * np.abs(values))
        return np.stack(found, axis=1)


def _inexactness(read: LowerLevel) -> float:
    """What the last digits of a level's answer make of its objective, by its curvature."""
    if read.curvature is None:
        return 0.0
    digits = 10 * float(np.finfo(read.own.dtype).eps) * (1 + float(np.linalg.norm(read.own)))
    return 100 * abs(read.curvature.largest) * digits**2


def values_along(
    answers: Answers, vectors: list[np.ndarray], line: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """The lowest level's objective at places on a line through its variables, all others held."""
    own = vectors[-1]
    padding = -len(places) % _BATCH
    batches = np.pad(places, (0, padding)).reshape(-1, _BATCH)
    tried = (own + batches[:, :, None] * line).astype(own.dtype)
    above = tuple(vectors[:-1])
    found = [np.asarray(_lowest_objective(answers.problem, above, batch)) for batch in tried]
    return np.concatenate(found)[: len(places)]


@joined
def _lowest_objective(
    game: Game, above: Vectors, own: Float[Array, "batch own"]
) -> Float[Array, " batch"]:
    lowest = len(game.sizes) - 1
    return jax.vmap(lambda vector: game.objective(lowest, (*above, vector)))(own)


def with_own(vectors: list[np.ndarray], level: int, own: np.ndarray) -> list[np.ndarray]:
    """All levels' variables with those of one level exchanged."""
    return [*vectors[:level], own.astype(vectors[level].dtype), *vectors[level + 1 :]]
