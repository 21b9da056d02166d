"""K put together from second derivatives of objectives, against derivatives of the Lagrangian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from mlodsl.calculus import (
    block_factor_at,
    blocks,
    flat_size,
    lagrangian,
    rows_and_cross,
    upper_rows,
)
from mlodsl.calculus.assembled import assembled
from tests.games import FunctionGame
from tests.smooth_games import SMOOTH_GAMES


def _first(x: Array, y: Array, z: Array) -> Array:
    return jnp.sum(x**2) + jnp.abs(z[0] - x[0]) + y[0] / (2 + z[1] ** 2)


def _second(x: Array, y: Array, z: Array) -> Array:
    return jnp.sum(y**2.5) + jnp.maximum(x[0] * y[0], z[0]) * y[1] + jnp.prod(y + z)


def _third(x: Array, y: Array, z: Array) -> Array:
    near = jnp.where(z > 0.1, z**3, jnp.sin(z)) @ jnp.outer(x, y)[0]
    return near + jnp.linalg.norm(z - y) + jnp.cumsum(z)[0] ** jnp.exp(x[0])


GAMES = {
    **{f"smooth {levels}": game for levels, game in SMOOTH_GAMES.items()},
    "with kinks": FunctionGame((1, 2, 2), (_first, _second, _third)),
}


def point_in(game: FunctionGame, level: int) -> tuple[tuple[Array, ...], Array]:
    """The levels above and u_level, multipliers included; all positive."""
    random = np.random.default_rng(0)
    vectors = tuple(jnp.asarray(random.uniform(0.2, 0.9, size)) for size in game.sizes[:level])
    return vectors, jnp.asarray(random.uniform(0.2, 0.9, flat_size(game.sizes, level)))


@pytest.mark.parametrize(
    ("name", "level"), [(name, k) for name, game in GAMES.items() for k in range(len(game.sizes))]
)
def test_derivatives_are_those_of_the_lagrangian(name: str, level: int) -> None:
    game = GAMES[name]
    above, flat = point_in(game, level)
    found = jax.jit(lambda flat: assembled(game, level, above, flat, leading=False))(flat)

    def value(flat: Array) -> Array:
        return lagrangian(game, level, above, flat)

    np.testing.assert_allclose(found.value, value(flat), rtol=1e-12)
    np.testing.assert_allclose(found.gradient, jax.grad(value)(flat), rtol=1e-11, atol=1e-11)
    expected = jax.jit(jax.hessian(value))(flat)
    np.testing.assert_allclose(found.matrix, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("name", "level"), [("smooth 2", 1), ("smooth 4", 1), ("smooth 4", 2), ("with kinks", 1)]
)
def test_the_level_above_comes_first(name: str, level: int) -> None:
    game = GAMES[name]
    above, flat = point_in(game, level)
    cut = above[-1].size

    def value(both: Array) -> Array:
        return lagrangian(game, level, (*above[:-1], both[:cut]), both[cut:])

    both = jnp.concatenate([above[-1], flat])
    found = jax.jit(lambda flat: assembled(game, level, above, flat, leading=True))(flat)
    expected = jax.jit(jax.hessian(value))(both)
    np.testing.assert_allclose(found.gradient, jax.grad(value)(both), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(found.matrix, expected, rtol=1e-11, atol=1e-11)


def test_many_levels_have_the_same_rows_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    game = GAMES["smooth 4"]
    above, flat = point_in(game, 1)

    def everything() -> tuple[Array, ...]:
        gradient, factor = block_factor_at(game, 1, above, flat)
        rows = (*rows_and_cross(game, 1, above, flat), *upper_rows(game, 1, above, flat))
        return (*rows, gradient, factor.matrix)

    few = jax.jit(everything)()
    monkeypatch.setattr(blocks, "_MANY_BELOW", 2)
    for one, other in zip(jax.jit(lambda: everything())(), few, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=1e-11)
