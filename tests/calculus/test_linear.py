"""Conjugate gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import conjugate_gradients

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
