"""The total gradient against central differences of the value of re-solved responses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .top import Rounding, Tangent, TopLevel

_DIRECTIONS = 3
_MOST_ENTRIES = 8
_STEP_SHARES = (1.0, 0.1, 0.01)


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
        top.parts(), curvature_size * top.size, top.eps ** (2 / 3) * abs(float(top.point.value))
    )
    complete = size <= _MOST_ENTRIES
    if complete:
        basis, _ = np.linalg.qr(generator.standard_normal((size, size)))
        directions = list(basis.T)
    else:
        draws = generator.standard_normal((_DIRECTIONS, size))
        directions = [draw / np.linalg.norm(draw) for draw in draws]
    slopes, errors, steps = [], [], []
    for direction in directions:
        slope, error, step = _closest_difference(top, free.lift(direction))
        slopes.append(slope)
        errors.append(error / (scale if scale > 0 else 1.0))
        steps.append(step)
    if not np.all(np.isfinite(errors)):
        return DifferenceCheck(None)
    if not complete:
        return DifferenceCheck(max(errors))
    noise = float(np.linalg.norm([1.5 * rounding.value / step for step in steps]))
    return DifferenceCheck(max(errors), float(np.linalg.norm(slopes)), noise)


def _closest_difference(top: TopLevel, direction: np.ndarray) -> tuple[float, float, float]:
    """The central difference nearest to g·d of three steps: itself, its error, its step.

    The longest step has the least rounding; a function with features smaller than it (a
    rounded corner) needs a shorter one. A wrong gradient is wrong at all of them.
    """
    slope = float(top.gradient @ direction)
    best = (float("nan"), float("inf"), 1.0)
    for share in _STEP_SHARES:
        step = share * top.eps ** (1 / 5) * top.unit(direction)
        ahead, behind = (
            [top.value_at(top.own + sign * times * step * direction) for times in (1, 2)]
            for sign in (1, -1)
        )
        difference = (8 * (ahead[0] - behind[0]) - (ahead[1] - behind[1])) / (12 * step)
        error = abs(difference - slope) if np.isfinite(difference) else float("inf")
        if error < best[1]:
            best = (difference, error, step)
        if error <= top.eps**0.5 * (abs(slope) + top.parts()):
            break
    return best
