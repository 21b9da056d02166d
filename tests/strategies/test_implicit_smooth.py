"""Implicit hypergradients of games that are not quadratic, against finite differences.

The differences are of the top objective at *true* best responses: for each lower level, from the
bottom up, the value that it chooses by is shown to be stationary and to rise in every direction
tried, the levels below it re-solved. So no derivative of the package enters the reference.
"""

import jax.numpy as jnp
import numpy as np
import pytest

from tests.nests import evaluated
from tests.responses import slope_along, start_of, total_slopes, value_along
from tests.smooth_games import SMOOTH_GAMES

LOWER = [
    pytest.param(levels, level, marks=pytest.mark.slow if levels > 3 else ())
    for levels in SMOOTH_GAMES
    for level in range(1, levels)
]


@pytest.mark.parametrize(("levels", "level"), LOWER)
def test_a_lower_levels_answer_is_stationary_anticipating_those_below(
    levels: int, level: int
) -> None:
    nest, vectors = start_of(levels)
    for axis in np.eye(vectors[level].size):
        # Rounding of values of order 1 over the step, 1e-16 / 1e-3, and the step's own error.
        assert abs(slope_along(nest, vectors, level, axis)) < 1e-10


@pytest.mark.parametrize(("levels", "level"), LOWER)
def test_a_lower_levels_answer_is_better_than_all_others_tried(levels: int, level: int) -> None:
    nest, vectors = start_of(levels)
    generator = np.random.default_rng(levels)
    best = value_along(nest, vectors, level, np.zeros_like(vectors[level]), 0.0)
    for length in (0.01, 0.3, 1.0, 3.0):
        direction = generator.standard_normal(vectors[level].size)
        assert value_along(nest, vectors, level, direction, length) > best


@pytest.mark.parametrize("levels", SMOOTH_GAMES)
def test_the_hypergradient_equals_finite_differences_of_true_best_responses(levels: int) -> None:
    nest, vectors = start_of(levels)
    start = tuple(map(jnp.asarray, vectors[1:]))
    gradient = np.asarray(evaluated(nest, jnp.asarray(vectors[0]), start).gradient)
    differences = total_slopes(nest, vectors)
    assert np.linalg.norm(gradient - differences) <= 1e-6 * np.linalg.norm(differences)


@pytest.mark.parametrize("levels", SMOOTH_GAMES)
def test_the_hypergradient_is_not_that_of_held_responses(levels: int) -> None:
    """Guards the test above: the answers below matter to the first digits."""
    nest, vectors = start_of(levels)
    start = tuple(map(jnp.asarray, vectors[1:]))
    gradient = np.asarray(evaluated(nest, jnp.asarray(vectors[0]), start).gradient)
    held = [
        nest.game.objective(0, (jnp.asarray(vectors[0] + sign * 1e-6 * axis), *start))
        for axis in np.eye(vectors[0].size)
        for sign in (1, -1)
    ]
    partial = (np.array(held[::2]) - np.array(held[1::2])) / 2e-6
    assert np.linalg.norm(gradient - partial) > 1e-2 * np.linalg.norm(gradient)
