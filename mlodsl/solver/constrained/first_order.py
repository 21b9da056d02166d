"""The first-order conditions of a piece, and Newton's method on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.optimize

from .functions import (
    LOWER,
    LOWER_AT_MOST,
    LOWER_EQUAL,
    STATIONARITY,
    UPPER,
    UPPER_AT_MOST,
    UPPER_EQUAL,
    Functions,
)
from .kkt import Candidate, Piece, piece_program
from .rivals import Rivals

_NEAR = 1e-6
_NEWTON_STEPS = 8
# A polish moves a point by its last digits, and by no more.
_LONGEST = 1e-2
_FEASIBLE = 1e-10
_EQUALITIES = (UPPER_EQUAL, STATIONARITY, LOWER_EQUAL)


@dataclass(frozen=True, slots=True)
class Conditions:
    """A piece's first-order conditions at a point.

    Arguments:
        residual: the norm of ∇F less its best combination of the constraints' derivatives,
            those of inequalities with the right sign.
        upper_at_most: the multipliers of the upper level's inequalities.
        curvature: the smallest curvature of the Lagrangian along the piece's active constraints;
            None where these leave no direction.
        axis: the direction of it in (x, y).
        rounding: an estimate of the residual's rounding error.
    """

    residual: float
    upper_at_most: np.ndarray
    curvature: float | None
    axis: np.ndarray | None
    rounding: float


@dataclass(frozen=True, slots=True)
class _Active:
    """Active constraints: their values, derivatives, and where their weights belong.

    Arguments:
        values, slopes: equalities first, inequalities after them.
        equalities: how many of them there are.
        places: of each the part and the index in it; part -1 for rivals, -2 for λ_i ≥ 0.
    """

    values: np.ndarray
    slopes: np.ndarray
    equalities: int
    places: list[tuple[int, int]]


def conditions(functions: Functions, rivals: Rivals, z: np.ndarray, piece: Piece) -> Conditions:
    """The first-order conditions of a piece at z, and the second-order one."""
    free = _free(functions, piece)
    active = _active(functions, rivals, z, piece)
    slope = functions.at(z)[1][UPPER]
    weights = _weights(active, slope, free)
    rest = slope[free] + weights @ active.slopes[:, free]
    terms = np.abs(slope[free]) + np.abs(weights) @ np.abs(active.slopes[:, free])
    eps = float(np.finfo(z.dtype).eps)
    upper = np.zeros(functions.at(z)[0][UPPER_AT_MOST].size)
    for weight, (part, index) in zip(weights, active.places, strict=True):
        if part == UPPER_AT_MOST:
            upper[index] = weight
    curvature, axis = _curvature(functions, z, active, weights, free)
    return Conditions(
        float(np.linalg.norm(rest)),
        upper,
        curvature,
        axis,
        100 * eps * float(np.linalg.norm(terms)),
    )


def polish(functions: Functions, rivals: Rivals, candidate: Candidate) -> Candidate:
    """The candidate after Newton's method on its piece's conditions, where that brings it closer.

    Inequalities with a multiplier are kept as equalities, which puts active bounds exactly.
    """
    if candidate.piece is None:
        return candidate
    free = _free(functions, candidate.piece)
    best = candidate.point
    error = np.inf
    z = best
    for _ in range(_NEWTON_STEPS):
        active = _active(functions, rivals, z, candidate.piece)
        slope = functions.at(z)[1][UPPER]
        weights = _weights(active, slope, free)
        held = (np.arange(weights.size) < active.equalities) | (weights > 1e-9)
        slopes, values = active.slopes[held][:, free], active.values[held]
        rest = slope[free] + weights[held] @ slopes
        size = float(np.linalg.norm(np.concatenate([rest, values])))
        if not size < error:
            break
        best, error = z, size
        if error <= 1e-15:
            break
        hessian = _hessian(functions, z, active, weights)[np.ix_(free, free)]
        matrix = np.block([[hessian, slopes.T], [slopes, np.zeros((len(values), len(values)))]])
        right = -np.concatenate([rest, values])
        if not np.all(np.isfinite(matrix)):
            break
        step = scipy.linalg.lstsq(matrix, right, cond=1e-12)[0][: int(free.sum())]
        z = z.copy()
        if np.linalg.norm(step) > _LONGEST * (1 + np.linalg.norm(z)):
            break
        z[free] += step
        force = slice(functions.shape.choices, functions.shape.choices + functions.shape.at_most)
        z[force] = np.maximum(z[force], 0.0)
        if not np.all(np.isfinite(z)):
            break
    program, _ = piece_program(functions, rivals, candidate.piece)
    if program.evaluate(best[free]).violation > max(
        _FEASIBLE, program.evaluate(candidate.point[free]).violation
    ):
        return candidate
    value = float(functions.at(best)[0][UPPER])
    return Candidate(best, value, candidate.piece, candidate.complete)


def _free(functions: Functions, piece: Piece) -> np.ndarray:
    shape = functions.shape
    free = np.ones(shape.all, bool)
    free[shape.choices + np.arange(shape.at_most)] = np.isin(np.arange(shape.at_most), list(piece))
    return free


def _active(functions: Functions, rivals: Rivals, z: np.ndarray, piece: Piece) -> _Active:
    values, slopes = functions.at(z)
    shape = functions.shape
    places = [(part, index) for part in _EQUALITIES for index in range(values[part].size)]
    places += [(LOWER_AT_MOST, index) for index in sorted(piece)]
    equalities = len(places)
    places += [
        (UPPER_AT_MOST, index) for index in np.flatnonzero(values[UPPER_AT_MOST] >= -_NEAR).tolist()
    ]
    places += [
        (LOWER_AT_MOST, index)
        for index in np.flatnonzero(values[LOWER_AT_MOST] >= -_NEAR).tolist()
        if index not in piece
    ]
    found = [(values[part][index], slopes[part][index]) for part, index in places]
    rival_values, rival_slopes = rivals.constraints(z)
    for index in np.flatnonzero(rival_values >= -_NEAR).tolist():
        places.append((-1, index))
        found.append((rival_values[index], rival_slopes[index]))
    force = shape.split(z)[2]
    for index in sorted(piece):
        if force[index] <= _NEAR:
            row = np.zeros(shape.all, z.dtype)
            row[shape.choices + index] = -1.0
            places.append((-2, index))
            found.append((-force[index], row))
    empty = np.zeros((0, shape.all), z.dtype)
    return _Active(
        np.array([value for value, _ in found], z.dtype),
        np.stack([row for _, row in found]) if found else empty,
        equalities,
        places,
    )


def _weights(active: _Active, slope: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The multipliers of least squares, those of inequalities not negative."""
    if not len(active.places):
        return np.zeros(0)
    columns = active.slopes[:, free].T
    least = np.where(np.arange(len(active.places)) < active.equalities, -np.inf, 0.0)
    found = scipy.optimize.lsq_linear(columns, -slope[free], bounds=(least, np.inf), method="bvls")
    return np.asarray(found.x)


def _hessian(
    functions: Functions, z: np.ndarray, active: _Active, weights: np.ndarray
) -> np.ndarray:
    """Of the piece's Lagrangian; of a rival's constraint the follower's own part alone."""
    values, _ = functions.at(z)
    by_part = [np.zeros_like(np.asarray(value)) for value in values]
    by_part[UPPER] = np.ones_like(by_part[UPPER])
    for weight, (part, index) in zip(weights, active.places, strict=True):
        if part >= 0:
            by_part[part][index] += weight
        elif part == -1:
            by_part[LOWER] = by_part[LOWER] + weight
    return functions.curvature(z, by_part)


def _curvature(
    functions: Functions, z: np.ndarray, active: _Active, weights: np.ndarray, free: np.ndarray
) -> tuple[float | None, np.ndarray | None]:
    """The smallest curvature within the tangent space of all active constraints."""
    tangent = scipy.linalg.null_space(active.slopes[:, free], rcond=1e-9)
    choices = functions.shape.choices
    # Multipliers alone may be free to move; they are no direction of the variables.
    own = tangent[:choices]
    tangent = tangent @ scipy.linalg.orth(own.T, rcond=1e-9) if own.size else tangent
    if tangent.shape[1] == 0:
        return None, None
    hessian = _hessian(functions, z, active, weights)[np.ix_(free, free)]
    if not np.all(np.isfinite(hessian)):
        return None, None
    values, axes = np.linalg.eigh(tangent.T @ hessian @ tangent)
    return float(values[0]), (tangent @ axes[:, 0])[:choices]
