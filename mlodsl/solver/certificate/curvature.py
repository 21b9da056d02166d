"""Extreme eigenvalues of symmetric matrices and operators, on the host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse.linalg


@dataclass(frozen=True, slots=True)
class Curvature:
    """The spectrum's ends, the axis of the smallest eigenvalue, and H⁻¹ applied to g.

    Arguments:
        smallest, largest: eigenvalues.
        axis: the unit eigenvector of the smallest one.
        distance: ‖H⁻¹ g‖, or the bound ‖g‖ / smallest where H is an operator; infinite
            where the smallest eigenvalue is not positive.
        floor: eigenvalues below it can't be told from zero.
    """

    smallest: float
    largest: float
    axis: np.ndarray
    distance: float
    floor: float

    @property
    def is_positive(self) -> bool:
        """Whether the smallest eigenvalue is certainly positive."""
        return bool(self.smallest > self.floor)


def of_matrix(matrix: np.ndarray, gradient: np.ndarray, noise: float = 0.0) -> Curvature | None:
    """The curvature of a matrix; None where it isn't finite.

    Arguments:
        noise: an absolute error of the entries beyond that of rounding.
    """
    if not np.all(np.isfinite(matrix)):
        return None
    values, axes = np.linalg.eigh(matrix)
    eps = np.finfo(matrix.dtype).eps
    floor = max(1e3 * eps * len(values) * float(np.max(np.abs(values))), noise)
    distance = float("inf")
    if values[0] > floor:
        distance = float(np.linalg.norm((axes.T @ gradient) / values))
    return Curvature(float(values[0]), float(values[-1]), axes[:, 0], distance, floor)


def of_operator(
    product: Callable[[np.ndarray], np.ndarray], gradient: np.ndarray, noise: float = 0.0
) -> Curvature | None:
    """The curvature of v ↦ H v by Lanczos' method; None where it doesn't converge."""
    size = gradient.size
    if size <= 2:
        matrix = np.stack([product(axis) for axis in np.eye(size, dtype=gradient.dtype)])
        return of_matrix((matrix + matrix.T) / 2, gradient, noise)
    operator = scipy.sparse.linalg.LinearOperator(
        (size, size), matvec=product, dtype=gradient.dtype
    )
    start = np.random.default_rng(0).standard_normal(size).astype(gradient.dtype)
    try:
        low, axes = scipy.sparse.linalg.eigsh(operator, k=1, which="SA", v0=start, tol=1e-4)
        high = scipy.sparse.linalg.eigsh(
            operator, k=1, which="LA", v0=start, tol=1e-2, return_eigenvectors=False
        )
    except scipy.sparse.linalg.ArpackError:
        return None
    smallest, largest = float(low[0]), float(high[0])
    if not (np.isfinite(smallest) and np.isfinite(largest)):
        return None
    eps = np.finfo(gradient.dtype).eps
    floor = max(1e3 * eps * np.sqrt(size) * max(abs(smallest), abs(largest)), noise)
    distance = float(np.linalg.norm(gradient)) / smallest if smallest > floor else float("inf")
    return Curvature(smallest, largest, axes[:, 0], distance, floor)
