"""The first-order conditions of a piece, and Newton's method on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from .functions import Functions
from .kkt import Candidate, Piece, deeper, force_places, free_entries, kink_rows, piece_program
from .place import AT_MOST, BELOW, CONDITIONS, EQUAL, FORCE, OWN, SLACK
from .rivals import Rivals

_NEAR = 1e-6
_NEWTON_STEPS = 8
# A polish moves a point by its last digits, and by no more.
_LONGEST = 1e-2
_FEASIBLE = 1e-10
_EQUALITIES = (EQUAL, CONDITIONS)
# In place of a part: rivals, forces that aren't negative, kinks that hold.
_RIVAL, _NOT_NEGATIVE, _KINK = -1, -2, -3


@dataclass(frozen=True, slots=True)
class Conditions:
    """A piece's first-order conditions at a point.

    Arguments:
        residual: the norm of ∇F less its best combination of the constraints' derivatives,
            those of inequalities with the right sign.
        multipliers: λ, μ, ξ and σ as in `system`, one vector.
        of_rivals: the largest multiplier of a rival.
        curvature: the smallest curvature of the Lagrangian along the piece's active constraints;
            None where these leave no direction.
        axis: the direction of it in the own variables and those of the next level.
        rounding: an estimate of the residual's rounding error.
    """

    residual: float
    multipliers: np.ndarray
    of_rivals: float
    curvature: float | None
    axis: np.ndarray | None
    rounding: float


@dataclass(frozen=True, slots=True)
class _Active:
    """Active constraints: their values, derivatives, and where their weights belong.

    Arguments:
        values, slopes: equalities first, inequalities after them.
        equalities: how many of them there are.
        places: of each the part and the index in it.
    """

    values: np.ndarray
    slopes: np.ndarray
    equalities: int
    places: list[tuple[int, int]]


def conditions(
    functions: Functions, rivals: Rivals, z: np.ndarray, piece: Piece, *, second: bool = True
) -> Conditions:
    """The first-order conditions of a piece at z, and where asked for the second-order one."""
    free = free_entries(functions, piece)
    active = _active(functions, rivals, z, piece)
    slope = functions.at(z, deeper(piece))[1][OWN]
    weights = _weights(active, slope, free)
    rest = slope[free] + weights @ active.slopes[:, free]
    terms = np.abs(slope[free]) + np.abs(weights) @ np.abs(active.slopes[:, free])
    eps = float(np.finfo(z.dtype).eps)
    curvature, axis = None, None
    if second:
        curvature, axis = _curvature(functions, z, piece, active, weights, free)
    of_rivals = [
        weight for weight, (part, _) in zip(weights, active.places, strict=True) if part == _RIVAL
    ]
    return Conditions(
        float(np.linalg.norm(rest)),
        _multipliers(functions, z, piece, active, weights),
        max(of_rivals, default=0.0),
        curvature,
        axis,
        100 * eps * float(np.linalg.norm(terms)),
    )


def _multipliers(
    functions: Functions, z: np.ndarray, piece: Piece, active: _Active, weights: np.ndarray
) -> np.ndarray:
    """λ, μ, ξ and σ, each 0 where its constraint isn't active.

    ξ is that of a pair's zero side, σ that of the other: a force that is left out of the piece's
    free entries, because it is zero, has the multiplier that makes its entry stationary.
    """
    values, slopes = functions.at(z, deeper(piece))
    sizes = [values[part].size for part in (AT_MOST, EQUAL, CONDITIONS, SLACK)]
    of_at_most, of_equal, of_conditions, of_zero = (np.zeros(size) for size in sizes)
    of_other = np.zeros(sizes[3])
    shape = functions.place.below
    kinks = np.zeros(0 if shape is None else shape.signs)
    held: list[int] = []
    if shape is not None and piece:
        held = [kink for kink, (pair, _) in enumerate(shape.inherited_pairs) if piece[0][pair]]
    into = {AT_MOST: of_at_most, EQUAL: of_equal, CONDITIONS: of_conditions}
    for weight, (part, index) in zip(weights, active.places, strict=True):
        if part in into:
            into[part][index] += weight
        elif part == SLACK:
            (of_zero if piece[0][index] else of_other)[index] += weight
        elif part == _NOT_NEGATIVE:
            of_other[index] += weight
        elif part == _KINK:
            kinks[held[index]] += weight
    if piece:
        # Slacks are ≥ 0: as an inequality their multiplier σ enters with the other sign.
        places = force_places(functions)
        total = slopes[OWN] + weights @ active.slopes
        of_zero = np.where(piece[0], of_zero, -total[places])
    return np.concatenate([of_at_most, of_equal, of_conditions, of_zero, of_other, kinks])


def polish(functions: Functions, rivals: Rivals, candidate: Candidate) -> Candidate:
    """The candidate after Newton's method on its piece's conditions, where that brings it closer.

    Inequalities with a multiplier are kept as equalities, which puts active bounds exactly.
    """
    piece = candidate.piece
    if piece is None:
        return candidate
    free = free_entries(functions, piece)
    best = candidate.point
    error = np.inf
    z = best
    for _ in range(_NEWTON_STEPS):
        active = _active(functions, rivals, z, piece)
        slope = functions.at(z, deeper(piece))[1][OWN]
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
        hessian = _hessian(functions, z, piece, active, weights)[np.ix_(free, free)]
        matrix = np.block([[hessian, slopes.T], [slopes, np.zeros((len(values), len(values)))]])
        right = -np.concatenate([rest, values])
        if not np.all(np.isfinite(matrix)):
            break
        step = scipy.linalg.lstsq(matrix, right, cond=1e-12)[0][: int(free.sum())]
        z = z.copy()
        if np.linalg.norm(step) > _LONGEST * (1 + np.linalg.norm(z)):
            break
        z[free] += step
        force = force_places(functions)
        z[force] = np.maximum(z[force], 0.0)
        if not np.all(np.isfinite(z)):
            break
    program, _ = piece_program(functions, rivals, piece)
    if program.evaluate(best[free]).violation > max(
        _FEASIBLE, program.evaluate(candidate.point[free]).violation
    ):
        return candidate
    value = float(functions.at(best, deeper(piece))[0][OWN])
    return Candidate(best, value, piece, candidate.complete)


def _active(functions: Functions, rivals: Rivals, z: np.ndarray, piece: Piece) -> _Active:
    values, slopes = functions.at(z, deeper(piece))
    mask = piece[0] if piece else np.zeros(0, bool)
    places = [(part, index) for part in _EQUALITIES for index in range(values[part].size)]
    places += [(SLACK, index) for index in np.flatnonzero(mask).tolist()]
    equalities = len(places)
    found = [(values[part][index], slopes[part][index]) for part, index in places]
    for index in np.flatnonzero(values[AT_MOST] >= -_NEAR).tolist():
        places.append((AT_MOST, index))
        found.append((values[AT_MOST][index], slopes[AT_MOST][index]))
    for index in np.flatnonzero((values[SLACK] <= _NEAR) & ~mask).tolist():
        places.append((SLACK, index))
        found.append((-values[SLACK][index], -slopes[SLACK][index]))
    for kind, (own_values, own_slopes) in (
        (_KINK, kink_rows(functions, z, piece)),
        (_RIVAL, rivals.constraints(z, deeper(piece))),
    ):
        for index in np.flatnonzero(own_values >= -_NEAR).tolist():
            places.append((kind, index))
            found.append((own_values[index], own_slopes[index]))
    force = force_places(functions)
    for index in np.flatnonzero(mask & (values[FORCE] <= _NEAR)).tolist():
        row = np.zeros(z.size, z.dtype)
        row[force[index]] = -1.0
        places.append((_NOT_NEGATIVE, index))
        found.append((-values[FORCE][index], row))
    empty = np.zeros((0, z.size), z.dtype)
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
    inequalities = np.arange(len(active.places)) >= active.equalities
    if not columns.shape[0] or not np.all(np.isfinite(columns)):
        return np.zeros(len(active.places))
    if not np.any(inequalities):
        return np.asarray(np.linalg.lstsq(columns, -slope[free], rcond=None)[0])
    least = np.where(inequalities, 0.0, -np.inf)
    found = scipy.optimize.lsq_linear(columns, -slope[free], bounds=(least, np.inf), method="bvls")
    return np.asarray(found.x)


def _hessian(
    functions: Functions, z: np.ndarray, piece: Piece, active: _Active, weights: np.ndarray
) -> np.ndarray:
    """Of the piece's Lagrangian; of a rival's constraint the part at the answer alone."""
    values, _ = functions.at(z, deeper(piece))
    by_part = [np.zeros_like(np.asarray(value)) for value in values]
    by_part[OWN] = np.ones_like(by_part[OWN])
    for position, (weight, (part, index)) in enumerate(zip(weights, active.places, strict=True)):
        if part == SLACK and position >= active.equalities:
            by_part[part][index] -= weight
        elif part >= 0:
            by_part[part][index] += weight
        elif part == _RIVAL:
            by_part[BELOW] = by_part[BELOW] + weight
    return functions.curvature(z, deeper(piece), by_part)


def _curvature(
    functions: Functions,
    z: np.ndarray,
    piece: Piece,
    active: _Active,
    weights: np.ndarray,
    free: np.ndarray,
) -> tuple[float | None, np.ndarray | None]:
    """The smallest curvature within the tangent space of all active constraints."""
    rows = active.slopes[:, free]
    if not np.all(np.isfinite(rows)):
        return None, None
    tangent = scipy.linalg.null_space(rows, rcond=1e-9) if len(rows) else np.eye(int(free.sum()))
    choices = functions.place.choices
    # Multipliers alone may be free to move; they are no direction of the variables.
    own = tangent[:choices]
    tangent = tangent @ scipy.linalg.orth(own.T, rcond=1e-9) if own.size else tangent
    if tangent.shape[1] == 0:
        return None, None
    hessian = _hessian(functions, z, piece, active, weights)[np.ix_(free, free)]
    if not np.all(np.isfinite(hessian)):
        return None, None
    values, axes = np.linalg.eigh(tangent.T @ hessian @ tangent)
    return float(values[0]), (tangent @ axes[:, 0])[:choices]
