"""Bounds on single variables, read off a level's constraints: where starts are spread."""

from __future__ import annotations

import numpy as np

from .follower import Box
from .functions import LOWER_AT_MOST, UPPER_AT_MOST, Functions


def boxes(functions: Functions) -> tuple[Box, Box]:
    """The boxes that x and y are known to lie in.

    A constraint bounds a variable where it is linear and has no other; whether it is linear is
    read off its derivatives at random points.
    """
    shape = functions.shape
    generator = np.random.default_rng(0)
    points = [generator.standard_normal(shape.all) for _ in range(3)]
    reads = []
    for point in points:
        values, slopes = functions.at(point)
        reads.append([np.copy(part) for part in (values[UPPER_AT_MOST], values[LOWER_AT_MOST])])
        reads[-1] += [np.copy(slopes[part]) for part in (UPPER_AT_MOST, LOWER_AT_MOST)]
    least, largest = np.full(shape.all, -np.inf), np.full(shape.all, np.inf)
    for part in (0, 1):
        rows = [read[2 + part] for read in reads]
        steady = np.all([np.all(row == rows[0], axis=1) for row in rows], axis=0)
        for index in np.flatnonzero(steady & (np.count_nonzero(rows[0], axis=1) == 1)):
            (variable,) = np.flatnonzero(rows[0][index])
            slope = rows[0][index, variable]
            bound = points[0][variable] - reads[0][part][index] / slope
            if slope > 0:
                largest[variable] = min(largest[variable], bound)
            else:
                least[variable] = max(least[variable], bound)
    upper, lower = slice(0, shape.upper), slice(shape.upper, shape.choices)
    return Box(least[upper], largest[upper]), Box(least[lower], largest[lower])
