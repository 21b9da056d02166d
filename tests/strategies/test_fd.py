"""Finite differences: their error falls with the step as theory says, down to rounding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from mlodsl.strategies import FiniteDifferences, PartialGradient
from tests.nests import evaluated, newton_nest
from tests.smooth_games import SMOOTH_GAMES

from .quadratic import blocks

GAME = SMOOTH_GAMES[2]


def gradient(step: float, *, central: bool) -> Array:
    own = jnp.linspace(0.4, 0.8, GAME.sizes[0])
    strategy = FiniteDifferences(jnp.asarray(step), central)
    return evaluated(newton_nest(GAME, strategy), own).gradient


@pytest.mark.parametrize(("central", "order"), [(True, 2), (False, 1)])
def test_halving_the_step_divides_the_error_by_two_to_its_order(central: bool, order: int) -> None:
    exact = evaluated(newton_nest(GAME), jnp.linspace(0.4, 0.8, GAME.sizes[0])).gradient
    large, small = (
        np.linalg.norm(gradient(step, central=central) - exact) for step in (0.02, 0.01)
    )
    # The next terms are smaller by the step, or its square.
    assert large / small == pytest.approx(2**order, rel=0.02)


def test_central_differences_of_a_quadratic_game_are_exact_for_any_step() -> None:
    for seed in range(3):
        case = blocks(seed)
        nest = newton_nest(case.game, FiniteDifferences(jnp.asarray(0.5)))
        # Rounding of values of order 10 over the step.
        found = evaluated(nest, jnp.asarray(case.own)).gradient
        np.testing.assert_allclose(found, case.exact, atol=1e-12)


def test_the_step_that_is_chosen_grows_with_the_variable() -> None:
    """Next to 1e6 a step of 1e-5 would leave five digits of x, and of values of 1e12 none."""
    case = blocks(0)
    nest = newton_nest(case.game, FiniteDifferences(jnp.asarray(0.0)))
    far = 1e6 * jnp.ones(case.own.size)
    exact = evaluated(newton_nest(case.game), far).gradient
    error = np.linalg.norm(evaluated(nest, far).gradient - exact)
    # eps^(2/3) relative, some digits lost.
    assert error <= 1e-8 * np.linalg.norm(exact)


@pytest.mark.slow
def test_between_vgd_differentiates_the_answers_of_partial_gradients() -> None:
    """Levels 2 and 3 play y = z = (1 - x) / 3, so that F = -x (1 - x) / 3 and F' = (2x - 1) / 3."""
    from .test_errata import GAME as STACKELBERG

    strategy = FiniteDifferences(jnp.asarray(0.0), between="vgd")
    nest = newton_nest(STACKELBERG, strategy, between=PartialGradient())
    for x in (0.1, 0.6):
        found = float(evaluated(nest, jnp.array([x])).gradient[0])
        assert found == pytest.approx((2 * x - 1) / 3, abs=1e-7)


def test_a_fixed_number_of_lower_steps_is_differentiated_as_it_stands() -> None:
    """All answers start from the same guess, so the differences are those of what is computed."""
    from mlodsl.settings import OptimizerChoice
    from mlodsl.solver.movers import FirstOrder
    from mlodsl.solver.nest import LevelPlan, Nest

    case = blocks(1)
    plain = newton_nest(case.game, FiniteDifferences(jnp.asarray(0.0)))
    choice = OptimizerChoice("sgd", (("learning_rate", 0.1),))
    lower = LevelPlan(FirstOrder(choice), 4, exact=False)
    nest = Nest(case.game, plain.strategy, (plain.plans[0], lower), plain.frozen)

    def four_steps(own: Array) -> Array:
        y = jnp.zeros(case.answer.size)
        for _ in range(4):
            y = y - 0.1 * jax.grad(lambda y: case.game.objective(1, (own, y)))(y)
        return case.game.objective(0, (own, y))

    own = jnp.asarray(case.own)
    found = evaluated(nest, own).gradient
    np.testing.assert_allclose(found, jax.jit(jax.grad(four_steps))(own), atol=1e-8)
