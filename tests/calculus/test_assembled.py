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
from tests.smooth_games import SMOOTH_GAMES


def point_in(levels: int, level: int) -> tuple[tuple[Array, ...], Array]:
    """The levels above and u_level, multipliers included, of a game of so many levels."""
    sizes = SMOOTH_GAMES[levels].sizes
    random = np.random.default_rng(levels)
    vectors = tuple(jnp.asarray(random.standard_normal(size) / 2) for size in sizes[:level])
    return vectors, jnp.asarray(random.standard_normal(flat_size(sizes, level)) / 2)


@pytest.mark.parametrize(
    ("levels", "level"), [(n, k) for n in SMOOTH_GAMES for k in range(n)], ids=str
)
def test_derivatives_are_those_of_the_lagrangian(levels: int, level: int) -> None:
    game = SMOOTH_GAMES[levels]
    above, flat = point_in(levels, level)
    found = jax.jit(lambda flat: assembled(game, level, above, flat, leading=False))(flat)

    def value(flat: Array) -> Array:
        return lagrangian(game, level, above, flat)

    np.testing.assert_allclose(found.value, value(flat), rtol=1e-12)
    np.testing.assert_allclose(found.gradient, jax.grad(value)(flat), atol=1e-11)
    np.testing.assert_allclose(found.matrix, jax.jit(jax.hessian(value))(flat), atol=1e-11)


@pytest.mark.parametrize(("levels", "level"), [(2, 1), (3, 1), (4, 1), (4, 2)], ids=str)
def test_the_level_above_comes_first(levels: int, level: int) -> None:
    game = SMOOTH_GAMES[levels]
    above, flat = point_in(levels, level)
    cut = above[-1].size

    def value(both: Array) -> Array:
        return lagrangian(game, level, (*above[:-1], both[:cut]), both[cut:])

    both = jnp.concatenate([above[-1], flat])
    found = jax.jit(lambda flat: assembled(game, level, above, flat, leading=True))(flat)
    np.testing.assert_allclose(found.gradient, jax.grad(value)(both), atol=1e-11)
    np.testing.assert_allclose(found.matrix, jax.jit(jax.hessian(value))(both), atol=1e-11)


def test_many_levels_have_the_same_rows_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    game = SMOOTH_GAMES[4]
    above, flat = point_in(4, 1)

    def everything() -> tuple[Array, ...]:
        gradient, factor = block_factor_at(game, 1, above, flat)
        rows = (*rows_and_cross(game, 1, above, flat), *upper_rows(game, 1, above, flat))
        return (*rows, gradient, factor.matrix)

    few = jax.jit(everything)()
    monkeypatch.setattr(blocks, "_MANY_BELOW", 2)
    for one, other in zip(jax.jit(lambda: everything())(), few, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=1e-11)
