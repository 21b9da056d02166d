"""Bounds on single variables, read off the constraints: where starts and samples are spread."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .functions import Functions
from .kkt import Piece
from .place import AT_MOST


@dataclass(frozen=True, slots=True)
class Box:
    """Where single variables are bounded, ±inf elsewhere, and the region that starts are in."""

    least: np.ndarray
    largest: np.ndarray

    def sample(self, generator: np.random.Generator, count: int, about: np.ndarray) -> np.ndarray:
        """Points spread over the box; where it is unbounded, around a point at all distances."""
        size = 1 + np.abs(about)
        distances = 10.0 ** generator.uniform(-1, 1.5, (count, 1))
        free = about + distances * size * generator.uniform(-1, 1, (count, about.size))
        share = generator.uniform(0, 1, (count, about.size))
        finite = np.isfinite(self.least) & np.isfinite(self.largest)
        least, largest = np.where(finite, self.least, 0), np.where(finite, self.largest, 0)
        return np.clip(
            np.where(finite, least + share * (largest - least), free), self.least, self.largest
        )


@dataclass(slots=True)
class Bounds:
    """Which constraints of each player bound one of his variables, linearly and nothing else.

    Arguments:
        rows: by level and player, pairs of a constraint and its variable.
    """

    rows: dict[tuple[int, int], tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def box(self, functions: Functions, z: np.ndarray, deeper: Piece) -> Box:
        """The box that they make, everyone above standing still; z is any point."""
        place = functions.place
        key = (place.level, place.player)
        if key not in self.rows:
            self.rows[key] = _rows(functions, deeper)
        least, largest = np.full(place.size, -np.inf), np.full(place.size, np.inf)
        if self.rows[key]:
            values, slopes = functions.at(z, deeper)
            for index, variable in self.rows[key]:
                slope = slopes[AT_MOST][index, variable]
                bound = z[variable] - values[AT_MOST][index] / slope if slope else np.nan
                if slope > 0:
                    largest[variable] = np.fmin(largest[variable], bound)
                else:
                    least[variable] = np.fmax(least[variable], bound)
        # Bounds that cross leave no answer; the program says so.
        return Box(least, np.maximum(least, largest))


# How far the points are spread at which a constraint's derivatives must be the same.
_SCALES = (0.1, 1.0, 10.0, 100.0, 1e3, 1e4)


def _rows(functions: Functions, deeper: Piece) -> tuple[tuple[int, int], ...]:
    """Constraints whose derivatives are the same at random points and have one entry."""
    generator = np.random.default_rng(0)
    slopes = []
    for scale in _SCALES:
        point = scale * generator.standard_normal(functions.place.all)
        slopes.append(np.copy(functions.at(point, deeper)[1][AT_MOST]))
    steady = np.all([np.all(one == slopes[0], axis=1) for one in slopes], axis=0)
    single = np.flatnonzero(steady & (np.count_nonzero(slopes[0], axis=1) == 1))
    found = [(int(index), int(np.flatnonzero(slopes[0][index])[0])) for index in single]
    return tuple((index, variable) for index, variable in found if variable < functions.place.size)
