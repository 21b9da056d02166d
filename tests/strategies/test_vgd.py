"""The partial gradient: what it is, and where it stops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from mlodsl.calculus import choices
from mlodsl.strategies import PartialGradient
from tests.nests import evaluated, newton_nest
from tests.smooth_games import SMOOTH_GAMES

from .test_errata import GAME as STACKELBERG


@pytest.mark.slow
def test_it_is_the_gradient_with_the_answers_held_still() -> None:
    game = SMOOTH_GAMES[2]
    own = jnp.linspace(0.4, 0.8, game.sizes[0])
    point = evaluated(newton_nest(game, PartialGradient()), own)
    below = choices(game.sizes, 0, point.flat)[1:]
    exact = choices(game.sizes, 0, evaluated(newton_nest(game), own).flat)[1:]
    np.testing.assert_allclose(below[0], exact[0], atol=1e-12)
    expected = jax.grad(lambda own: game.objective(0, (own, *below)))(own)
    np.testing.assert_allclose(point.gradient, expected, rtol=1e-13)


def stop(strategy: PartialGradient) -> float:
    nest = newton_nest(STACKELBERG, strategy)
    return brentq(lambda x: float(evaluated(nest, jnp.array([x])).gradient[0]), 0, 1)


def test_where_no_level_anticipates_it_stops_at_the_equilibrium_of_equals() -> None:
    """1 - x - y - z = x = y = z gives 1/4."""
    assert stop(PartialGradient()) == pytest.approx(1 / 4, abs=1e-9)


def test_where_the_levels_in_between_anticipate_it_stops_at_a_fifth() -> None:
    """With y = (1 - x) / 2 and z = (1 - x) / 4, 1 - 2x - y - z = 0 at x = 1/5."""
    assert stop(PartialGradient(between="implicit")) == pytest.approx(1 / 5, abs=1e-9)
