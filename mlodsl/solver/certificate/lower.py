"""The lower levels at a point: gradient norm and curvature of each, read off the response."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.calculus import Factor, FullFactor, Vectors, split
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..nest import Nest
from ..oracle import reduced_product, stationarity
from .curvature import Curvature, of_matrix, of_operator
from .names import name_of_entry
from .structure import LevelCertificate


@dataclass(frozen=True, slots=True)
class LowerLevel:
    """A lower level read at a point; `curvature` None where it couldn't be computed."""

    level: int
    own: np.ndarray
    gradient_norm: float
    curvature: Curvature | None


def read_lower_levels(nest: Nest, point: Point) -> list[LowerLevel]:
    """All lower levels, top first.

    One gradient of L_1 holds every level's total gradient: its part in the multipliers m_2 is
    ∇L_2, and so on down. Likewise K_1 as a matrix holds K_2 in its block of u_2 and m_2.
    """
    sizes = nest.game.sizes
    if len(sizes) == 1:
        return []
    own, flat, _ = split(sizes, 0, point.flat)
    above: Vectors = (own,)
    factor = point.below
    gradient = stationarity(nest.game, 1, above, flat)
    found = []
    for level in range(1, len(sizes)):
        size = sizes[level]
        mine = np.asarray(gradient[:size])
        curvature = _curvature(nest, level, above, flat, factor, mine)
        chosen, below, _ = split(sizes, level, flat)
        found.append(LowerLevel(level, np.asarray(chosen), float(np.linalg.norm(mine)), curvature))
        factor = _factor_below(factor, size)
        gradient = gradient[size + below.size :]
        above = (*above, chosen)
        flat = below
    return found


def _curvature(
    nest: Nest, level: int, above: Vectors, flat: Array, factor: Factor | None, gradient: np.ndarray
) -> Curvature | None:
    if isinstance(factor, FullFactor):
        return of_matrix(_reduced(np.asarray(factor.matrix), gradient.size), gradient)
    assert factor is not None
    if factor.reduced is not None:
        axes = np.asarray(factor.reduced.axes)
        return of_matrix((axes * np.asarray(factor.reduced.curvatures)) @ axes.T, gradient)
    below = factor.below

    def product(vector: np.ndarray) -> np.ndarray:
        column = jnp.asarray(vector.reshape(-1), flat.dtype)
        return np.asarray(reduced_product(nest, level, above, flat, below, column))

    return of_operator(product, gradient)


def _reduced(matrix: np.ndarray, own: int) -> np.ndarray:
    """S_k from K_k; not finite where the levels below are singular.

    On the host: a compilation for each of these shapes would take longer than all the rest.
    """
    rest, coupling = matrix[own:, own:], matrix[own:, :own]
    if coupling.shape[0] == 0:
        return matrix
    try:
        reduced = matrix[:own, :own] - coupling.T @ np.linalg.solve(rest, coupling)
    except np.linalg.LinAlgError:
        return np.full((own, own), np.nan)
    return (reduced + reduced.T) / 2


def _factor_below(factor: Factor | None, own: int) -> Factor | None:
    """The factor of K_{k+1}: inside K_k it is the block of u_{k+1} and m_{k+1}."""
    if not isinstance(factor, FullFactor):
        return None if factor is None else factor.below
    below = (factor.matrix.shape[0] - own) // 2
    block = jnp.asarray(np.asarray(factor.matrix)[own : own + below, own + below :])
    return FullFactor(block, factor.reduced, factor.tangent)


def certify_lower_level(problem: Problem, read: LowerLevel) -> LevelCertificate:
    """The certificate of a lower level."""
    curvature = read.curvature
    if curvature is None:
        return LevelCertificate(read.gradient_norm, None, None, None, None)
    return LevelCertificate(
        gradient_norm=read.gradient_norm,
        min_curvature=curvature.smallest,
        direction=name_of_entry(problem, read.level, curvature.axis),
        unique=curvature.is_positive,
        distance=curvature.distance,
    )
