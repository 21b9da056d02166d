"""Answers of the follower that the one we look for must not be worse than.

The KKT conditions also hold at a follower's local answers. A rival ŷ is an answer that was found
to be better somewhere; f(x, y) ≤ f(x, ŷ) then cuts that place off, as every answer that the
follower may choose does. Where what he may choose depends on x, the rival follows with its
constraints active, and its value changes by the envelope theorem; where it has gone it is silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .follower import NEAR, lower_point
from .functions import LOWER, Functions

_MOST = 12
_SILENT = 1e10


@dataclass(frozen=True, slots=True)
class Rival:
    """An answer with its multipliers, as z where it was found, and its active constraints."""

    point: np.ndarray
    active: np.ndarray


@dataclass(slots=True)
class Rivals:
    """The rivals found so far."""

    functions: Functions
    found: list[Rival] = field(default_factory=list)
    _last: tuple[bytes, list[tuple[float, np.ndarray]]] | None = None

    def add(self, x: np.ndarray, answer: np.ndarray) -> bool:
        """Whether a rival joined, an answer to x: it is new and there is room."""
        functions = self.functions
        size = 1e-7 * (1 + np.linalg.norm(answer))
        known = [functions.shape.split(one.point)[1] for one in self.found]
        if len(known) >= _MOST or any(np.linalg.norm(answer - one) <= size for one in known):
            return False
        point = lower_point(functions, x, answer)
        active = functions.below(x, answer)[0][1] >= -NEAR
        self.found.append(Rival(point, active))
        self._last = None
        return True

    def constraints(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f(x, y) - f(x, ŷ) ≤ 0 for each rival, and the derivatives in z."""
        functions = self.functions
        values, slopes = functions.at(z)
        x = functions.shape.split(z)[0]
        key = x.tobytes()
        if self._last is None or self._last[0] != key:
            self._last = (key, [self._value(x, rival) for rival in self.found])
        found = np.array([value for value, _ in self._last[1]])
        rows = np.tile(slopes[LOWER], (len(self.found), 1))
        for row, (_, slope) in zip(rows, self._last[1], strict=True):
            row[: x.size] -= slope
        return float(values[LOWER]) - found, rows

    def _value(self, x: np.ndarray, rival: Rival) -> tuple[float, np.ndarray]:
        """The follower's objective at the rival and its derivative in x; huge where it is gone."""
        functions, upper = self.functions, self.functions.shape.upper
        z = np.concatenate([x, rival.point[upper:]])
        if functions.moving:
            value, slope, _ = functions.follow(z, rival.active)
            return (value, slope) if np.isfinite(value) else (_SILENT, np.zeros(upper))
        values, slopes = functions.beside(z)
        return float(values[LOWER]), slopes[LOWER][:upper]
