"""F²BA, Prox-F²BA and the value-function method: errors that fall with σ as theory says.

With P_s(x) = min_y s f + g the methods take difference quotients of ∇P in s at 0, so on a game
whose P is smooth in s the error is σ/2 ∇P'' (one-sided), σ²/6 ∇P''' (central) and -σ²/12 ∇P'''
(extrapolated), and higher terms are smaller by a factor of order σ.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from mlodsl.strategies import (
    AbstractStrategy,
    FirstOrderBilevel,
    ProximalFirstOrderBilevel,
    ValueFunction,
)
from tests.games import closed_form, random_quadratic_game
from tests.nests import evaluated, newton_nest
from tests.smooth_games import SMOOTH_GAMES

from .quadratic import Blocks, blocks

Make = Callable[[float], AbstractStrategy]

FORMS: dict[str, tuple[Make, int]] = {
    "one_sided": (lambda sigma: FirstOrderBilevel(jnp.asarray(sigma)), 1),
    "central": (lambda sigma: FirstOrderBilevel(jnp.asarray(sigma), "central"), 2),
    "extrapolated": (lambda sigma: FirstOrderBilevel(jnp.asarray(sigma), "extrapolated"), 2),
    "prox": (
        lambda sigma: ProximalFirstOrderBilevel(jnp.asarray(sigma), jnp.asarray(10.0)),
        1,
    ),
    "value_function": (
        lambda sigma: ValueFunction(jnp.asarray(1 / sigma), jnp.asarray(1.0), jnp.asarray(10.0)),
        1,
    ),
}
LARGE, SMALL = 0.02, 0.01


def quotient(case: Blocks, form: str, sigma: float) -> np.ndarray:
    """What the method computes, by linear algebra."""
    P = case.penalized
    if form == "central":
        return (P(sigma) - P(-sigma)) / (2 * sigma)
    if form == "extrapolated":
        return (4 * P(sigma / 2) - P(sigma) - 3 * P(0)) / sigma
    return (P(sigma) - P(0)) / sigma


def gradient(case: Blocks, strategy: AbstractStrategy) -> Array:
    return evaluated(newton_nest(case.game, strategy), jnp.asarray(case.own)).gradient


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sigma", [0.3, 1e-3])
def test_the_gradient_is_the_difference_quotient_by_linear_algebra(form: str, sigma: float) -> None:
    for seed in range(3):
        case = blocks(seed)
        expected = quotient(case, form, sigma)
        found = gradient(case, FORMS[form][0](sigma))
        # Answers right to some 1e-15, divided by σ.
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("form", FORMS)
def test_halving_sigma_halves_the_error_or_quarters_it(form: str) -> None:
    make, order = FORMS[form]
    for seed in range(3):
        case = blocks(seed)
        large, small = (
            np.linalg.norm(gradient(case, make(sigma)) - case.exact) for sigma in (LARGE, SMALL)
        )
        # Higher terms: a few times σ, relative.
        assert large / small == pytest.approx(2**order, rel=0.1)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "value_function"])
def test_the_value_is_as_good_as_the_gradient(form: str) -> None:
    make, order = FORMS[form]
    case = blocks(1)
    vectors = (jnp.asarray(case.own), jnp.asarray(case.answer))
    true = float(case.game.objective(0, vectors))
    large, small = (
        abs(float(evaluated(newton_nest(case.game, make(s)), vectors[0]).value) - true)
        for s in (LARGE, SMALL)
    )
    assert large / small == pytest.approx(2**order, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_rates_hold_for_three_levels(form: str) -> None:
    sizes = (2, 3, 2)
    make, order = FORMS[form]
    game = random_quadratic_game(sizes, 3)
    own = np.array([0.5, -1.0])
    exact = closed_form(game, own)[0]
    large, small = (
        np.linalg.norm(evaluated(newton_nest(game, make(sigma)), jnp.asarray(own)).gradient - exact)
        for sigma in (LARGE, SMALL)
    )
    assert large / small == pytest.approx(2**order, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("levels", [2, 3])
def test_rates_hold_on_smooth_games(form: str, levels: int) -> None:
    game = SMOOTH_GAMES[levels]
    make, order = FORMS[form]
    own = jnp.linspace(0.4, 0.8, game.sizes[0])
    exact = evaluated(newton_nest(game), own).gradient
    large, small = (
        np.linalg.norm(evaluated(newton_nest(game, make(sigma)), own).gradient - exact)
        for sigma in (LARGE, SMALL)
    )
    assert large / small == pytest.approx(2**order, rel=0.1)


def test_the_penalty_grows_from_turn_to_turn_up_to_its_last_value() -> None:
    """Turn t is F²BA with σ = 1 / (initial · growth^t)."""
    case = blocks(2)
    strategy = ValueFunction(jnp.asarray(500.0), jnp.asarray(5.0), jnp.asarray(10.0))
    nest = newton_nest(case.game, strategy)
    for turn, penalty in enumerate([5.0, 50.0, 500.0, 500.0]):
        point = evaluated(nest, jnp.asarray(case.own), turn=turn)
        expected = quotient(case, "one_sided", 1 / penalty)
        np.testing.assert_allclose(point.gradient, expected, atol=1e-10)
        # Until it has grown the level may not stop.
        assert np.isinf(point.error) == (penalty < 500)


@pytest.mark.parametrize("rho", [0.1, 1.0, 100.0])
def test_the_length_of_proximal_steps_does_not_change_the_answer(rho: float) -> None:
    case = blocks(4)
    strategy = ProximalFirstOrderBilevel(jnp.asarray(1e-3), jnp.asarray(rho))
    # Steps end at rounding: 1e-15, over 1 - 1 / (1 + ρ μ) for those that would follow, over σ.
    expected = quotient(case, "one_sided", 1e-3)
    np.testing.assert_allclose(gradient(case, strategy), expected, atol=1e-9)


def test_few_proximal_steps_leave_what_the_contraction_leaves() -> None:
    """y_T - y* = (I + ρ H)^-T (y_0 - y*), for σ f + g and then, from there, for g."""
    case = blocks(5)
    sigma, rho, steps = 0.1, 1.0, 3
    size = case.own.size
    start = np.zeros(case.answer.size)
    found = []
    for node in (sigma, 0.0):
        matrix = node * case.upper[0] + case.lower[0]
        slope = node * case.upper[1] + case.lower[1]
        hessian = matrix[size:, size:]
        best = -np.linalg.solve(hessian, matrix[size:, :size] @ case.own + slope[size:])
        contraction = np.linalg.matrix_power(
            np.linalg.inv(np.eye(best.size) + rho * hessian), steps
        )
        start = best + contraction @ (start - best)
        found.append((matrix @ np.concatenate([case.own, start]) + slope)[:size])
    strategy = ProximalFirstOrderBilevel(jnp.asarray(sigma), jnp.asarray(rho), steps)
    expected = (found[0] - found[1]) / sigma
    np.testing.assert_allclose(gradient(case, strategy), expected, atol=1e-10)
