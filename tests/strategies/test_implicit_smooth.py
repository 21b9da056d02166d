"""Implicit hypergradients of games that are not quadratic, against finite differences.

The differences are of the top objective at *true* best responses: for each lower level, from the
bottom up, the value that it chooses by is shown to be stationary and to rise in every direction
tried, the levels below it re-solved. So no derivative of the package enters the reference.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import choices
from mlodsl.solver.nest import Nest
from tests.nests import evaluated, newton_nest
from tests.smooth_games import SMOOTH_GAMES

STEP = 1e-3
LOWER = [(levels, level) for levels in SMOOTH_GAMES for level in range(1, levels)]


def response(nest: Nest, vectors: list[np.ndarray], free_from: int) -> list[np.ndarray]:
    """All vectors, the levels from `free_from` on re-solved, those above it held still."""
    levels = len(vectors)
    still = jnp.array([0 < level < free_from for level in range(levels)])
    held = eqx.tree_at(lambda n: n.frozen, nest, still)
    start = tuple(jnp.asarray(vector) for vector in vectors[1:])
    point = evaluated(held, jnp.asarray(vectors[0]), start)
    return [np.asarray(vector) for vector in choices(nest.game.sizes, 0, point.flat)]


def value_along(
    nest: Nest, vectors: list[np.ndarray], level: int, direction: np.ndarray, length: float
) -> float:
    """What a level gets when it moves and the levels below it answer."""
    moved = [*vectors[:level], vectors[level] + length * direction, *vectors[level + 1 :]]
    answered = response(nest, moved, level + 1)
    return float(nest.game.objective(level, tuple(map(jnp.asarray, answered))))


def slope_along(nest: Nest, vectors: list[np.ndarray], level: int, direction: np.ndarray) -> float:
    """The central difference of fourth order: its own error is about STEP⁴ = 1e-12."""
    near, far = (
        value_along(nest, vectors, level, direction, times * STEP)
        - value_along(nest, vectors, level, direction, -times * STEP)
        for times in (1, 2)
    )
    return (8 * near - far) / (12 * STEP)


def start_of(levels: int) -> tuple[Nest, list[np.ndarray]]:
    """A nest, and vectors whose lower levels are at the answer that the package gives."""
    game = SMOOTH_GAMES[levels]
    nest = newton_nest(game)
    own = np.linspace(0.4, 0.8, game.sizes[0])
    zeros = [np.zeros(size) for size in game.sizes[1:]]
    return nest, response(nest, [own, *zeros], 1)


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
    differences = np.array(
        [slope_along(nest, vectors, 0, axis) for axis in np.eye(vectors[0].size)]
    )
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
