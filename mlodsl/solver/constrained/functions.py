"""What one who chooses sees: his objective and constraints, and the conditions of those below.

He is a player of a level, the levels above and the other players stand still. With x his part and w
everything below him, multipliers included (see `system`), his point is z = (x, w):

    F, G ≤ 0, H = 0              his own
    f                            the objectives of the players of the level below
    E = 0, 0 ≤ slack ⊥ force ≥ 0 the conditions of the levels below
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mlodsl.modules import Problem

from . import compiled, system
from .place import NOBODY, Place
from .system import Masks


@dataclass(slots=True)
class Notes:
    """What is noted on the way.

    Arguments:
        counts: how often functions of each level were asked for.
        runaways: for each level where its objective was last seen to fall without end: its
            functions there, z and the masks of the levels below.
    """

    counts: list[int]
    runaways: dict[int, tuple[Functions, np.ndarray, Masks]] = field(default_factory=dict)


@dataclass(slots=True)
class Functions:
    """The functions as NumPy arrays; those at the last point are kept.

    Arguments:
        above: the vectors of the levels above.
        level_vector: of the own level, with what the others choose in it.
        start: the vectors of all levels where the model starts.
        notes: shared by all that are made from each other.
    """

    problem: Problem
    place: Place
    above: tuple[np.ndarray, ...]
    level_vector: np.ndarray
    start: tuple[np.ndarray, ...]
    notes: Notes
    _last: tuple[bytes, list[np.ndarray], list[np.ndarray]] | None = field(default=None)

    @staticmethod
    def of(problem: Problem, seed: int, *, everything: bool = False) -> Functions:
        """The top level's; nobody's where several players are at the top.

        Arguments:
            everything: whether inequalities with infinite bounds take part too.
        """
        start = problem.start(seed)
        vectors = tuple(map(np.asarray, start))
        notes = Notes([0] * problem.number_of_levels)
        whole = system.shape_of(problem, 0, start, everything=everything)
        none = np.zeros(0, vectors[0].dtype)
        nobody = Functions(problem, Place(NOBODY, 0, None, whole), (), none, vectors, notes)
        if len(problem.structure.players(0)) > 1:
            return nobody
        return nobody.of_player(nobody.start_below(), 0)

    def of_player(self, z: np.ndarray, player: int) -> Functions:
        """Those of a player of the next level, everyone else standing as in z."""
        shape = self.place.below
        assert shape is not None, "there is a level below"
        return replace(
            self,
            place=Place(shape.level, player, shape, shape.below),
            above=self.above_below(z),
            level_vector=self.place.answer(z),
            _last=None,
        )

    def frozen(self, z: np.ndarray) -> Functions:
        """Nobody's, with the own choice standing still as in z: of the answers below alone."""
        place = Place(NOBODY, 0, None, self.place.below)
        above = self.above_below(z)
        return replace(self, place=place, above=above, level_vector=z[:0], _last=None)

    def above_below(self, z: np.ndarray) -> tuple[np.ndarray, ...]:
        """The vectors of all levels above the next one."""
        return self.above if self.place.own is None else (*self.above, self.whole_level(z))

    @staticmethod
    def between(
        problem: Problem, above: tuple[np.ndarray, ...], start: tuple[np.ndarray, ...]
    ) -> Functions:
        """Nobody's, who stands below the given levels; all inequalities take part.

        Arguments:
            start: the vectors of the levels below.
        """
        vectors = (*above, *start)
        traced = tuple(map(jnp.asarray, vectors))
        shape = system.shape_of(problem, len(above), traced, everything=True)
        notes = Notes([0] * problem.number_of_levels)
        none = np.zeros(0, vectors[0].dtype)
        return Functions(problem, Place(NOBODY, 0, None, shape), above, none, vectors, notes)

    @property
    def players_below(self) -> int:
        """How many players the next level has; 0 where there is none."""
        return 0 if self.place.below is None else len(self.place.below.players)

    @property
    def is_last_but_one(self) -> bool:
        """Whether the next level is the lowest one and has one player."""
        below = self.place.below
        return below is not None and below.below is None and len(below.players) == 1

    def whole_level(self, z: np.ndarray) -> np.ndarray:
        """The vector of the own level, with the own part as in z."""
        own = self.place.own
        if own is None:
            return self.level_vector
        vector = self.level_vector.copy()
        vector[own.players[self.place.player].own] = z[: self.place.size]
        return vector

    def start_below(self, vectors: tuple[np.ndarray, ...] | None = None) -> np.ndarray:
        """z with the given vectors of all levels, or the model's start, and no multipliers."""
        vectors = self.start if vectors is None else vectors
        own, w, shape = self.place.own, [], self.place.below
        x = vectors[0][:0]
        if own is not None:
            x = vectors[own.level][own.players[self.place.player].own]
        while shape is not None:
            w += [vectors[shape.level], np.zeros(sum(map(sum, shape.multipliers)))]
            shape = shape.below
        return np.concatenate([x, *w])

    def vectors(self, z: np.ndarray) -> tuple[np.ndarray, ...]:
        """The vectors of all levels."""
        below = system.choices(self.place.below, self.place.split(z)[1])
        return (*self.above_below(z), *below)

    def objectives(self, z: np.ndarray) -> np.ndarray:
        """The objectives of all levels and players, top first, as minimisations."""
        return np.asarray(compiled.objectives(self.problem, self.place, self._context, z))

    def duals(self, z: np.ndarray) -> dict[str, Any] | None:
        """`dual` of the named constraints below; None where the model names none."""
        w = jnp.asarray(self.place.split(z)[1])
        above = tuple(map(jnp.asarray, self.above_below(z)))
        return system.duals_of(self.problem, self.place.below, above, w)

    def at(self, z: np.ndarray, masks: Masks) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The values of all parts at z, and their Jacobians in z.

        Arguments:
            masks: of the levels below the next one.
        """
        key = z.tobytes() + b"".join(mask.tobytes() for mask in masks)
        if self._last is None or self._last[0] != key:
            self._last = (key, *self.beside(z, masks))
        return self._last[1], self._last[2]

    def beside(self, z: np.ndarray, masks: Masks) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """As `at`, for a point that will not be asked for again."""
        self.notes.counts[max(self.place.level, 0)] += 1
        found = compiled.values_and_slopes(self.problem, self.place, self._context, z, masks)
        # One array, as fetching many takes longer than computing them.
        table = np.asarray(found)
        values = np.split(table[:, -1], self.place.ends)
        slopes = np.split(table[:, :-1], self.place.ends)
        return [values[0][0], *values[1:]], [slopes[0][0], *slopes[1:]]

    def many(self, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F for many x, and how far each is from feasible; of the lowest level alone."""
        value, violation = jax.device_get(
            compiled.many(self.problem, self.place, self._context, xs)
        )
        return value, violation

    def follow(self, z: np.ndarray, masks: Masks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The answer below with the given masks, found from z by Newton's method for x as in z.

        Returns:
            The objectives of the next level's players, their derivatives in x along the answer,
            and z; objectives infinite where the answer has gone: it isn't reached, or isn't one.
        """
        found = compiled.follow(self.problem, self.place, self._context, z, masks)
        values, slopes, w = jax.device_get(found)
        return values, slopes, np.concatenate([z[: self.place.size], w])

    def curvature(self, z: np.ndarray, masks: Masks, weights: list[np.ndarray]) -> np.ndarray:
        """The Hessian in z of the parts' sum with these weights."""
        found = compiled.weighted_hessian(
            self.problem, self.place, self._context, z, masks, weights
        )
        return np.asarray(found)

    @property
    def _context(self) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        return self.above, self.level_vector
