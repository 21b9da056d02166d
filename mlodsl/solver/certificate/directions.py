"""Lines through a point along which a level's objective is looked at, and how far."""

from __future__ import annotations

import numpy as np

_FEW = 4


def lines(
    vector: np.ndarray, axis: np.ndarray | None, generator: np.random.Generator, count: int
) -> list[np.ndarray]:
    """Directions: the entries where they are few, the axis of least curvature, random ones.

    Each so long that the entry it changes most changes by 1 + its size.
    """
    size = vector.size
    scale = 1 + np.abs(vector)
    few = size <= _FEW
    found = [scale[entry] * column for entry, column in enumerate(np.eye(size))] if few else []
    if size > 1:
        if axis is not None:
            found.append(axis / float(np.max(np.abs(axis) / scale)))
        for _ in range(count):
            draw = generator.standard_normal(size)
            found.append(scale * draw / float(np.max(np.abs(draw))))
    return found


def both_sides(near: float, far: float, each: int, even: int) -> np.ndarray:
    """Places on a line: by powers from `near` to `far`, and `even` evenly spaced ones up to 10."""
    powers = np.geomspace(near, far, each)
    spaced = np.linspace(0, 10, even + 1)[1:]
    outward = np.unique(np.concatenate([powers, spaced]))
    return np.concatenate([-outward[::-1], outward])


def valleys(values: np.ndarray, most: int) -> list[int]:
    """The places of the lowest local minima of values along a line, its ends among them.

    What isn't a number is no valley.
    """
    known = np.where(np.isnan(values), np.inf, values)
    padded = np.concatenate([[np.inf], known, [np.inf]])
    lower = (known <= padded[:-2]) & (known <= padded[2:]) & (known < np.inf)
    places = np.flatnonzero(lower)
    return [int(place) for place in places[np.argsort(known[places], kind="stable")][:most]]
