"""The total gradient against central differences of the value of re-solved responses."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .norms import norm
from .top import Rounding, Tangent, TopLevel

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


def check_by_differences(
    top: TopLevel,
    free: Tangent,
    rounding: Rounding,
    curvature_size: float,
    generator: np.random.Generator,
) -> DifferenceCheck:
    """The errors of g·d against central differences of the re-solved value.

    Along free directions d of length 1 (an orthonormal basis where the level is small, else
    random ones), with the formula of fourth order. Relative to the largest of ‖g‖, its two
    parts (which cancel at a minimum), and the change of the gradient over the size of the point.
    """
    size = free.stretch.size
    if size == 0:
        return DifferenceCheck(None)
    scale = max(
        top.parts, curvature_size * top.size, top.eps ** (2 / 3) * abs(float(top.point.value))
    )
    complete = size <= _MOST_ENTRIES
    if complete:
        directions = _orthonormal(size, generator)
    else:
        draws = generator.standard_normal((_DIRECTIONS, size))
        directions = [draw / norm(draw) for draw in draws]
    slopes, errors, steps = [], [], []
    lifted = np.array([free.lift(direction) for direction in directions])
    first = _differences(top, lifted, _STEP_SHARES[0]).tolist() if top.at_once else None
    for row, direction in enumerate(lifted):
        known = None if first is None else first[row]
        slope, error, step = _closest_difference(top, direction, known)
        slopes.append(slope)
        errors.append(error / (scale if scale > 0 else 1.0))
        steps.append(step)
    if not all(map(math.isfinite, errors)):
        return DifferenceCheck(None)
    if not complete:
        return DifferenceCheck(max(errors))
    noise = math.hypot(*(1.5 * rounding.value / step for step in steps))
    return DifferenceCheck(max(errors), math.hypot(*slopes), noise)


def _orthonormal(size: int, generator: np.random.Generator) -> list[np.ndarray]:
    """A basis of random directions; in one dimension there is nothing to draw."""
    if size == 1:
        return [np.ones(1)]
    basis, _ = np.linalg.qr(generator.standard_normal((size, size)))
    return list(basis.T)


def _closest_difference(
    top: TopLevel, direction: np.ndarray, first: float | None
) -> tuple[float, float, float]:
    """The central difference nearest to g·d of three steps: itself, its error, its step.

    The longest step has the least rounding; a function with features smaller than it (a
    rounded corner) needs a shorter one. A wrong gradient is wrong at all of them.

    Arguments:
        first: the difference of the longest step, where it is known.
    """
    slope = float(top.gradient.dot(direction))
    longest = top.eps ** (1 / 5) * top.unit(direction)
    best = (float("nan"), float("inf"), 1.0)
    for share in _STEP_SHARES:
        difference = first
        if difference is None or share != _STEP_SHARES[0]:
            difference = float(_differences(top, direction[None], share)[0])
        error = abs(difference - slope) if math.isfinite(difference) else float("inf")
        if error < best[1]:
            best = (difference, error, share * longest)
        if error <= top.eps**0.5 * (abs(slope) + top.parts):
            break
    return best


def _differences(top: TopLevel, directions: np.ndarray, share: float) -> np.ndarray:
    """The central difference along each direction, by the values at four places."""
    steps = share * top.eps ** (1 / 5) * top.units(directions)
    places = np.multiply.outer(steps, _PLACES)[:, :, None] * directions[:, None]
    found = top.at((top.own + places).reshape(-1, top.own.size)).objectives[:, 0]
    return np.asarray(found.reshape(-1, 4) @ _WEIGHTS / (12 * steps))
