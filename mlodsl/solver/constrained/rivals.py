"""Answers of the follower that the one we look for must not be worse than.

The KKT conditions also hold at a follower's local answers. A rival ŷ is an answer that was found
to be better somewhere; f(x, y) ≤ f(x, ŷ) then cuts that place off, as every answer that the
follower may choose does. Where what he may choose depends on x, the rival follows with its
constraints active, and its value changes by the envelope theorem; where it has gone it is silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .functions import Functions
from .place import BELOW
from .system import Masks

_MOST = 12
_SILENT = 1e10


@dataclass(frozen=True, slots=True)
class Rival:
    """An answer with its multipliers, as z where it was found, and its masks.

    Arguments:
        moves: whether the answer follows the choice; otherwise its variables stand still.
    """

    point: np.ndarray
    masks: Masks
    moves: bool


@dataclass(slots=True)
class Rivals:
    """The rivals found so far; there are none where several players answer."""

    functions: Functions
    found: list[Rival] = field(default_factory=list)
    _last: tuple[bytes, list[tuple[float, np.ndarray]]] | None = None

    def add(self, rival: Rival) -> bool:
        """Whether a rival joined: it is new and there is room."""
        place = self.functions.place
        answer = place.answer(rival.point)
        size = 1e-7 * (1 + np.linalg.norm(answer))
        known = [place.answer(one.point) for one in self.found]
        if self.functions.players_below != 1 or len(known) >= _MOST:
            return False
        if any(np.linalg.norm(answer - one) <= size for one in known):
            return False
        self.found.append(rival)
        self._last = None
        return True

    def constraints(self, z: np.ndarray, deeper: Masks) -> tuple[np.ndarray, np.ndarray]:
        """f(x, y) - f(x, ŷ) ≤ 0 for each rival, and the derivatives in z."""
        if not self.found:
            return np.zeros(0), np.zeros((0, z.size))
        values, slopes = self.functions.at(z, deeper)
        x = self.functions.place.split(z)[0]
        key = x.tobytes()
        if self._last is None or self._last[0] != key:
            self._last = (key, [self._value(x, rival) for rival in self.found])
        found = np.array([value for value, _ in self._last[1]])
        rows = np.tile(slopes[BELOW], (len(self.found), 1))
        for row, (_, slope) in zip(rows, self._last[1], strict=True):
            row[: x.size] -= slope
        return float(values[BELOW][0]) - found, rows

    def _value(self, x: np.ndarray, rival: Rival) -> tuple[float, np.ndarray]:
        """The objective at the rival and its derivative in x; huge where it is gone."""
        functions = self.functions
        z = np.concatenate([x, functions.place.split(rival.point)[1]])
        if rival.moves:
            values, slopes, _ = functions.follow(z, rival.masks)
            value, slope = float(values[0]), slopes[0]
            return (value, slope) if np.isfinite(value) else (_SILENT, np.zeros(x.size))
        parts, part_slopes = functions.beside(z, rival.masks[1:])
        return float(parts[BELOW][0]), part_slopes[BELOW][0, : x.size]
