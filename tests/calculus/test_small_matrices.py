"""Linear algebra by loops, beside SciPy's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import solve_triangular

from mlodsl.calculus.small_matrices import (
    LARGEST_ORDER,
    cholesky_factor,
    divided,
    divided_by_transpose,
    product,
)


def positive(order: int) -> np.ndarray:
    half = np.random.default_rng(order).standard_normal((order, order + 2))
    return np.asarray(half @ half.T)


@pytest.mark.parametrize("order", [1, 2, 7, LARGEST_ORDER])
def test_solves_with_a_matrix(order: int) -> None:
    matrix = positive(order)
    right = jnp.asarray(np.random.default_rng(0).standard_normal((3, order)))
    lower = cholesky_factor(jnp.asarray(np.tril(matrix)))
    np.testing.assert_allclose(lower, np.linalg.cholesky(matrix), rtol=1e-10, atol=1e-12)
    by_transpose = solve_triangular(lower, right.T, lower=True).T
    np.testing.assert_allclose(divided_by_transpose(right, lower), by_transpose, rtol=1e-9)
    plain = solve_triangular(lower, right.T, lower=True, trans="T").T
    np.testing.assert_allclose(divided(right, lower), plain, rtol=1e-9)


@pytest.mark.parametrize("number", range(4))
def test_a_matrix_that_is_not_positive_definite_has_nan_on_the_diagonal(number: int) -> None:
    matrix = positive(4)
    matrix[number, number] = -1
    assert np.isnan(np.diagonal(cholesky_factor(jnp.asarray(matrix)))).any()


def test_a_product() -> None:
    random = np.random.default_rng(0)
    left, right = random.standard_normal((3, 4)), random.standard_normal((4, 5))
    np.testing.assert_allclose(product(jnp.asarray(left), jnp.asarray(right)), left @ right)


def test_many_at_once() -> None:
    matrices = np.stack([positive(5), 2 * positive(5)])
    found = jax.vmap(cholesky_factor)(jnp.asarray(matrices))
    np.testing.assert_allclose(found, np.linalg.cholesky(matrices), rtol=1e-10, atol=1e-12)
