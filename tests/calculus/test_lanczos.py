"""Lanczos' method against the eigenvalues of a dense matrix."""

import jax.numpy as jnp
import numpy as np
import scipy.linalg

from mlodsl.calculus import lanczos
from mlodsl.solver.certificate.curvature import of_krylov


def symmetric(values: np.ndarray) -> np.ndarray:
    axes, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((len(values),) * 2))
    return (axes * values) @ axes.T


def krylov(matrix: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    start = jnp.asarray(np.random.default_rng(2).standard_normal(len(matrix)))
    found = lanczos(lambda v: jnp.asarray(matrix) @ v, start, steps)
    return np.asarray(found.diagonal), np.asarray(found.beside), np.asarray(found.basis)


def test_the_basis_is_orthonormal_and_turns_the_matrix_tridiagonal() -> None:
    matrix = symmetric(np.linspace(-1, 5, 40))
    diagonal, beside, basis = krylov(matrix, 12)
    np.testing.assert_allclose(basis @ basis.T, np.eye(12), atol=1e-12)
    expected = np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    np.testing.assert_allclose(basis @ matrix @ basis.T, expected, atol=1e-12)


def test_both_ends_of_a_spectrum_are_found() -> None:
    matrix = symmetric(np.concatenate([[-3.0], np.linspace(1, 2, 197), [7.0, 9.0]]))
    found = of_krylov(*krylov(matrix, 40), np.ones(200), 1e-6)
    assert found is not None
    np.testing.assert_allclose([found.smallest, found.largest], [-3, 9], rtol=1e-9)
    np.testing.assert_allclose(matrix @ found.axis, -3 * found.axis, atol=1e-6)
    assert not found.is_positive


def test_an_invariant_subspace_ends_it_early() -> None:
    matrix = symmetric(np.repeat([2.0, 5.0], 10))
    found = of_krylov(*krylov(matrix, 15), np.ones(20), 1e-6)
    assert found is not None
    np.testing.assert_allclose([found.smallest, found.largest], [2, 5], rtol=1e-12)


def test_it_says_nothing_where_too_few_steps_leave_the_sign_open() -> None:
    matrix = symmetric(np.concatenate([[1e-6], np.geomspace(1e-4, 1e4, 199)]))
    assert of_krylov(*krylov(matrix, 10), np.ones(200), 0.5) is None


def test_it_says_nothing_of_a_flat_operator() -> None:
    matrix = symmetric(np.concatenate([[0.0], np.linspace(1, 2, 19)]))
    assert scipy.linalg.eigvalsh(matrix)[0] < 1e-12
    assert of_krylov(*krylov(matrix, 20), np.ones(20), 0.5) is None
