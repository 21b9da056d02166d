"""Conjugate gradients, Neumann series, and the largest eigenvalue that they need."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import (
    conjugate_gradients,
    largest_eigenvalue,
    neumann_series,
    truncated_conjugate_gradients,
)

SIZE = 6


@jax.jit
def solved(matrix: jax.Array, right: jax.Array) -> jax.Array:
    return conjugate_gradients(lambda v: matrix @ v, right, iterations=0, tolerance=1e-12)[0]


def positive_definite(seed: int) -> np.ndarray:
    factor = np.random.default_rng(seed).standard_normal((SIZE, SIZE))
    return factor @ factor.T + np.eye(SIZE)


@pytest.mark.parametrize("seed", range(5))
def test_cg_equals_a_dense_solve(seed: int) -> None:
    matrix = positive_definite(seed)
    right = np.random.default_rng(seed).standard_normal(SIZE)
    expected = np.linalg.solve(matrix, right)
    # A residual of 1e-12 is an error of at most the condition number (below 100) times that.
    np.testing.assert_allclose(solved(matrix, right), expected, atol=1e-10)


def test_cg_of_zero_is_zero() -> None:
    np.testing.assert_array_equal(solved(positive_definite(0), np.zeros(SIZE)), np.zeros(SIZE))


@pytest.mark.parametrize("size", [1e-150, 1e150])
def test_cg_loses_nothing_on_tiny_or_huge_right_hand_sides(size: float) -> None:
    """The square of the length under- or overflows here."""
    matrix = positive_definite(1)
    right = np.random.default_rng(1).standard_normal(SIZE)
    np.testing.assert_allclose(
        solved(matrix, size * right) / size, solved(matrix, right), rtol=1e-12
    )


def test_one_iteration_of_cg_is_the_steepest_descent_step() -> None:
    matrix = jnp.asarray(positive_definite(2))
    right = jnp.arange(1.0, SIZE + 1)
    once, _ = conjugate_gradients(lambda v: matrix @ v, right, iterations=1, tolerance=1e-12)
    expected = right * (right @ right) / (right @ matrix @ right)
    np.testing.assert_allclose(once, expected, rtol=1e-13)


def test_cg_takes_no_more_iterations_than_it_is_told() -> None:
    """Two eigenvalues out of three can't be matched by a polynomial of degree one."""
    matrix = jnp.diag(jnp.array([1.0, 2.0, 30.0]))
    right = jnp.ones(3)
    few, enough = (
        conjugate_gradients(lambda v: matrix @ v, right, iterations=count, tolerance=1e-12)[0]
        for count in (2, 3)
    )
    assert float(jnp.linalg.norm(matrix @ few - right)) > 1e-2
    np.testing.assert_allclose(matrix @ enough, right, atol=1e-13)


def test_cg_says_how_many_products_it_took() -> None:
    """In exact arithmetic as many as there are different eigenvalues; rounding may add one."""
    matrix = jnp.diag(jnp.array([1.0, 2.0, 30.0, 30.0]))
    for iterations, taken in ((0, (3, 4)), (2, (2,))):
        _, products = conjugate_gradients(
            lambda v: matrix @ v, jnp.ones(4), iterations=iterations, tolerance=1e-12
        )
        assert int(products) in taken


def test_cg_without_a_solution_is_no_number() -> None:
    matrix = jnp.diag(jnp.array([1.0, 0.0, 2.0]))
    for iterations in (0, 5):
        found, _ = conjugate_gradients(
            lambda v: matrix @ v, jnp.ones(3), iterations=iterations, tolerance=1e-12
        )
        assert not jnp.any(jnp.isfinite(found))


@jax.jit
def truncated(
    matrix: jax.Array, right: jax.Array, radius: float
) -> tuple[jax.Array, jax.Array, jax.Array]:
    return truncated_conjugate_gradients(
        lambda v: matrix @ v, right, jnp.asarray(radius, right.dtype), jnp.asarray(1e-12)
    )


def model_decrease(matrix: np.ndarray, right: np.ndarray, step: jax.Array) -> float:
    return float(right @ step - step @ (matrix @ step) / 2)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("radius", [0.1, 0.5, 1e3])
def test_truncated_cg_is_the_solution_or_ends_at_the_radius(seed: int, radius: float) -> None:
    matrix = positive_definite(seed)
    right = np.random.default_rng(seed).standard_normal(SIZE)
    solution = np.linalg.solve(matrix, right)
    step, decrease, _ = truncated(matrix, right, radius)
    if np.linalg.norm(solution) < radius:
        np.testing.assert_allclose(step, solution, atol=1e-9)
    else:
        assert float(jnp.linalg.norm(step)) == pytest.approx(radius)
    assert float(decrease) == pytest.approx(model_decrease(matrix, right, step))
    # At least what the step along the gradient to its minimum or to the edge brings.
    along = min(radius / np.linalg.norm(right), right @ right / (right @ matrix @ right))
    assert float(decrease) >= model_decrease(matrix, right, along * right) - 1e-12


def test_truncated_cg_follows_negative_curvature_to_the_radius() -> None:
    matrix = np.diag([1.0, 2.0, -3.0, 4.0])
    right = np.array([1.0, 1.0, 0.1, 1.0])
    step, decrease, _ = truncated(matrix, right, 10.0)
    assert float(jnp.linalg.norm(step)) == pytest.approx(10.0)
    assert float(decrease) == pytest.approx(model_decrease(matrix, right, step))
    assert float(decrease) > 0


def test_truncated_cg_of_zero_is_zero() -> None:
    step, decrease, products = truncated(positive_definite(0), np.zeros(SIZE), 1.0)
    assert (float(jnp.linalg.norm(step)), float(decrease), int(products)) == (0.0, 0.0, 0)


# ------------------------------------------------------------------ the largest eigenvalue


@jax.jit
def largest(matrix: jax.Array) -> jax.Array:
    return largest_eigenvalue(lambda v: matrix @ v, matrix.shape[0], matrix.dtype)


@pytest.mark.parametrize("seed", range(5))
def test_the_estimate_of_the_largest_eigenvalue_is_between_half_and_a_tenth_more(seed: int) -> None:
    """What gradient steps 1 / L need: L too small by two is the edge of divergence."""
    matrix = positive_definite(seed)
    true = np.linalg.eigvalsh(matrix)[-1]
    assert 0.9 * true <= float(largest(matrix)) <= 1.1 * true * (1 + 1e-12)


def test_the_largest_eigenvalue_of_an_indefinite_matrix_is_in_absolute_value() -> None:
    # (2 / 5)^20 is 1e-8.
    found = float(largest(jnp.diag(jnp.array([2.0, -5.0, 1.0]))))
    assert found == pytest.approx(1.1 * 5, rel=1e-7)


def test_the_largest_eigenvalue_of_zero_is_no_zero_to_divide_by() -> None:
    assert 0 < float(largest(jnp.zeros((3, 3)))) < 1e-300


@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_the_largest_eigenvalue_scales_with_the_matrix(scale: float) -> None:
    matrix = positive_definite(3)
    np.testing.assert_allclose(largest(scale * matrix) / scale, largest(matrix), rtol=1e-12)


# ------------------------------------------------------------------ Neumann series


@pytest.mark.parametrize("seed", range(3))
def test_a_neumann_series_run_to_its_tolerance_equals_a_dense_solve(seed: int) -> None:
    matrix = jnp.asarray(positive_definite(seed))
    right = np.random.default_rng(seed).standard_normal(SIZE)
    found, _ = neumann_series(
        lambda v: matrix @ v, jnp.asarray(right), iterations=0, tolerance=1e-12
    )
    # The last term is the residual; condition numbers are below 100.
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), atol=1e-10)


@pytest.mark.parametrize("terms", [1, 2, 5, 40])
def test_a_neumann_series_of_q_terms_is_the_sum_of_the_powers(terms: int) -> None:
    """η Σ_{q=0}^{Q} (I - η A)^q b, written out."""
    matrix = positive_definite(1)
    right = np.arange(1.0, SIZE + 1)
    rate = 1 / float(largest(matrix))
    power, expected = right, rate * right
    for _ in range(terms):
        power = power - rate * matrix @ power
        expected = expected + rate * power
    found, products = neumann_series(
        lambda v: jnp.asarray(matrix) @ v, jnp.asarray(right), iterations=terms, tolerance=1.0
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert int(products) == terms + 20


@pytest.mark.parametrize("size", [0.0, 1e-150, 1e150])
def test_a_neumann_series_takes_right_hand_sides_of_any_size(size: float) -> None:
    matrix = jnp.asarray(positive_definite(1))
    right = np.random.default_rng(1).standard_normal(SIZE)
    found, _ = neumann_series(
        lambda v: matrix @ v, jnp.asarray(size * right), iterations=0, tolerance=1e-12
    )
    expected = size * np.linalg.solve(matrix, right)
    assert np.all(np.abs(found - expected) <= 1e-10 * size)
