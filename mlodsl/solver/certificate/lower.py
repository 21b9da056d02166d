"""The lower levels at a point: gradient norm and curvature of each, read off the response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Array

from mlodsl.calculus import (
    BlockFactor,
    EliminatedFactor,
    Factor,
    FullFactor,
    Vectors,
    on_host,
    split,
)
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..lanes import Each, in_tuple
from ..nest import Nest
from ..readings import beside, curvature_ends, reduced_product, stationarity
from .curvature import Curvature, of_krylov, of_matrix, of_operator
from .names import name_of_entry
from .norms import eps_of, norm
from .structure import LevelCertificate, LevelErrors

# Steps of Lanczos' method before SciPy's, which restarts, and entries of the vectors it keeps.
_KRYLOV, _FEWEST, _KRYLOV_ENTRIES = 96, 12, 16_000_000

_Known: TypeAlias = np.ndarray | EliminatedFactor | None


@dataclass(frozen=True, slots=True)
class LowerLevel:
    """A lower level read at a point; `curvature` None where it couldn't be computed.

    Arguments:
        gradient_error: how much of the gradient's norm may be rounding.
    """

    level: int
    own: np.ndarray
    gradient_norm: float
    curvature: Curvature | None
    gradient_error: float | None = None


def read_lower_levels(
    nest: Nest, point: Point, accuracy: float = 1e-2, slopes: Array | np.ndarray | None = None
) -> list[LowerLevel]:
    """All lower levels, top first.

    One gradient of L_1 holds every level's total gradient: its part in the multipliers m_2 is
    ∇L_2, and so on down. Likewise K_1 as a matrix holds K_2 in its block of u_2 and m_2.

    Arguments:
        accuracy: of the smallest curvature relative to its own size, where no matrix is kept.
        slopes: `lower_slopes` there, where they are known.
    """
    sizes = nest.game.sizes
    if len(sizes) == 1:
        return []
    own, flat, _ = split(sizes, 0, on_host(np.asarray(point.flat)))
    above: Vectors = (own,)
    factor = _known(point.below)
    eps = eps_of(flat)
    if slopes is None:
        rows = Each(np.asarray(beside(flat)))
        slopes = stationarity.of_many(in_tuple, nest.game, 1, above, rows)[0]
    gradient, nudged = np.asarray(slopes)
    with np.errstate(invalid="ignore"):
        change = np.abs(nudged - gradient)
    found = []
    for level in range(1, len(sizes)):
        size = sizes[level]
        mine = gradient[:size]
        curvature = _curvature(nest, level, above, flat, factor, mine, accuracy)
        chosen, below, _ = split(sizes, level, flat)
        length = norm(mine)
        error = norm(change[:size]) + eps * length
        found.append(LowerLevel(level, np.asarray(chosen), length, curvature, error))
        factor = _factor_below(factor, size)
        gradient = gradient[size + below.size :]
        change = change[size + below.size :]
        above = (*above, chosen)
        flat = below
    return found


def _curvature(
    nest: Nest,
    level: int,
    above: Vectors,
    flat: Array,
    factor: _Known,
    gradient: np.ndarray,
    accuracy: float,
) -> Curvature | None:
    assert factor is not None
    if isinstance(factor, np.ndarray):
        return of_matrix(*_reduced(factor, gradient))
    if factor.reduced is not None:
        axes = np.asarray(factor.reduced.axes)
        values = np.asarray(factor.reduced.curvatures)
        rounding = values.size * eps_of(values) * float(np.max(np.abs(values)))
        return of_matrix((axes * values) @ axes.T, gradient, rounding)
    below = factor.below

    def product(vector: np.ndarray) -> np.ndarray:
        column = vector.reshape(-1).astype(flat.dtype)
        return np.asarray(reduced_product(nest, level, above, flat, below, column))

    size = gradient.size
    steps = min(size, _KRYLOV, max(_FEWEST, _KRYLOV_ENTRIES // size))
    if size > 2:
        start = np.random.default_rng(0).standard_normal(size).astype(flat.dtype)
        seen = curvature_ends(nest, level, above, flat, below, start, steps)
        diagonal, beside, basis = map(np.asarray, (seen.diagonal, seen.beside, seen.basis))
        found = of_krylov(diagonal, beside, basis, gradient, accuracy)
        if found is not None:
            return found
    return of_operator(product, gradient)


def _reduced(matrix: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """S_k from K_k, the gradient, and S_k's rounding; not finite where levels below are singular.

    On the host: a compilation for each of these shapes would take longer than all the rest.
    """
    own = gradient.size
    here = matrix[:own, :own]
    eps = eps_of(matrix)
    rest, coupling = matrix[own:, own:], matrix[own:, :own]
    if coupling.shape[0] == 0:
        return matrix, gradient, 4 * eps * np.abs(matrix)
    try:
        through = coupling.T @ np.linalg.solve(rest, coupling)
    except np.linalg.LinAlgError:
        return np.full((own, own), np.nan), gradient, np.zeros((own, own))
    reduced = here - through
    rounding = 10 * len(matrix) * eps * (np.abs(here) + np.abs(through))
    return (reduced + reduced.T) / 2, gradient, rounding


def _known(factor: Factor | None) -> _Known:
    """What a factor holds: all of K_k where it is kept."""
    if isinstance(factor, FullFactor | BlockFactor):
        return np.asarray(factor.matrix)
    return factor


def _factor_below(factor: _Known, own: int) -> _Known:
    """What is known of K_{k+1}: inside K_k it is the block of u_{k+1} and m_{k+1}."""
    if isinstance(factor, np.ndarray):
        below = (len(factor) - own) // 2
        return factor[own : own + below, own + below :]
    return None if factor is None else _known(factor.below)


def certify_lower_level(
    problem: Problem, read: LowerLevel, gap: float | None = None, gap_error: float | None = None
) -> LevelCertificate:
    """The certificate of a lower level.

    Arguments:
        gap: how much better a response was found from other starts, where that was tried.
        gap_error: what can't be told from 0 in it.
    """
    curvature = read.curvature
    if curvature is None:
        errors = LevelErrors(read.gradient_error, None, gap_error)
        return LevelCertificate(read.gradient_norm, None, None, None, None, gap, errors)
    return LevelCertificate(
        gradient_norm=read.gradient_norm,
        min_curvature=curvature.smallest,
        direction=name_of_entry(problem, read.level, curvature.axis),
        unique=curvature.is_positive,
        distance=curvature.distance,
        gap=gap,
        errors=LevelErrors(read.gradient_error, curvature.error, gap_error),
    )
