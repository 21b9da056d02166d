"""K put together from second derivatives of objectives, against derivatives of the Lagrangian."""

from collections.abc import Callable
from typing import TypeVar

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

Found = TypeVar("Found")


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


def quickly(function: Callable[..., Found], *arguments: Array) -> Found:
    """Compiled without haste to run: derivatives of high order are long."""
    options = {"xla_backend_optimization_level": 0}
    return jax.jit(function, compiler_options=options)(*arguments)


def with_derivatives(function: Callable[[Array], Array], point: Array) -> tuple[Array, ...]:
    def all_of_them(point: Array) -> tuple[Array, ...]:
        value, gradient = jax.value_and_grad(function)(point)
        return value, gradient, jax.hessian(function)(point)

    return quickly(all_of_them, point)


@pytest.mark.parametrize(
    ("name", "level"),
    [("smooth 2", 0), ("smooth 3", 0), ("smooth 4", 1), ("smooth 4", 3), ("with kinks", 1)],
)
def test_derivatives_are_those_of_the_lagrangian(name: str, level: int) -> None:
    game = GAMES[name]
    above, flat = point_in(game, level)
    found = quickly(lambda flat: assembled(game, level, above, flat, leading=False), flat)
    expected = with_derivatives(lambda flat: lagrangian(game, level, above, flat), flat)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("name", "level"), [("smooth 4", 2), ("with kinks", 1)])
def test_the_level_above_comes_first(name: str, level: int) -> None:
    game = GAMES[name]
    above, flat = point_in(game, level)
    cut = above[-1].size

    def value(both: Array) -> Array:
        return lagrangian(game, level, (*above[:-1], both[:cut]), both[cut:])

    found = quickly(lambda flat: assembled(game, level, above, flat, leading=True), flat)
    expected = with_derivatives(value, jnp.concatenate([above[-1], flat]))
    for one, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)


def test_many_levels_have_the_same_rows_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    game = GAMES["with kinks"]
    above, flat = point_in(game, 1)

    def everything() -> tuple[Array, ...]:
        gradient, factor = block_factor_at(game, 1, above, flat)
        rows = (*rows_and_cross(game, 1, above, flat), *upper_rows(game, 1, above, flat))
        return (*rows, gradient, factor.matrix)

    few = quickly(everything)
    monkeypatch.setattr(blocks, "_MANY_BELOW", 1)
    for one, other in zip(quickly(lambda: everything()), few, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-11)
