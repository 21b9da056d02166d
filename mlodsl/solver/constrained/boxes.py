"""Bounds on single variables, read off a level's constraints: where starts are spread."""

from __future__ import annotations

import numpy as np

from .follower import Box, LowerBounds
from .functions import LOWER_AT_MOST, UPPER_AT_MOST, Functions


def upper_box(functions: Functions) -> Box:
    """The box that the upper variables are known to lie in.

    A constraint bounds a variable where it is linear and has no other; whether it is linear is
    read off its derivatives at random points.
    """
    shape = functions.shape
    generator = np.random.default_rng(0)
    point = generator.standard_normal(shape.all)
    value = np.copy(functions.at(point)[0][UPPER_AT_MOST])
    slopes = [np.copy(functions.at(point)[1][UPPER_AT_MOST])]
    for _ in range(2):
        other = generator.standard_normal(shape.all)
        slopes.append(np.copy(functions.at(other)[1][UPPER_AT_MOST]))
    least, largest = np.full(shape.upper, -np.inf), np.full(shape.upper, np.inf)
    for index, variable in _single(slopes):
        if variable >= shape.upper:
            continue
        slope = slopes[0][index, variable]
        bound = point[variable] - value[index] / slope
        if slope > 0:
            largest[variable] = min(largest[variable], bound)
        else:
            least[variable] = max(least[variable], bound)
    return Box(least, largest)


def lower_bounds(functions: Functions) -> LowerBounds:
    """The follower's constraints that bound one variable each, whatever x is."""
    shape = functions.shape
    generator = np.random.default_rng(0)
    rows: set[tuple[int, int]] | None = None
    for _ in range(2):
        x = generator.standard_normal(shape.all)
        slopes = []
        for _ in range(3):
            x[shape.upper :] = generator.standard_normal(shape.all - shape.upper)
            own = functions.at(x)[1][LOWER_AT_MOST][:, shape.upper : shape.choices]
            slopes.append(np.copy(own))
        found = set(_single(slopes))
        rows = found if rows is None else rows & found
    return LowerBounds(tuple(sorted(rows or ())))


def _single(slopes: list[np.ndarray]) -> list[tuple[int, int]]:
    """Rows that are the same everywhere and have one entry, with where that is."""
    steady = np.all([np.all(one == slopes[0], axis=1) for one in slopes], axis=0)
    single = np.flatnonzero(steady & (np.count_nonzero(slopes[0], axis=1) == 1))
    return [(int(index), int(np.flatnonzero(slopes[0][index])[0])) for index in single]
