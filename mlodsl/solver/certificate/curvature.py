"""Extreme eigenvalues of symmetric matrices and operators, on the host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

from .norms import eps_of, norm


@dataclass(frozen=True, slots=True)
class Curvature:
    """The spectrum's ends, the axis of the smallest eigenvalue, and H⁻¹ applied to g.

    Arguments:
        smallest, largest: eigenvalues.
        axis: the unit eigenvector of the smallest one.
        distance: ‖H⁻¹ g‖, or the bound ‖g‖ / smallest where H is an operator; infinite
            where the smallest eigenvalue is not positive.
        floor: eigenvalues below it can't be told from zero.
        newton: H⁻¹ g, where H is a matrix and positive.
        spectrum: all eigenvalues and the eigenvectors in columns, where H is a matrix.
        error: an estimate of the smallest eigenvalue's error.
    """

    smallest: float
    largest: float
    axis: np.ndarray
    distance: float
    floor: float
    newton: np.ndarray | None = None
    spectrum: tuple[np.ndarray, np.ndarray] | None = None
    error: float | None = None

    @property
    def is_positive(self) -> bool:
        """Whether the smallest eigenvalue is certainly positive."""
        return bool(self.smallest > self.floor)


def of_matrix(
    matrix: np.ndarray, gradient: np.ndarray, noise: float | np.ndarray = 0.0
) -> Curvature | None:
    """The curvature of a matrix; None where it isn't finite.

    A matrix of very different curvatures (1e8 along one variable, 1e-6 along another) is positive
    where it is so with each variable in its own unit: with D = diag(H), D^(-1/2) H D^(-1/2).

    Arguments:
        noise: an absolute error of each entry beyond that of rounding.
    """
    if not np.isfinite(matrix).all():
        return None
    # A number is its own eigenvalue; to have that looked up takes as long as all of the rest.
    values, axes = (matrix[0], np.ones((1, 1))) if matrix.size == 1 else np.linalg.eigh(matrix)
    eps = eps_of(matrix)
    count = len(values)
    errors = noise if isinstance(noise, np.ndarray) else np.full(matrix.shape, noise)
    largest = max(abs(float(values[0])), abs(float(values[-1])))
    floor = max(1e3 * eps * count * largest, norm(errors.reshape(-1)) / count**0.5)
    smallest, axis = float(values[0]), axes[:, 0]
    newton: np.ndarray | None = None
    error = floor / 100
    if smallest > floor:
        newton = axes @ ((axes.T @ gradient) / values)
    elif (inverse := _inverse_of_graded(matrix, errors)) is not None:
        values_of_inverse, axes_of_inverse = np.linalg.eigh(inverse)
        smallest, axis = 1 / float(values_of_inverse[-1]), axes_of_inverse[:, -1]
        newton = inverse @ gradient
        error = float(axis**2 @ np.diag(errors)) + 10 * eps * smallest
        floor = 0.0
    distance = float("inf") if newton is None else norm(newton)
    return Curvature(
        smallest, float(values[-1]), axis, distance, floor, newton, (values, axes), error
    )


def _inverse_of_graded(matrix: np.ndarray, errors: np.ndarray) -> np.ndarray | None:
    """H⁻¹ of a matrix that is positive in its variables' own units; None where it isn't."""
    diagonal = np.diag(matrix)
    eps = eps_of(matrix)
    if not np.all(diagonal > 10 * np.diag(errors)) or not np.all(diagonal > 0):
        return None
    scale = 1 / np.sqrt(diagonal)
    values, axes = np.linalg.eigh(scale[:, None] * matrix * scale)
    floor = max(1e3 * eps * len(values), 2 * float(np.linalg.norm(scale[:, None] * errors * scale)))
    if not values[0] > floor:
        return None
    half = scale[:, None] * axes
    return np.asarray((half / values) @ half.T)


def of_krylov(
    diagonal: np.ndarray,
    beside: np.ndarray,
    basis: np.ndarray,
    gradient: np.ndarray,
    accuracy: float,
) -> Curvature | None:
    """The curvature that Lanczos' method shows; None where it tells too little.

    The error of an end of T's spectrum is at most β_m times the last entry of its eigenvector.
    It tells enough where an eigenvalue is known to be as small as that, to `accuracy` of its own
    size; that there is no smaller one follows from the start, which is random, alone.

    Arguments:
        diagonal, beside, basis: as in `Krylov`.
    """
    if not (np.all(np.isfinite(diagonal)) and np.all(np.isfinite(beside))):
        return None
    found, vectors = scipy.linalg.eigh_tridiagonal(diagonal, beside[:-1])
    # Beyond an invariant subspace T's rows and columns are zero: no eigenvalues of the operator.
    real = np.linalg.norm(basis.T @ vectors, axis=0) > 0.5
    found, vectors = found[real], vectors[:, real]
    errors = abs(beside[-1]) * np.abs(vectors[-1])
    eps = eps_of(gradient)
    smallest, largest = float(found[0]), float(found[-1])
    floor = 1e3 * eps * np.sqrt(gradient.size) * max(abs(smallest), abs(largest))
    if not errors[0] <= accuracy * abs(smallest) or abs(smallest) <= 10 * floor:
        return None
    axis = basis.T @ vectors[:, 0]
    known = smallest - float(errors[0])
    distance = float(np.linalg.norm(gradient)) / known if known > floor else float("inf")
    return Curvature(
        smallest,
        largest,
        axis / np.linalg.norm(axis),
        distance,
        floor,
        error=float(errors[0]) + floor,
    )


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
    eps = eps_of(gradient)
    floor = max(1e3 * eps * np.sqrt(size) * max(abs(smallest), abs(largest)), noise)
    distance = float(np.linalg.norm(gradient)) / smallest if smallest > floor else float("inf")
    return Curvature(smallest, largest, axes[:, 0], distance, floor, error=1e-4 * largest)
