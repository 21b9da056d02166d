"""The top level's values and slopes along rays from the point: does it fall anywhere near?

Gradient and curvature at a point say what is around it only where the objective is smooth. Kinks,
jumps, hills whose curvature differences miss, degenerate saddles and plateaus show along rays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from mlodsl.strategies import Point

from ..lanes import clock
from ..outcome import Outcome
from .curvature import Curvature
from .top import Rounding, TopLevel

# Distances, relative to 1 + the size of the entry that changes most.
_DISTANCES = tuple(10.0**power for power in range(-9, 1))
# Along a direction without curvature, and how far a curved path is followed.
_FAR = (3.0, 10.0, 100.0, 1000.0)
_CURVED = (1e-4, 0.3)
_RANDOM_DIRECTIONS = 10
_FEW = 4


class _Course(Enum):
    """What the objective does along a ray."""

    RISES = auto()
    FLAT = auto()
    ENDS = auto()


@dataclass(frozen=True, slots=True)
class Fall:
    """A direction along which the objective falls.

    Arguments:
        direction: of length 1.
        distance: from the point, to where it was found lower or falling.
        drop: how much lower it is there; 0 where only its slope shows the fall.
    """

    direction: np.ndarray
    distance: float
    drop: float


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What rays found: a fall, or a direction that is flat on one side and rises on the other."""

    fall: Fall | None = None
    one_sided: bool = False


def explore(
    top: TopLevel,
    rounding: Rounding,
    found: Curvature | None,
    reach: float,
    generator: np.random.Generator,
    *,
    seconds: float,
) -> Surroundings:
    """Looks along rays in both senses of several directions.

    Arguments:
        found: the curvature on the free directions.
        reach: how far off the true minimum the point may be, relative to 1 + its size.
        seconds: no new direction is taken after so long.
    """
    began = clock()
    value = top.value
    positive = found is not None and found.is_positive
    for axis in _flat_axes(found):
        probe = _Probe(top, rounding, found, value, reach, positive=False)
        if abs(float(top.gradient @ axis)) > 4 * rounding.along(axis) + 1e-3 * top.residual:
            side = -float(np.sign(top.gradient @ axis))
            return Surroundings(Fall(side * axis, 0.0, 0.0))
        courses = []
        for sign in (1.0, -1.0):
            course = probe.follow(sign * axis, far=True)
            if isinstance(course, Fall):
                return Surroundings(course)
            courses.append(course)
        if {_Course.RISES, _Course.FLAT} <= set(courses):
            return Surroundings(one_sided=True)
    probe = _Probe(top, rounding, None, value, reach, positive=positive)
    for direction in _directions(top, found, generator):
        if clock() - began > seconds:
            break
        for sign in (1.0, -1.0):
            course = probe.follow(sign * direction, far=False)
            if isinstance(course, Fall):
                return Surroundings(course)
    return Surroundings()


def _flat_axes(found: Curvature | None) -> list[np.ndarray]:
    """Directions in which the curvature can't be told from zero."""
    if found is None or found.is_positive or not np.isfinite(found.smallest):
        return []
    if found.spectrum is None:
        return [found.axis]
    values, axes = found.spectrum
    return list(axes.T[np.abs(values) <= found.floor])[:_FEW]


def _directions(
    top: TopLevel, found: Curvature | None, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    size = top.own.size
    scale = 1 + np.abs(top.own)
    norm = float(np.linalg.norm(top.gradient))
    if size > 1 and found is not None and np.isfinite(found.smallest):
        yield found.axis
    if norm > 0:
        yield -top.gradient / norm
    if size <= _FEW:
        yield from np.eye(size)
    for _ in range(_RANDOM_DIRECTIONS if size > 1 else 0):
        direction = scale * generator.standard_normal(size)
        yield direction / np.linalg.norm(direction)


@dataclass(frozen=True, slots=True)
class _Probe:
    """One ray after the other, out to where the objective has risen."""

    top: TopLevel
    rounding: Rounding
    flat: Curvature | None
    value: float
    reach: float
    positive: bool

    def follow(self, direction: np.ndarray, *, far: bool) -> Fall | _Course:
        """What the objective does along a ray; with `far` along curves beside it too."""
        unit = self.top.unit(direction)
        risen = False
        for distance in _DISTANCES + (_FAR if far else ()):
            own = self.top.project(self.top.own + distance * unit * direction)
            change = own - self.top.own
            length = float(np.linalg.norm(change))
            if length < 0.1 * distance * unit:
                return _Course.ENDS
            point, value = self.top.point_and_value_at(own)
            verdict = self._judge(point, value, change / length, length, distance)
            if isinstance(verdict, Fall) or verdict is _Course.ENDS:
                return verdict
            risen |= verdict is _Course.RISES
            if self.flat is not None and _CURVED[0] <= distance <= _CURVED[1]:
                drop = self.value - self._lowest_beside(own, direction)
                if drop > 10 * self.rounding.value:
                    return Fall(direction, length, drop)
            if risen and (self.flat is None or distance > _CURVED[1]):
                return _Course.RISES
        return _Course.RISES if risen else _Course.FLAT

    def _judge(
        self, point: Point, value: float, direction: np.ndarray, length: float, distance: float
    ) -> Fall | _Course:
        outcomes = np.asarray(point.outcomes)
        if (not np.isfinite(value) and value != -np.inf) or np.any(outcomes >= Outcome.LIMIT):
            return _Course.ENDS
        slope_here = abs(float(self.top.gradient @ direction))
        noise = 10 * self.rounding.value
        within = min(length, self.reach * self.top.unit(direction))
        if value < self.value - noise - slope_here * within:
            return Fall(direction, length, self.value - value)
        slope = float(np.asarray(point.gradient) @ direction)
        slope_noise = 4 * self.rounding.along(direction)
        if self.positive:
            slope_noise += 2 * slope_here
        else:
            slope_noise += 10 * self.top.residual * distance
        if distance >= 2 * self.reach:
            if slope < -slope_noise and value <= self.value + noise:
                return Fall(direction, length, max(0.0, self.value - value))
            if slope > slope_noise:
                return _Course.RISES
        return _Course.RISES if value > self.value + noise else _Course.FLAT

    def _lowest_beside(self, own: np.ndarray, direction: np.ndarray) -> float:
        """The value after Newton steps from a point beside, across the flat directions.

        It follows a curved valley: along v = 2 u² Peano's (v - u²)(v - 3u²) falls, though it
        rises along every straight line.
        """
        assert self.flat is not None
        if self.flat.spectrum is None:
            return self.value
        values, axes = self.flat.spectrum
        steep = values > self.flat.floor
        for _ in range(2):
            gradient = self.top.gradient_at(own)
            own = own - axes[:, steep] @ ((axes[:, steep].T @ gradient) / values[steep])
        lowest = self.top.value_at(own)
        return lowest if np.isfinite(lowest) else self.value
