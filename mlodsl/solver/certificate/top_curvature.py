"""The reduced Hessian of the top level, from central differences of its total gradient."""

from __future__ import annotations

import dataclasses

import numpy as np

from .curvature import Curvature, of_matrix, of_operator
from .top import Look, Rounding, Tangent, TopLevel

_DENSE_COLUMNS = 24
_CAREFUL_COLUMNS = 6
_STEP_SHARES = (1e-2, 1e-4)


def curvature(
    top: TopLevel, free: Tangent, rounding: Rounding, secants: Secants | None
) -> Curvature | None:
    """The curvature of the top level on its free directions; None where it isn't finite.

    Arguments:
        secants: by `secants_of_axes`.
    """
    gradient = free.restrict(_residual(top)) / free.stretch
    if gradient.size == 0:
        return Curvature(np.inf, np.inf, np.zeros(top.own.size), 0.0, 0.0)
    # Where a flat direction winds (the orbit of a symmetry), what is left of the gradient shows
    # over its radius: as curvature, but not as a slope.
    winding = 10 * top.residual / top.size
    if secants is None:
        step = top.eps ** (1 / 3) * top.size
        noise = float(np.linalg.norm(rounding.gradient)) / step + winding

        def product(vector: np.ndarray) -> np.ndarray:
            direction = free.lift(vector.reshape(-1))
            ends = _look_at_both_ends(top, direction[None], np.array([[step]]))
            change = free.restrict(_secants(ends, np.array([[step]]))[0])
            return change + (1 / free.stretch - 1) * vector.reshape(-1)

        found = of_operator(product, gradient, noise)
    else:
        found = _dense(top, secants, rounding, gradient, winding)
    if found is None or free.basis is None:
        return found
    spectrum = found.spectrum
    return dataclasses.replace(
        found,
        axis=free.lift(found.axis),
        newton=None if found.newton is None else free.lift(found.newton),
        spectrum=None if spectrum is None else (spectrum[0], free.basis @ spectrum[1]),
    )


def _residual(top: TopLevel) -> np.ndarray:
    """x - proj(x - g), and g itself where that is lost beside x in rounding."""
    if not top.nest.plans[0].constrained:
        return top.gradient
    residual = top.own - top.project(top.own - top.gradient)
    last_digits = 4 * top.eps * np.abs(top.own)
    lost = (np.abs(residual) <= last_digits) & (np.abs(top.gradient) <= last_digits)
    return np.where(lost, top.gradient, residual)


def _dense(
    top: TopLevel, secants: Secants, rounding: Rounding, gradient: np.ndarray, winding: float
) -> Curvature | None:
    """The matrix of all secants: of the two that give an entry the more exact one."""
    size, free = gradient.size, secants.free
    columns, errors = [], []
    for column in range(size):
        found, error = _careful_secant(secants, column, rounding)
        columns.append(found)
        errors.append(error)
    matrix, error = np.array(columns).T, np.array(errors).T
    better = error < error.T
    equal = error == error.T
    matrix = np.where(better, matrix, np.where(equal, (matrix + matrix.T) / 2, matrix.T))
    if free.basis is not None:
        matrix += np.diag(1 / free.stretch - 1)
    seen = of_matrix(matrix, gradient, np.minimum(error, error.T))
    if seen is None or size == 1 or seen.smallest > winding or seen.smallest < -winding:
        return seen
    along = abs(float(seen.axis @ gradient))
    if along > 1e-3 * float(np.linalg.norm(gradient)):
        return seen
    return of_matrix(matrix, gradient, np.maximum(np.minimum(error, error.T), winding))


def secants_of_axes(top: TopLevel, free: Tangent) -> Secants | None:
    """The secants along the axes of the free directions; None where these are none, or many."""
    return Secants(top, free) if 0 < free.stretch.size <= _DENSE_COLUMNS else None


class Secants:
    """Secants along the axes of the free directions, at a long step and at shorter ones, as they
    are asked for.

    `look` holds those that most likely will be, where they cost little.
    """

    def __init__(self, top: TopLevel, free: Tangent) -> None:
        self.top, self.free = top, free
        axes = np.eye(free.stretch.size)
        self._lifted = np.array([free.lift(axis) for axis in axes])
        self._steps = (top.eps ** (1 / 3) * top.units(self._lifted)).tolist()
        self._known: dict[tuple[int, float], np.ndarray] = {}
        self.careful = len(axes) <= _CAREFUL_COLUMNS
        shares = (1.0, _STEP_SHARES[0]) if self.careful else (1.0,)
        self._first = [(number, share) for number in range(len(axes)) for share in shares]
        self.look = self._look(self._first) if top.at_once else None

    def step(self, number: int, share: float) -> float:
        """The step along a direction."""
        return share * float(self._steps[number])

    def secant(self, number: int, share: float) -> np.ndarray:
        """The change of the free part of the gradient per step."""
        if self.look is not None and not self._known:
            self._add(self._first, self.look)
        if (number, share) not in self._known:
            wanted = [(number, share)]
            self._add(wanted, self._look(wanted))
        return self._known[number, share]

    def _look(self, wanted: list[tuple[int, float]]) -> Look:
        return _look_at_both_ends(self.top, self._lifted[[n for n, _ in wanted]], self._of(wanted))

    def _add(self, wanted: list[tuple[int, float]], look: Look) -> None:
        found = _secants(look, self._of(wanted))
        self._known |= zip(wanted, map(self.free.restrict, found), strict=True)

    def _of(self, wanted: list[tuple[int, float]]) -> np.ndarray:
        """The steps, a row each."""
        return np.array([self.step(*one) for one in wanted])[:, None]


def _careful_secant(
    secants: Secants, number: int, rounding: Rounding
) -> tuple[np.ndarray, np.ndarray]:
    """The secant at the longest step that a shorter one agrees with, and its error.

    Where none agrees (a degenerate minimum, whose secants shrink with the step), the last
    change counts as the error.
    """
    noise = secants.free.restrict_errors(rounding.gradient)
    column, error = secants.secant(number, 1.0), noise / secants.step(number, 1.0)
    if not secants.careful:
        return column, error
    for share in _STEP_SHARES:
        shorter = secants.secant(number, share)
        change, rounded = np.abs(shorter - column), noise / secants.step(number, share)
        if not (change > rounded + 0.1 * float(np.abs(shorter).max())).any():
            return column, error
        column, error = shorter, np.maximum(rounded, change)
    return column, error


def _look_at_both_ends(top: TopLevel, directions: np.ndarray, steps: np.ndarray) -> Look:
    """A step ahead along directions, a row each, and a step back."""
    moves = steps * directions
    return Look(top, np.concatenate([top.own + moves, top.own - moves]))


def _secants(look: Look, steps: np.ndarray) -> np.ndarray:
    """The change of the total gradient per step, a row each, by `_look_at_both_ends`."""
    found, half = look.found.gradients, len(steps)
    return np.asarray((found[:half] - found[half:]) / (2 * steps))


def rises_after(top: TopLevel, step: np.ndarray, noise: float) -> float | None:
    """After how many Newton steps in a row the objective rises again: 2, 4, 8, 16 or infinity.

    At a minimum with curvature it rises after two as steeply as it fell. Past a degenerate one it
    does so later; where it flattens out towards infinity, it goes on falling or shows no slope
    above its noise.

    Arguments:
        step: -H⁻¹ g, in the level's variables.
        noise: of the slope.

    Returns:
        None where it can't be seen: the step isn't finite, the level's domain ends before, or the
        gradient isn't finite there.
    """
    length = float(np.linalg.norm(step))
    if not 0 < length < np.inf:
        return None
    unit = step / length
    fall = abs(float(unit @ top.gradient))
    for times in (2, 4, 8, 16):
        own = top.own + times * step
        if np.linalg.norm(top.project(own) - own) > top.eps**0.5 * length:
            return None
        slope = float(unit @ top.gradient_at(own))
        if not np.isfinite(slope):
            return None
        if slope > (max(10 * noise, 0.5 * fall) if times == 2 else 10 * noise):
            return times
    return np.inf


def newton_contracts(top: TopLevel, free: Tangent, noise: float) -> bool:
    """Whether steps of a secant method along the gradient shrink it as at a true minimum.

    At a minimum with curvature a step of Newton's length leaves next to nothing of the
    gradient; where it fades out exponentially or by a power, a good part is left.
    """
    direction = free.restrict(top.gradient)
    norm = float(np.linalg.norm(direction))
    if norm == 0:
        return True
    unit = free.lift(direction / norm)
    step = top.eps ** (1 / 3) * top.size
    slope = float(unit @ (top.gradient_at(top.own + step * unit) - top.gradient)) / step
    if slope <= 0:
        return False
    moved = top.gradient_at(top.own - norm / slope * unit)
    left = abs(float(unit @ moved))
    return left <= 0.1 * norm + 10 * noise
