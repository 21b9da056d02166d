"""Exact elimination against the dense matrix, and whose curvature it looks at."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import (
    block_factor,
    block_factor_at,
    block_solve,
    flat_size,
    full_matrix,
    upper_rows,
)
from mlodsl.calculus.blocks import products_with_units
from tests.games import random_quadratic_game
from tests.smooth_games import SMOOTH_GAMES

SIZES = (2, 3, 2, 1)


def case(seed: int) -> tuple[jax.Array, jax.Array]:
    """The rows and the matrix of K_1 of a random quadratic game."""
    game = random_quadratic_game(SIZES, seed)
    generator = np.random.default_rng(seed)
    above = (jnp.asarray(generator.standard_normal(2)),)
    flat = jnp.asarray(generator.standard_normal(3 + 2 * (2 + 2 * 1)))

    @eqx.filter_jit
    def both(game: object) -> tuple[jax.Array, jax.Array]:
        return upper_rows(game, 1, above, flat)[2], full_matrix(game, 1, above, flat)[2]

    return both(game)


def test_elimination_solves_as_the_dense_matrix_does() -> None:
    for seed in range(3):
        rows, matrix = case(seed)
        factor = block_factor(SIZES, 1, rows)
        right = np.random.default_rng(seed).standard_normal((len(matrix), 3))
        found = block_solve(factor, jnp.asarray(right))
        np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-9, atol=1e-9)
        assert bool(factor.positive)


def test_the_blocks_make_up_the_matrix() -> None:
    rows, matrix = case(0)
    np.testing.assert_allclose(block_factor(SIZES, 1, rows).matrix, matrix, atol=1e-12)


def test_the_matrix_is_the_hessian_of_the_lagrangian_also_where_it_is_not_quadratic() -> None:
    from mlodsl.calculus import lagrangian

    game = SMOOTH_GAMES[3]
    above = (jnp.array([0.3, -0.2]),)
    flat = jnp.array([0.4, 0.1, -0.3, 0.7])
    expected = jax.hessian(lambda u: lagrangian(game, 1, above, u))(flat)
    np.testing.assert_allclose(full_matrix(game, 1, above, flat)[2], expected, atol=1e-12)


def test_the_factor_at_a_point_is_that_of_the_rows_there() -> None:
    """Though it evaluates only what symmetry doesn't give."""
    for levels in (2, 4):
        game = SMOOTH_GAMES[levels]
        above = (jnp.array([0.3, -0.2])[: game.sizes[0]],)
        order = flat_size(game.sizes, 1)
        flat = jnp.asarray(0.3 * np.random.default_rng(levels).standard_normal(order))
        _, gradient, rows = upper_rows(game, 1, above, flat)
        expected = block_factor(game.sizes, 1, rows)
        found_gradient, found = block_factor_at(game, 1, above, flat)
        np.testing.assert_allclose(found_gradient, gradient, atol=1e-12)
        np.testing.assert_allclose(found.matrix, expected.matrix, atol=1e-12)
        np.testing.assert_allclose(found.cholesky, expected.cholesky, rtol=1e-10)
        assert bool(found.positive) == bool(expected.positive)


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_tiny_matrices_are_solved_with_by_loops_as_by_a_library(levels: int) -> None:
    game = SMOOTH_GAMES[levels]
    above = (jnp.array([0.3, -0.2])[: game.sizes[0]],)
    order = flat_size(game.sizes, 1)
    flat, right = jnp.asarray(np.random.default_rng(levels).standard_normal((2, order)))
    _, expected = block_factor_at(game, 1, above, 0.1 * flat)
    _, found = block_factor_at(game, 1, above, 0.1 * flat, tiny=True)
    assert bool(found.positive) and bool(expected.positive)
    np.testing.assert_allclose(found.cholesky, expected.cholesky, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(
        block_solve(found, right[:, None]), block_solve(expected, right[:, None]), rtol=1e-9
    )
    turned = block_factor(game.sizes, 1, -upper_rows(game, 1, above, 0.1 * flat)[2], tiny=True)
    assert not bool(turned.positive)


def test_a_level_at_a_maximum_is_not_positive_and_those_above_it_neither() -> None:
    rows, _ = case(1)
    order = rows.shape[1]
    # K_2 stands at the rows of u_2 and the columns of m_2; its own first entry is of level 2.
    below = (order - SIZES[1]) // 2
    entry = (SIZES[1], SIZES[1] + below)
    turned = rows.at[entry].set(-rows[entry] - 10)
    factor = block_factor(SIZES, 1, turned)
    assert factor.below is not None and factor.below.below is not None
    assert bool(factor.below.below.positive)
    assert not bool(factor.below.positive)
    assert not bool(factor.positive)


def test_products_in_groups_are_those_of_all_unit_vectors() -> None:
    """Also where the last group isn't full."""
    matrix = np.random.default_rng(0).standard_normal((3, 70))
    for count in (5, 64, 69, 70):
        found = products_with_units(lambda v: matrix @ v, count, jnp.zeros(70))
        np.testing.assert_allclose(found, matrix[:, :count].T, atol=1e-14)
