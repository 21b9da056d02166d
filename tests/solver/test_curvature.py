"""Extreme eigenvalues on the host: of matrices, and of operators by Lanczos' method."""

import numpy as np
import pytest

from mlodsl.solver.certificate.curvature import Curvature, of_matrix, of_operator


def symmetric(eigenvalues: np.ndarray, seed: int = 0) -> np.ndarray:
    size = len(eigenvalues)
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))
    return (basis * eigenvalues) @ basis.T


def curvature_of(matrix: np.ndarray, gradient: np.ndarray) -> Curvature:
    found = of_matrix(matrix, gradient)
    assert found is not None
    return found


def test_a_matrix_shows_the_ends_of_its_spectrum() -> None:
    found = curvature_of(symmetric(np.array([-2.0, 1.0, 7.0])), np.ones(3))
    assert (found.smallest, found.largest) == pytest.approx((-2, 7), rel=1e-12)


def test_the_axis_is_the_eigenvector_of_the_smallest_eigenvalue() -> None:
    matrix = symmetric(np.array([-2.0, 1.0, 7.0]))
    axis = curvature_of(matrix, np.ones(3)).axis
    np.testing.assert_allclose(matrix @ axis, -2 * axis, atol=1e-12)


def test_the_distance_is_the_length_of_the_newton_step() -> None:
    matrix = symmetric(np.array([0.5, 1.0, 7.0]))
    found = curvature_of(matrix, np.array([1.0, 2.0, 3.0]))
    step = np.linalg.solve(matrix, [1.0, 2.0, 3.0])
    assert found.distance == pytest.approx(np.linalg.norm(step), rel=1e-12)


@pytest.mark.parametrize("smallest", [0.0, -1.0, 1e-16])
def test_without_positive_curvature_the_distance_is_infinite(smallest: float) -> None:
    found = curvature_of(symmetric(np.array([smallest, 1.0])), np.ones(2))
    assert not found.is_positive
    assert found.distance == np.inf


@pytest.mark.parametrize("scale", [1e-100, 1.0, 1e100])
def test_what_is_positive_does_not_depend_on_units(scale: float) -> None:
    assert curvature_of(scale * symmetric(np.array([1e-3, 1.0])), np.ones(2)).is_positive
    assert not curvature_of(scale * symmetric(np.array([1e-14, 1.0])), np.ones(2)).is_positive


def test_noise_raises_what_counts_as_positive() -> None:
    found = of_matrix(np.diag([1e-3, 1.0]), np.ones(2), noise=1e-2)
    assert found is not None and not found.is_positive


def test_a_matrix_that_is_not_finite_has_no_curvature() -> None:
    assert of_matrix(np.array([[np.nan, 0], [0, 1]]), np.ones(2)) is None


@pytest.mark.parametrize("size", [1, 2, 3, 200])
@pytest.mark.parametrize("smallest", [-0.5, 0.1])
def test_an_operator_shows_the_ends_of_its_spectrum(size: int, smallest: float) -> None:
    matrix = symmetric(np.concatenate([[smallest], np.linspace(1, 9, size)])[:size])
    found = of_operator(lambda v: matrix @ v, np.ones(size))
    assert found is not None
    # Lanczos' method is asked for 1e-4 at the lower end and 1e-2 at the upper one.
    assert found.smallest == pytest.approx(np.linalg.eigvalsh(matrix)[0], rel=1e-3)
    assert found.largest == pytest.approx(np.linalg.eigvalsh(matrix)[-1], rel=2e-2)


def test_an_operators_distance_bounds_the_newton_step() -> None:
    matrix = symmetric(np.linspace(0.1, 9, 50))
    gradient = np.random.default_rng(1).standard_normal(50)
    found = of_operator(lambda v: matrix @ v, gradient)
    assert found is not None
    assert found.distance >= 0.99 * np.linalg.norm(np.linalg.solve(matrix, gradient))


def test_an_operator_that_is_not_finite_has_no_curvature() -> None:
    assert of_operator(lambda v: np.full_like(v, np.nan), np.ones(50)) is None


def test_each_variable_may_have_a_unit_of_its_own() -> None:
    """Curvatures 1e8 and 1e-6, coupled: positive, though 1e-6 is below 1e8 times rounding."""
    scale = np.diag([1e4, 1e-3])
    matrix = scale @ np.array([[2.0, 1.0], [1.0, 2.0]]) @ scale
    found = curvature_of(matrix, np.array([1.0, 1e-6]))
    assert found.is_positive
    assert found.smallest == pytest.approx(1.5e-6, rel=1e-9)
    step = np.linalg.solve(scale, np.linalg.solve([[2, 1], [1, 2]], [1e-4, 1e-3]))
    assert found.distance == pytest.approx(np.linalg.norm(step), rel=1e-9)


def test_noise_in_an_entry_hides_a_small_curvature_of_its_own_unit() -> None:
    found = of_matrix(np.diag([1e8, 1e-6]), np.ones(2), noise=np.diag([1e-6, 1e-6]))
    assert found is not None and not found.is_positive
