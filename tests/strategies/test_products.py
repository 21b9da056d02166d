"""Every strategy on every game: random quadratic ones and smooth ones, of two to four levels."""

import functools

import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import choices
from tests.games import closed_form, random_quadratic_game
from tests.nests import evaluated, newton_nest
from tests.responses import start_of, total_slopes
from tests.smooth_games import SMOOTH_GAMES

from .contenders import CONTENDERS

SIZES = {2: (3, 4), 3: (2, 3, 2), 4: (2, 2, 1, 2)}
# Compiling is what takes time: the rest runs before a release.
QUICK_QUADRATIC = {(name, 2) for name in CONTENDERS} | {("f2ba", 3), ("galet", 3)}
QUICK_SMOOTH = {(name, 2) for name in CONTENDERS if " " not in name}


def cases(quick: set[tuple[str, int]]) -> list:
    """Each strategy with each number of levels, all but the quick ones slow."""
    return [
        pytest.param(name, levels, marks=[] if (name, levels) in quick else [pytest.mark.slow])
        for name in CONTENDERS
        for levels in SIZES
    ]


@pytest.mark.parametrize(("name", "levels"), cases(QUICK_QUADRATIC))
def test_on_quadratic_games_the_error_is_what_theory_gives(name: str, levels: int) -> None:
    contender, sizes = CONTENDERS[name], SIZES[levels]
    for seed in range(5):
        game = random_quadratic_game(sizes, seed)
        own = np.random.default_rng(seed + 1000).standard_normal(sizes[0])
        expected, response = closed_form(game, own)
        point = evaluated(newton_nest(game, contender.make(levels)), jnp.asarray(own))
        error = np.linalg.norm(point.gradient - expected)
        assert error <= contender.error * np.linalg.norm(expected)
        # The response that the point holds is off by the same order.
        answer = np.concatenate(choices(sizes, 0, point.flat))
        true = np.concatenate(response)
        assert np.linalg.norm(answer - true) <= contender.error * np.linalg.norm(true)


@functools.cache
def reference(levels: int) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """A point, and the finite differences of the top objective at true best responses."""
    nest, vectors = start_of(levels)
    return tuple(vectors), total_slopes(nest, vectors)


@pytest.mark.parametrize(("name", "levels"), cases(QUICK_SMOOTH))
def test_on_smooth_games_the_error_is_what_theory_gives(name: str, levels: int) -> None:
    contender = CONTENDERS[name]
    vectors, expected = reference(levels)
    nest = newton_nest(SMOOTH_GAMES[levels], contender.make(levels))
    own, *below = map(jnp.asarray, vectors)
    point = evaluated(nest, own, tuple(below))
    error = np.linalg.norm(point.gradient - expected)
    # The differences themselves are right to 1e-9.
    assert error <= max(contender.error, 1e-8) * np.linalg.norm(expected)


@pytest.mark.parametrize("name", CONTENDERS)
def test_the_value_is_the_objective_at_the_best_response(name: str) -> None:
    contender, sizes = CONTENDERS[name], SIZES[2]
    game = random_quadratic_game(sizes, 7)
    own = np.random.default_rng(7).standard_normal(sizes[0])
    expected = float(game.objective(0, tuple(map(jnp.asarray, closed_form(game, own)[1]))))
    value = float(evaluated(newton_nest(game, contender.make(2)), jnp.asarray(own)).value)
    assert value == pytest.approx(expected, rel=max(contender.error, 1e-12))


@pytest.mark.parametrize("name", CONTENDERS)
def test_the_start_of_the_levels_below_does_not_matter(name: str) -> None:
    contender, sizes = CONTENDERS[name], SIZES[2]
    game = random_quadratic_game(sizes, 8)
    nest = newton_nest(game, contender.make(2))
    own = jnp.linspace(-1, 1, sizes[0])
    near = evaluated(nest, own).gradient
    far = evaluated(nest, own, (jnp.full(sizes[1], 100.0),)).gradient
    # Rounding of answers that come from 100, over differences of 1e-5 or σ.
    np.testing.assert_allclose(near, far, atol=1e-7)


@pytest.mark.parametrize("name", CONTENDERS)
def test_every_level_that_is_evaluated_is_counted(name: str) -> None:
    sizes = SIZES[2]
    game = random_quadratic_game(sizes, 9)
    point = evaluated(newton_nest(game, CONTENDERS[name].make(2)), jnp.ones(sizes[0]))
    assert np.all(np.asarray(point.evaluations) >= 1)
    assert np.all(np.asarray(point.products) >= 0)
