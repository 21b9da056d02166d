"""MINRES against dense solves: definite, indefinite and singular matrices."""

import functools

import jax
import numpy as np
import pytest

from mlodsl.calculus import minres

SIZE = 8


@functools.partial(jax.jit, static_argnames="iterations")
def solved(matrix: jax.Array, right: jax.Array, iterations: int = 0) -> tuple[jax.Array, jax.Array]:
    return minres(lambda v: matrix @ v, right, iterations=iterations, tolerance=1e-13)


def symmetric(eigenvalues: np.ndarray, seed: int = 0) -> np.ndarray:
    basis, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((SIZE, SIZE)))
    return (basis * eigenvalues) @ basis.T


SPECTRA = {
    "definite": np.linspace(1, 9, SIZE),
    "negative": -np.linspace(1, 9, SIZE),
    "indefinite": np.linspace(-3, 4, SIZE) + 0.1,
    "saddle": np.array([1.0, 1, 1, 1, -1, -1, -1, -1]),
    "condition 1000": np.geomspace(1e-3, 1, SIZE) * np.array([1, -1] * (SIZE // 2)),
}


@pytest.mark.parametrize("kind", SPECTRA)
@pytest.mark.parametrize("seed", range(3))
def test_minres_equals_a_dense_solve(kind: str, seed: int) -> None:
    matrix = symmetric(SPECTRA[kind], seed)
    right = np.random.default_rng(seed + 10).standard_normal(SIZE)
    expected = np.linalg.solve(matrix, right)
    found, _ = solved(matrix, right)
    # A residual of 1e-13 through a condition number of at most 1000.
    assert np.linalg.norm(found - expected) <= 1e-9 * np.linalg.norm(expected)


@pytest.mark.parametrize("kind", SPECTRA)
def test_every_iterate_has_the_least_residual_of_its_krylov_space(kind: str) -> None:
    matrix = symmetric(SPECTRA[kind])
    right = np.random.default_rng(5).standard_normal(SIZE)
    columns = [right]
    for count in (1, 2, 3):
        basis, _ = np.linalg.qr(np.stack(columns, axis=1))
        best = np.linalg.lstsq(matrix @ basis, right, rcond=1e-12)[0]
        least = np.linalg.norm(matrix @ basis @ best - right)
        found, products = solved(matrix, right, count)
        residual = np.linalg.norm(matrix @ found - right)
        assert residual == pytest.approx(least, rel=1e-6, abs=1e-12)
        assert int(products) <= count
        columns.append(matrix @ columns[-1])


def test_two_different_eigenvalues_take_two_products() -> None:
    right = np.random.default_rng(3).standard_normal(SIZE)
    _, products = solved(symmetric(SPECTRA["saddle"]), right)
    assert int(products) == 2


@pytest.mark.parametrize("seed", range(3))
def test_a_singular_consistent_system_gets_its_solution_of_least_norm(seed: int) -> None:
    matrix = symmetric(np.array([0, 0, 0, -2, 1, 2, 3, 4.0]), seed)
    right = matrix @ np.random.default_rng(seed).standard_normal(SIZE)
    found, _ = solved(matrix, right)
    np.testing.assert_allclose(found, np.linalg.pinv(matrix, rcond=1e-10) @ right, atol=1e-10)


def test_a_system_without_a_solution_stays_finite_and_ends() -> None:
    """Its residual can't fall below what lies in the null space."""
    matrix = symmetric(np.array([0, 0, 0, -2, 1, 2, 3, 4.0]))
    right = np.random.default_rng(1).standard_normal(SIZE)
    found, products = solved(matrix, right)
    left = right - matrix @ (np.linalg.pinv(matrix, rcond=1e-10) @ right)
    assert np.all(np.isfinite(found)) and int(products) <= 10 * SIZE + 50
    residual = np.linalg.norm(matrix @ np.asarray(found) - right)
    assert residual == pytest.approx(np.linalg.norm(left), rel=1e-3)


def test_zero_is_solved_by_zero_without_a_product() -> None:
    found, products = solved(symmetric(SPECTRA["indefinite"]), np.zeros(SIZE))
    np.testing.assert_array_equal(found, 0)
    assert int(products) == 0


def test_the_zero_matrix_gives_zero() -> None:
    found, _ = solved(np.zeros((SIZE, SIZE)), np.ones(SIZE))
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_nothing_is_lost_on_tiny_or_huge_right_hand_sides(size: float) -> None:
    matrix = symmetric(SPECTRA["indefinite"])
    right = np.random.default_rng(1).standard_normal(SIZE)
    found, plain = solved(matrix, size * right)[0], solved(matrix, right)[0]
    np.testing.assert_allclose(found / size, plain, rtol=1e-9)


@pytest.mark.parametrize("size", [1e-100, 1e100])
def test_nothing_is_lost_on_tiny_or_huge_matrices(size: float) -> None:
    matrix = symmetric(SPECTRA["indefinite"])
    right = np.random.default_rng(1).standard_normal(SIZE)
    found, plain = solved(size * matrix, right)[0], solved(matrix, right)[0]
    np.testing.assert_allclose(found * size, plain, rtol=1e-9)
