"""Implicit hypergradients of random quadratic games against their closed forms."""

import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import choices
from mlodsl.strategies import Implicit
from tests.games import closed_form, random_quadratic_game
from tests.nests import evaluated, newton_nest

# Forms by size under `auto`: full matrices alone.
CASES = [
    ("auto", (1, 1)),
    ("auto", (20, 20)),
    ("auto", (4, 17, 9)),
    ("dense", (7, 13)),
    ("cg", (12, 20)),
    ("minres", (12, 20)),
    ("minres", (2, 3, 2)),
    ("neumann", (12, 20)),
]
LARGE = [
    ("auto", (1, 2, 1, 3)),
    ("auto", (20, 20, 20, 20, 20)),
    ("dense", (20, 20, 20, 20)),
    ("cg", (20, 20, 20)),
    ("cg", (2, 5, 3, 4)),
    ("minres", (3, 6, 4)),
    ("cg", (3, 6, 4)),
    ("minres", (2, 5, 3, 4)),
    ("neumann", (3, 6, 4)),
    ("neumann", (2, 2, 2, 2)),
    ("cg", (1, 2, 2, 1, 2)),
    ("auto", (1, 1, 1, 1, 1)),
]


def label(case: object) -> str:
    return case if isinstance(case, str) else "x".join(map(str, case))  # type: ignore[call-overload]


def assert_closed_form(solver: str, sizes: tuple[int, ...], seed: int) -> None:
    game = random_quadratic_game(sizes, seed)
    own = np.random.default_rng(seed + 1000).standard_normal(sizes[0])
    expected, response = closed_form(game, own)
    nest = newton_nest(game, Implicit(solver))
    point = evaluated(nest, jnp.asarray(own))
    assert np.linalg.norm(point.gradient - expected) <= 1e-9 * np.linalg.norm(expected)
    answer = np.concatenate(choices(sizes, 0, point.flat))
    np.testing.assert_allclose(answer, np.concatenate(response), atol=1e-9)


@pytest.mark.parametrize(("solver", "sizes"), CASES, ids=label)
def test_the_hypergradient_equals_the_closed_form(solver: str, sizes: tuple[int, ...]) -> None:
    for seed in range(5):
        assert_closed_form(solver, sizes, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("solver", "sizes"), LARGE, ids=label)
def test_the_hypergradient_equals_the_closed_form_at_full_size(
    solver: str, sizes: tuple[int, ...]
) -> None:
    assert_closed_form(solver, sizes, seed=0)


def test_the_value_is_the_objective_at_the_best_response() -> None:
    sizes = (4, 17, 9)
    game = random_quadratic_game(sizes, 7)
    own = np.random.default_rng(7).standard_normal(4)
    response = closed_form(game, own)[1]
    expected = game.objective(0, tuple(map(jnp.asarray, response)))
    value = evaluated(newton_nest(game), jnp.asarray(own)).value
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_a_quadratic_games_levels_are_solved_by_one_newton_step_each_turn() -> None:
    """Exact total Hessians: from zero, one step to the answer and one turn to see that it is."""
    game = random_quadratic_game((4, 17, 9), 8)
    nest = newton_nest(game)
    evaluations = np.asarray(evaluated(nest, jnp.ones(4)).evaluations)
    # The trust region may cut the first steps; rounding may ask for one more.
    assert evaluations[1] <= 5
