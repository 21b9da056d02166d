"""The top level's values and slopes along rays from the point: does it fall anywhere near?

Gradient and curvature at a point say what is around it only where the objective is smooth. Kinks,
jumps, hills whose curvature differences miss, degenerate saddles and plateaus show along rays.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

import numpy as np

from ..lanes import Each, clock
from ..outcome import Outcome
from .curvature import Curvature
from .norms import norm
from .top import Rounding, TopLevel

# Distances, relative to 1 + the size of the entry that changes most.
_DISTANCES = tuple(10.0**power for power in range(-9, 1))
# Along a direction without curvature, and how far a curved path is followed.
_FAR = (3.0, 10.0, 100.0, 1000.0)
_CURVED = (1e-4, 0.3)
_RANDOM_DIRECTIONS = 10
# So many distances, the first ones, tell enough along most rays.
_HEAD = 4
_FEW = 4


class _Course(Enum):
    """What the objective does along a ray."""

    RISES = auto()
    FLAT = auto()
    ENDS = auto()


# The same, as numbers of rows.
_RISES, _FLAT, _ENDS, _FALLS = range(4)

# What is seen at a place: one of these numbers, the place, and the value there.
_Sight: TypeAlias = tuple[int, np.ndarray, float]

# Projected to less than such a share of its distance, a place is no longer on its ray.
_INSIDE = 0.1


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
        for course in probe.courses(np.stack([axis, -axis]), _DISTANCES + _FAR):
            if isinstance(course, Fall):
                return Surroundings(course)
            courses.append(course)
        if {_Course.RISES, _Course.FLAT} <= set(courses):
            return Surroundings(one_sided=True)
    probe = _Probe(top, rounding, None, value, reach, positive=positive)
    directions = np.array(list(_directions(top, found, generator)))
    rays = np.concatenate([directions, -directions], axis=1)
    rays = rays.reshape(-1, top.own.size)
    courses_of_rays = probe.courses(rays, _DISTANCES)
    for number in range(len(rays)):
        if number % 2 == 0 and clock() - began > seconds:
            break
        course = next(courses_of_rays)
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
    length = norm(top.gradient)
    if size > 1 and found is not None and np.isfinite(found.smallest):
        yield found.axis
    if length > 0:
        yield -top.gradient / length
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

    def courses(self, rays: np.ndarray, distances: tuple[float, ...]) -> Iterator[Fall | _Course]:
        """What the objective does along rays, a row each, as they are taken; along curves beside
        them too, where a flat direction is given."""
        groups: tuple[tuple[float, ...], ...]
        heads: list[list[_Sight]] | None = None
        if self.top.at_once:
            groups = (distances[:_HEAD], distances[_HEAD:])
            heads = self._look(rays, groups[0])
        else:
            groups = tuple((distance,) for distance in distances)
        for number, ray in enumerate(rays):
            yield self._follow(ray, groups, None if heads is None else heads[number])

    def _follow(
        self,
        ray: np.ndarray,
        groups: tuple[tuple[float, ...], ...],
        head: list[_Sight] | None,
    ) -> Fall | _Course:
        """What the objective does along a ray.

        Arguments:
            groups: of distances; those of one are looked at together.
            head: what is seen at the first group, where that is known.
        """
        risen = False
        for number, group in enumerate(groups):
            seen = self._look(ray[None], group)[0] if number or head is None else head
            for distance, (code, own, value) in zip(group, seen, strict=True):
                if code == _ENDS:
                    return _Course.ENDS
                if code == _FALLS:
                    change = own - self.top.own
                    length = norm(change)
                    return Fall(change / length, length, max(0.0, self.value - float(value)))
                risen |= code == _RISES
                if self.flat is not None and _CURVED[0] <= distance <= _CURVED[1]:
                    drop = self.value - self._lowest_beside(own, ray)
                    if drop > 10 * self.rounding.value:
                        return Fall(ray, norm(own - self.top.own), drop)
                if risen and (self.flat is None or distance > _CURVED[1]):
                    return _Course.RISES
        return _Course.RISES if risen else _Course.FLAT

    def _look(self, rays: np.ndarray, distances: tuple[float, ...]) -> list[list[_Sight]]:
        """For each ray what is seen at each distance."""
        top = self.top
        outward = np.multiply.outer(top.units(rays), distances)
        owns = top.own + outward[:, :, None] * rays[:, None]
        owns = top.project_rows(owns.reshape(-1, top.own.size))
        lengths = outward.reshape(-1)
        if len(owns) == 1 and norm(owns[0] - top.own) < _INSIDE * float(lengths[0]):
            return [[(_ENDS, owns[0], np.nan)]]
        # What the slope at the point, and a distance from it, may add to a slope further on.
        allowed = (2.0, 0.0) if self.positive else (0.0, 10 * top.residual)
        numbers = np.array([self.value, 10 * self.rounding.value, self.reach, *allowed])
        places = np.array([lengths, _again(distances, len(rays))]).T
        given = (Each(owns), Each(places), top.own, top.gradient)
        found = top.at(owns, None, _judge, (*given, self.rounding.gradient, numbers))
        seen = list(
            zip(found.judged[0].tolist(), owns, found.objectives[:, 0].tolist(), strict=True)
        )
        return [seen[row : row + len(distances)] for row in range(0, len(seen), len(distances))]

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


@functools.lru_cache(maxsize=256)
def _again(distances: tuple[float, ...], times: int) -> np.ndarray:
    return np.array(distances * times)


def _judge(
    _: np.ndarray,
    gradients: np.ndarray,
    outcomes: np.ndarray,
    objectives: np.ndarray,
    owns: np.ndarray,
    places: np.ndarray,
    here: np.ndarray,
    gradient: np.ndarray,
    rounding: np.ndarray,
    numbers: np.ndarray,
) -> tuple[np.ndarray]:
    """What is seen at places off a point, a row each.

    Arguments:
        owns: where they are.
        places: how far off they were to be, by length and in units of their ray.
        here, gradient, rounding: of the point: its variables, gradient, and that one's rounding.
        numbers: as in `_Probe._look`.
    """
    values, (outward, distances) = objectives[:, 0], places.T
    value, noise, reach, by_slope, by_distance = numbers.T
    changes = owns - here
    lengths = np.sqrt((changes**2).sum(1))
    gone = lengths < _INSIDE * outward
    directions = changes / np.where(lengths > 0, lengths, 1)[:, None]
    broken = ~np.isfinite(values) & (values != -np.inf)
    ends = gone | broken | (outcomes >= Outcome.LIMIT).any(1)
    sizes = np.abs(directions)
    slopes_here = np.abs((directions * gradient).sum(1))
    units = 1 / (sizes / (1 + np.abs(here))).max(1, initial=1e-300)
    lower = values < value - noise - slopes_here * np.minimum(lengths, reach * units)
    slopes = (gradients * directions).sum(1)
    slope_noise = 4 * (sizes * rounding).sum(1) + by_slope * slopes_here + by_distance * distances
    beyond = distances >= 2 * reach
    higher = values > value + noise
    falls = lower | (beyond & (slopes < -slope_noise) & ~higher)
    rises = higher | (beyond & (slopes > slope_noise))
    codes = np.select([ends, falls, rises], [_ENDS, _FALLS, _RISES], _FLAT)
    return (codes,)
