"""The recursive Lagrangian: its layout, its gradients and its symmetric Hessians."""

from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import (
    Game,
    Vectors,
    choices,
    flat_size,
    full_matrix,
    lagrangian,
    point_of,
    response_gradient,
    split,
)
from tests.games import closed_form, random_quadratic_game
from tests.smooth_games import SMOOTH_GAMES

QUADRATIC = [(3, 2), (2, 1, 3), (1, 1, 2, 1, 1)]


value_of = eqx.filter_jit(lagrangian)


@eqx.filter_jit
def gradient_of(game: Game, level: int, above: Vectors, flat: jax.Array) -> jax.Array:
    return jax.grad(lambda point: lagrangian(game, level, above, point))(flat)


@eqx.filter_jit
def hessian_of(game: Game, level: int, above: Vectors, flat: jax.Array) -> jax.Array:
    """By plain nested differentiation."""
    return jax.jacfwd(jax.grad(lambda point: lagrangian(game, level, above, point)))(flat)


@eqx.filter_jit
def solved_point(game: Game, vectors: Vectors) -> jax.Array:
    """u_0 with the multipliers that K_{k+1} m_{k+1} = -∇ f_k asks for, from the bottom up."""
    flat = vectors[-1]
    for level in range(len(vectors) - 2, -1, -1):
        here = vectors[: level + 1]
        _, _, matrix = full_matrix(game, level + 1, here, flat)
        right = response_gradient(game, level, here[:-1], here[-1], flat)
        flat = jnp.concatenate([vectors[level], flat, -jnp.linalg.solve(matrix, right)])
    return flat


def numbered(sizes: tuple[int, ...]) -> tuple[jax.Array, ...]:
    """Vectors of these sizes whose entries are all different and not zero."""
    stops = np.cumsum((0, *sizes))
    return tuple(jnp.arange(start, stop) + 1.0 for start, stop in pairwise(stops))


@pytest.mark.parametrize("sizes", [(4,), *QUADRATIC])
def test_flat_size_counts_own_variables_once_and_everything_below_twice(
    sizes: tuple[int, ...],
) -> None:
    counted = [
        sizes[level] + 2 * flat_size(sizes, level + 1) if level + 1 < len(sizes) else sizes[-1]
        for level in range(len(sizes))
    ]
    assert [flat_size(sizes, level) for level in range(len(sizes))] == counted


@pytest.mark.parametrize("sizes", [(4,), *QUADRATIC])
def test_split_gives_back_the_parts_that_were_joined(sizes: tuple[int, ...]) -> None:
    flat = jnp.arange(float(flat_size(sizes, 0)))
    own, below, multipliers = split(sizes, 0, flat)
    assert own.size == sizes[0]
    assert below.size == multipliers.size == (flat_size(sizes, 1) if len(sizes) > 1 else 0)
    np.testing.assert_array_equal(jnp.concatenate([own, below, multipliers]), flat)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_choices_reads_the_variables_that_point_of_wrote(level: int) -> None:
    sizes = (2, 1, 3)
    vectors = numbered(sizes)[level:]
    found = choices(sizes, level, point_of(sizes, level, vectors))
    for read, written in zip(found, vectors, strict=True):
        np.testing.assert_array_equal(read, written)


def test_point_of_writes_zeros_for_all_multipliers() -> None:
    sizes = (2, 1, 3)
    flat = point_of(sizes, 0, numbered(sizes))
    # All entries of `numbered` are positive: what is left are the multipliers.
    assert int(jnp.sum(flat == 0)) == flat_size(sizes, 0) - sum(sizes)


@pytest.mark.parametrize("levels", SMOOTH_GAMES)
def test_without_multipliers_the_lagrangian_is_the_objective(levels: int) -> None:
    game = SMOOTH_GAMES[levels]
    vectors = tuple(vector / 10 for vector in numbered(game.sizes))
    value = value_of(game, 0, (), point_of(game.sizes, 0, vectors))
    # Not bit for bit: the compiler may order sums differently.
    np.testing.assert_allclose(value, game.objective(0, vectors), rtol=1e-15 * 8)


@pytest.mark.parametrize("sizes", QUADRATIC)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_total_gradient_equals_the_closed_form(sizes: tuple[int, ...], seed: int) -> None:
    game = random_quadratic_game(sizes, seed)
    own = np.random.default_rng(seed + 100).standard_normal(sizes[0])
    expected, response = closed_form(game, own)
    flat = solved_point(game, tuple(jnp.asarray(vector) for vector in response))
    gradient = gradient_of(game, 0, (), flat)[: sizes[0]]
    # Condition numbers are below 1e3 by construction; 1e-9 is what the contract promises.
    assert np.linalg.norm(gradient - expected) <= 1e-9 * np.linalg.norm(expected)


@pytest.mark.parametrize("sizes", QUADRATIC)
def test_at_the_response_all_other_parts_of_the_gradient_vanish(sizes: tuple[int, ...]) -> None:
    game = random_quadratic_game(sizes, 3)
    _, response = closed_form(game, np.ones(sizes[0]))
    flat = solved_point(game, tuple(jnp.asarray(vector) for vector in response))
    rest = gradient_of(game, 0, (), flat)[sizes[0] :]
    # Rounding: numbers of size 1 to 10 through a few solves with condition below 1e3.
    np.testing.assert_allclose(rest, 0, atol=1e-11)


@pytest.mark.parametrize("levels", [2, 3])
def test_the_hessian_of_the_lagrangian_is_symmetric_at_any_point(levels: int) -> None:
    game = SMOOTH_GAMES[levels]
    size = flat_size(game.sizes, 0)
    flat = jnp.asarray(np.random.default_rng(levels).standard_normal(size))
    matrix = hessian_of(game, 0, (), flat)
    scale = float(jnp.max(jnp.abs(matrix)))
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-13 * scale)


@pytest.mark.parametrize("levels", [2, 3])
def test_full_matrix_is_the_hessian_with_its_gradient_and_value(levels: int) -> None:
    game = SMOOTH_GAMES[levels]
    flat = jnp.asarray(np.random.default_rng(levels).standard_normal(flat_size(game.sizes, 0)))
    value, gradient, matrix = eqx.filter_jit(full_matrix)(game, 0, (), flat)
    # The same derivatives in another order: equal up to rounding.
    np.testing.assert_allclose(value, value_of(game, 0, (), flat), rtol=1e-13)
    np.testing.assert_allclose(gradient, gradient_of(game, 0, (), flat), atol=1e-12)
    np.testing.assert_allclose(matrix, hessian_of(game, 0, (), flat), atol=1e-11)


def test_the_lagrangians_value_corrects_an_inexact_response_to_first_order() -> None:
    """Off the response by ε the objective errs by O(ε), the Lagrangian by O(ε²)."""
    sizes = (2, 1, 3)
    game = random_quadratic_game(sizes, 4)
    _, response = closed_form(game, np.ones(2))
    vectors = tuple(jnp.asarray(vector) for vector in response)
    flat = solved_point(game, vectors)
    moved = flat.at[2 : 2 + flat_size(sizes, 1)].add(1e-4)
    exact = float(game.objective(0, vectors))
    # ε = 1e-4 in some 13 unknowns, curvatures of some units: at most 1e-6 is of second order.
    assert abs(float(game.objective(0, choices(sizes, 0, moved))) - exact) > 1e-5
    assert abs(float(lagrangian(game, 0, (), moved)) - exact) < 1e-6
