"""The total gradient against central differences of the value of re-solved responses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .top import Look, Rounding, Tangent, TopLevel

_DIRECTIONS = 3
_MOST_ENTRIES = 8
_STEP_SHARES = (1.0, 0.1, 0.01)

# The formula of fourth order: where values are taken, in steps, and what they count.
_PLACES, _WEIGHTS = np.array([1.0, -1.0, 2.0, -2.0]), np.array([8.0, -8.0, -1.0, 1.0])


@dataclass(frozen=True, slots=True)
class DifferenceCheck:
    """What central differences say of the total gradient.

    Arguments:
        relative_error: the largest disagreement along a direction, relative to the gradient's
            scale; None where there is no free direction, or where the value isn't finite.
        norm: of the free part of the gradient by differences; None above 8 free directions.
        error: an estimate of that norm's error by rounding.
    """

    relative_error: float | None
    norm: float | None = None
    error: float | None = None


class Differences:
    """Central differences of the re-solved value, with the formula of fourth order.

    Along free directions d of length 1: an orthonormal basis where the level is small, else random
    ones. `look` holds those of the longest step, where they cost little.
    """

    def __init__(self, top: TopLevel, free: Tangent, generator: np.random.Generator) -> None:
        size = free.stretch.size
        self._top = top
        self._complete = size <= _MOST_ENTRIES
        if self._complete:
            directions = _orthonormal(size, generator)
        else:
            draws = generator.standard_normal((_DIRECTIONS, size))
            directions = draws / np.linalg.norm(draws, axis=1, keepdims=True)
        self._directions = np.array([free.lift(direction) for direction in directions])
        self._longest = top.eps ** (1 / 5) * top.units(self._directions) if size else np.zeros(0)
        self.look = self._look(_STEP_SHARES[0]) if size and top.at_once else None

    def check(self, rounding: Rounding, curvature_size: float) -> DifferenceCheck:
        """The errors of the total gradient's slopes g·d against the differences.

        Relative to the largest of ‖g‖, its two parts (which cancel at a minimum), and the change
        of the gradient over the size of the point.
        """
        top = self._top
        if not len(self._directions):
            return DifferenceCheck(None)
        value = abs(float(top.point.value))
        scale = max(top.parts, curvature_size * top.size, top.eps ** (2 / 3) * value)
        known = None if self.look is None else self._by(self.look, _STEP_SHARES[0]).tolist()
        slopes, errors, steps = [], [], []
        for row in range(len(self._directions)):
            slope, error, step = self._closest(row, None if known is None else known[row])
            slopes.append(slope)
            errors.append(error / (scale if scale > 0 else 1.0))
            steps.append(step)
        if not all(map(math.isfinite, errors)):
            return DifferenceCheck(None)
        if not self._complete:
            return DifferenceCheck(max(errors))
        noise = math.hypot(*(1.5 * rounding.value / step for step in steps))
        return DifferenceCheck(max(errors), math.hypot(*slopes), noise)

    def _closest(self, row: int, first: float | None) -> tuple[float, float, float]:
        """The central difference nearest to g·d of three steps: itself, its error, its step.

        The longest step has the least rounding; a function with features smaller than it (a
        rounded corner) needs a shorter one. A wrong gradient is wrong at all of them.

        Arguments:
            first: the difference of the longest step, where it is known.
        """
        top, own = self._top, slice(row, row + 1)
        slope = float(top.gradient.dot(self._directions[row]))
        best = (float("nan"), float("inf"), 1.0)
        for share in _STEP_SHARES:
            difference = first
            if difference is None or share != _STEP_SHARES[0]:
                difference = float(self._by(self._look(share, own), share, own)[0])
            error = abs(difference - slope) if math.isfinite(difference) else float("inf")
            if error < best[1]:
                best = (difference, error, share * float(self._longest[row]))
            if error <= top.eps**0.5 * (abs(slope) + top.parts):
                break
        return best

    def _look(self, share: float, rows: slice = slice(None)) -> Look:
        """At four places along each direction."""
        steps = share * self._longest[rows]
        places = np.multiply.outer(steps, _PLACES)[:, :, None] * self._directions[rows, None]
        return Look(self._top, (self._top.own + places).reshape(-1, self._top.own.size))

    def _by(self, look: Look, share: float, rows: slice = slice(None)) -> np.ndarray:
        """The differences by what was seen there."""
        values = look.found.objectives[:, 0].reshape(-1, 4)
        return np.asarray(values @ _WEIGHTS / (12 * share * self._longest[rows]))


def _orthonormal(size: int, generator: np.random.Generator) -> np.ndarray:
    """Random directions, a row each; in one dimension there is nothing to draw."""
    if size == 1:
        return np.ones((1, 1))
    basis, _ = np.linalg.qr(generator.standard_normal((size, size)))
    return np.asarray(basis.T)
