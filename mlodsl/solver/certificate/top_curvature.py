"""The reduced Hessian of the top level, from central differences of its total gradient."""

from __future__ import annotations

import numpy as np

from .curvature import Curvature, of_matrix, of_operator
from .top import Rounding, Tangent, TopLevel

_DENSE_COLUMNS = 24
_CAREFUL_COLUMNS = 6
_STEP_SHARES = (1e-2, 1e-4)


def curvature(top: TopLevel, free: Tangent, rounding: Rounding) -> Curvature | None:
    """The curvature of the top level on its free directions; None where it isn't finite."""
    gradient = free.restrict(_residual(top)) / free.stretch
    if gradient.size == 0:
        return Curvature(np.inf, np.inf, np.zeros(top.own.size), 0.0, 0.0)
    # Where a flat direction winds (the orbit of a symmetry), what is left of the gradient shows
    # over its radius: as curvature, but not as a slope.
    winding = 10 * top.residual / top.size
    if gradient.size > _DENSE_COLUMNS:
        step = top.eps ** (1 / 3) * top.size
        noise = float(np.linalg.norm(rounding.gradient)) / step + winding

        def product(vector: np.ndarray) -> np.ndarray:
            direction = free.lift(vector.reshape(-1))
            change = _secant(top, free, direction, step)
            return change + (1 / free.stretch - 1) * vector.reshape(-1)

        found = of_operator(product, gradient, noise)
    else:
        found = _dense(top, free, rounding, gradient, winding)
    if found is None:
        return None
    newton = None if found.newton is None else free.lift(found.newton)
    spectrum = None
    if found.spectrum is not None:
        values, axes = found.spectrum
        spectrum = (values, axes if free.basis is None else free.basis @ axes)
    return Curvature(
        found.smallest,
        found.largest,
        free.lift(found.axis),
        found.distance,
        found.floor,
        newton,
        spectrum,
        found.error,
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
    top: TopLevel, free: Tangent, rounding: Rounding, gradient: np.ndarray, winding: float
) -> Curvature | None:
    """The matrix of all secants: of the two that give an entry the more exact one."""
    size = gradient.size
    columns, errors = [], []
    for entry in range(size):
        direction = free.lift(np.eye(size)[entry])
        column, error = _careful_secant(top, free, rounding, direction, size)
        columns.append(column)
        errors.append(error)
    matrix, error = np.stack(columns, axis=1), np.stack(errors, axis=1)
    better = error < error.T
    equal = error == error.T
    matrix = np.where(better, matrix, np.where(equal, (matrix + matrix.T) / 2, matrix.T))
    matrix += np.diag(1 / free.stretch - 1)
    found = of_matrix(matrix, gradient, np.minimum(error, error.T))
    if found is None or size == 1 or found.smallest > winding or found.smallest < -winding:
        return found
    along = abs(float(found.axis @ gradient))
    if along > 1e-3 * float(np.linalg.norm(gradient)):
        return found
    return of_matrix(matrix, gradient, np.maximum(np.minimum(error, error.T), winding))


def _careful_secant(
    top: TopLevel, free: Tangent, rounding: Rounding, direction: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """The secant at the longest step that a shorter one agrees with, and its error.

    Where none agrees (a degenerate minimum, whose secants shrink with the step), the last
    change counts as the error.
    """
    unit = top.eps ** (1 / 3) * top.unit(direction)
    noise = free.restrict_errors(rounding.gradient)
    column, error = _secant(top, free, direction, unit), noise / unit
    if size > _CAREFUL_COLUMNS:
        return column, error
    for share in _STEP_SHARES:
        shorter = _secant(top, free, direction, share * unit)
        change, rounded = np.abs(shorter - column), noise / (share * unit)
        if not np.any(change > rounded + 0.1 * float(np.max(np.abs(shorter)))):
            return column, error
        column, error = shorter, np.maximum(rounded, change)
    return column, error


def _secant(top: TopLevel, free: Tangent, direction: np.ndarray, step: float) -> np.ndarray:
    ahead = top.gradient_at(top.own + step * direction)
    behind = top.gradient_at(top.own - step * direction)
    return free.restrict((ahead - behind) / (2 * step))


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
