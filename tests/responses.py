"""True best responses of smooth games, and finite differences of what levels get at them."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from mlodsl.calculus import choices
from mlodsl.solver.nest import Nest
from tests.nests import evaluated, newton_nest
from tests.smooth_games import SMOOTH_GAMES

STEP = 1e-3


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


def total_slopes(nest: Nest, vectors: list[np.ndarray]) -> np.ndarray:
    """The top level's total gradient by differences."""
    return np.array([slope_along(nest, vectors, 0, axis) for axis in np.eye(vectors[0].size)])


def start_of(levels: int) -> tuple[Nest, list[np.ndarray]]:
    """A nest, and vectors whose lower levels are at the answer that the package gives."""
    game = SMOOTH_GAMES[levels]
    nest = newton_nest(game)
    own = np.linspace(0.4, 0.8, game.sizes[0])
    zeros = [np.zeros(size) for size in game.sizes[1:]]
    return nest, response(nest, [own, *zeros], 1)
