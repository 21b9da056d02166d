"""Regressions against the errors of the printed Algorithm 1.

"Towards Differentiable Multilevel Optimization", Algorithm 1, for three levels of one variable.
Line 4 as printed takes Σ_{i≥2} ∂²f_2/∂x_i² dx_i/dx_2 for the second derivative of level 2, where
the total derivative of f'_2 belongs: ∂f'_2/∂x_2 + Σ_{i≥3} ∂f'_2/∂x_i dx_i/dx_2.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import pytest
from jaxtyping import Array
from scipy.optimize import brentq

from mlodsl.calculus import choices
from tests.games import FunctionGame
from tests.nests import evaluated, newton_nest


def profit(own: int) -> Callable[..., Array]:
    """Minus what firm `own` earns in the generalised Stackelberg game."""

    def objective(*firms: Array) -> Array:
        return jnp.sum(-firms[own] * (1 - sum(firms)))

    return objective


GAME = FunctionGame((1, 1, 1), (profit(0), profit(1), profit(2)))


def answer(x: float) -> tuple[Array, Array]:
    """By hand: z = (1 - x - y) / 2, and then y = (1 - x) / 2."""
    return jnp.array([(1 - x) / 2]), jnp.array([(1 - x) / 4])


def algorithm_1(x: float, *, as_printed: bool) -> float:
    """df_1/dx_1 by Algorithm 1, for the game above; lines as in the paper."""
    y, z = answer(x)
    x_, y_, z_ = float(x), float(y[0]), float(z[0])

    def of(level: int) -> Callable[[float, float, float], Array]:
        return lambda a, b, c: GAME.objective(
            level, (jnp.array([a]), jnp.array([b]), jnp.array([c]))
        )

    f1, f2, f3 = of(0), of(1), of(2)

    def second(function: Callable[..., Array], i: int, j: int) -> float:
        return float(jax.grad(jax.grad(function, i), j)(x_, y_, z_))

    # Lines 1 and 2: how level 3 follows x_1 and x_2.
    third_in_first = -second(f3, 2, 0) / second(f3, 2, 2)
    third_in_second = -second(f3, 2, 1) / second(f3, 2, 2)

    def slope(a: float, b: float, c: float) -> Array:  # line 3
        return jax.grad(f2, 1)(a, b, c) + jax.grad(f2, 2)(a, b, c) * third_in_second

    slopes = [float(part) for part in jax.grad(slope, (0, 1, 2))(x_, y_, z_)]
    if as_printed:
        curvature = second(f2, 1, 1) + second(f2, 2, 2) * third_in_second  # line 4
    else:
        curvature = slopes[1] + slopes[2] * third_in_second
    across = slopes[0] + slopes[2] * third_in_first  # lines 5 to 8
    second_in_first = -across / curvature  # line 9
    following = third_in_first + third_in_second * second_in_first  # lines 10 to 12
    direct, through_second, through_third = jax.grad(f1, (0, 1, 2))(x_, y_, z_)
    return float(direct + through_second * second_in_first + through_third * following)


def implicit(x: float) -> float:
    return float(evaluated(newton_nest(GAME), jnp.array([x])).gradient[0])


def test_algorithm_1_as_printed_stops_at_a_wrong_point() -> None:
    assert brentq(lambda x: algorithm_1(x, as_printed=True), 0, 1) == pytest.approx(0.4, abs=1e-9)


def test_algorithm_1_with_line_4_mended_stops_at_the_solution() -> None:
    root = brentq(lambda x: algorithm_1(x, as_printed=False), 0, 1)
    assert root == pytest.approx(0.5, abs=1e-9)


def test_implicit_stops_at_the_solution() -> None:
    assert brentq(implicit, 0, 1) == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("x", [0.1, 0.4, 0.8])
def test_implicit_equals_the_mended_algorithm(x: float) -> None:
    assert implicit(x) == pytest.approx(algorithm_1(x, as_printed=False), abs=1e-12)


def test_the_answers_by_hand_are_those_of_the_nest() -> None:
    point = evaluated(newton_nest(GAME), jnp.array([0.3]))
    for found, expected in zip(choices((1, 1, 1), 0, point.flat)[1:], answer(0.3), strict=True):
        assert float(found[0]) == pytest.approx(float(expected[0]), abs=1e-12)
