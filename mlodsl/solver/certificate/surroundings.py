"""The top level's values and slopes along rays from the point: does it fall anywhere near?

Gradient and curvature at a point say what is around it only where the objective is smooth. Kinks,
jumps, hills whose curvature differences miss, degenerate saddles and plateaus show along rays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

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
# So many distances, the first ones, tell enough along most rays.
_HEAD = 4
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
        for course in probe.courses(np.stack([axis, -axis]), _DISTANCES + _FAR):
            if isinstance(course, Fall):
                return Surroundings(course)
            courses.append(course)
        if {_Course.RISES, _Course.FLAT} <= set(courses):
            return Surroundings(one_sided=True)
    probe = _Probe(top, rounding, None, value, reach, positive=positive)
    directions = np.stack(list(_directions(top, found, generator)))
    rays = np.stack([directions, -directions], axis=1).reshape(-1, top.own.size)
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

    def courses(self, rays: np.ndarray, distances: tuple[float, ...]) -> Iterator[Fall | _Course]:
        """What the objective does along rays, a row each, as they are taken; along curves beside
        them too, where a flat direction is given."""
        groups: tuple[tuple[float, ...], ...] = tuple((distance,) for distance in distances)
        heads: list[list[tuple[Fall | _Course, np.ndarray]]] | None = None
        if self.top.at_once:
            groups = (distances[:_HEAD], distances[_HEAD:])
            heads = self._look(rays, groups[0])
        for number, ray in enumerate(rays):
            yield self._follow(ray, groups, None if heads is None else heads[number])

    def _follow(
        self,
        ray: np.ndarray,
        groups: tuple[tuple[float, ...], ...],
        head: list[tuple[Fall | _Course, np.ndarray]] | None,
    ) -> Fall | _Course:
        """What the objective does along a ray.

        Arguments:
            groups: of distances; those of one are looked at together.
            head: what is known at the first group.
        """
        risen = False
        for number, group in enumerate(groups):
            seen = self._look(ray[None], group)[0] if number or head is None else head
            for distance, (verdict, own) in zip(group, seen, strict=True):
                if isinstance(verdict, Fall) or verdict is _Course.ENDS:
                    return verdict
                risen |= verdict is _Course.RISES
                if self.flat is not None and _CURVED[0] <= distance <= _CURVED[1]:
                    drop = self.value - self._lowest_beside(own, ray)
                    if drop > 10 * self.rounding.value:
                        length = float(np.linalg.norm(own - self.top.own))
                        return Fall(ray, length, drop)
                if risen and (self.flat is None or distance > _CURVED[1]):
                    return _Course.RISES
        return _Course.RISES if risen else _Course.FLAT

    def _look(
        self, rays: np.ndarray, distances: tuple[float, ...]
    ) -> list[list[tuple[Fall | _Course, np.ndarray]]]:
        """For each ray, what is to be seen at each distance, and where that is."""
        units = np.array([self.top.unit(ray) for ray in rays])
        outward = np.multiply.outer(units, distances)
        owns = self.top.own + outward[:, :, None] * rays[:, None]
        owns = self.top.project_rows(owns.reshape(-1, self.top.own.size))
        changes = owns - self.top.own
        lengths = np.sqrt((changes**2).sum(1))
        inside = lengths >= 0.1 * outward.reshape(-1)
        places = np.tile(distances, len(rays))
        seen = iter(
            self._judge(owns[inside], changes[inside], lengths[inside], places[inside])
            if inside.any()
            else ()
        )
        found = [
            (next(seen) if here else _Course.ENDS, own)
            for here, own in zip(inside.tolist(), owns, strict=True)
        ]
        return [found[row : row + len(distances)] for row in range(0, len(found), len(distances))]

    def _judge(
        self, owns: np.ndarray, changes: np.ndarray, lengths: np.ndarray, distances: np.ndarray
    ) -> list[Fall | _Course]:
        """What is to be seen at points off the point, a row each.

        Arguments:
            changes, lengths: how far each is from the point.
            distances: of each, in units of its ray.
        """
        top, found = self.top, self.top.at(owns)
        directions, values = changes / lengths[:, None], found.objectives[:, 0]
        broken = ~np.isfinite(values) & (values != -np.inf)
        ends = broken | (found.outcomes >= Outcome.LIMIT).any(1)
        sizes = np.abs(directions)
        slopes_here = np.abs(directions @ top.gradient)
        noise = 10 * self.rounding.value
        within = np.minimum(lengths, self.reach / (sizes / (1 + np.abs(top.own))).max(1))
        lower = values < self.value - noise - slopes_here * within
        slopes = (found.gradients * directions).sum(1)
        slope_noise = 4 * (sizes @ self.rounding.gradient)
        slope_noise += 2 * slopes_here if self.positive else 10 * top.residual * distances
        beyond = distances >= 2 * self.reach
        higher = values > self.value + noise
        falls = lower | (beyond & (slopes < -slope_noise) & ~higher)
        rises = higher | (beyond & (slopes > slope_noise))
        verdicts: list[Fall | _Course] = []
        for row, (ended, fell, rose) in enumerate(
            zip(ends.tolist(), falls.tolist(), rises.tolist(), strict=True)
        ):
            if fell and not ended:
                drop = max(0.0, self.value - float(values[row]))
                verdicts.append(Fall(directions[row], float(lengths[row]), drop))
            else:
                verdicts.append(_Course.ENDS if ended else _Course.RISES if rose else _Course.FLAT)
        return verdicts

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
