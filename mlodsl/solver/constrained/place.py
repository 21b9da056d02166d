"""Whose functions are looked at, and how the numbers of his point are ordered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .system import LevelShape

# The order of the parts, in values, Jacobians and weights.
OWN, AT_MOST, EQUAL, BELOW, CONDITIONS, SLACK, FORCE = range(7)

# The level of nobody, who chooses nothing and wants nothing: he sees the answers below alone.
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Place:
    """Whose functions they are.

    Arguments:
        level: its number, or `NOBODY`.
        player: his number in it.
        own: his level and those below; None for nobody, who stands between levels.
        below: the levels below.
    """

    level: int
    player: int
    own: LevelShape | None
    below: LevelShape | None

    @property
    def size(self) -> int:
        """How many variables he chooses."""
        if self.own is None:
            return 0
        player = self.own.players[self.player]
        return player.stop - player.start

    @property
    def all(self) -> int:
        """The length of z."""
        return self.size + (0 if self.below is None else self.below.unknowns)

    @property
    def choices(self) -> int:
        """How many of the first entries of z are variables of his and of the next level."""
        return self.size + (0 if self.below is None else self.below.size)

    @property
    def ends(self) -> np.ndarray:
        """Where each part but the last one ends, among the values of all."""
        own = (0, 0)
        if self.own is not None:
            player = self.own.players[self.player]
            own = (len(player.at_most), player.equal)
        lower = (0, 0, 0)
        if self.below is not None:
            pairs = self.below.pairs
            lower = (len(self.below.players), self.below.unknowns - pairs, pairs)
        return np.cumsum([1, *own, *lower])

    def split(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x and w."""
        return z[: self.size], z[self.size :]

    def answer(self, z: np.ndarray) -> np.ndarray:
        """The variables of the next level."""
        return z[self.size : self.choices]
