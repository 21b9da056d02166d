"""Followers with a valley of best answers, of which the leader gets the one he likes best."""

import numpy as np
import pytest
from scipy.optimize import minimize

import mlodsl

SLANTED = """
level up {
  var x : real = 0.5
  minimize (x - 1)^2 + sin(x) * y[0] + (y[1] - 1)^2 + y[0]^2
}
level low { var y : real[2] = [1, 0.3] minimize (y[0] + y[1] - x)^2 }
"""
# The valley is a circle, on which the leader likes (1, 0) best and (-1, 0) least.
CIRCLE = """
level up { var x : real = 0.3 minimize (x - y[0])^2 + sumsq(y - [2, 0]) }
level low { var y : real[2] = START minimize (sumsq(y) - 1)^2 }
"""
# Of the ties y = (x, t) those around t = -1 are better for the leader than those around t = 1.
TWO_TIES = """
level up { var x : real minimize (x - 1)^2 + (y[1]^2 - 1)^2 + 0.3 * y[1] }
level low { var y : real[2] = START minimize (y[0] - x)^2 }
"""


def solved(text: str, **options: object) -> mlodsl.Result:
    return mlodsl.compile(text).solve(**options)


def test_the_leaders_favourite_of_the_ties_is_certified() -> None:
    """The valley is y = (a, x - a): a plain minimum over x and a."""

    def objective(v: np.ndarray) -> float:
        x, a = v
        return (x - 1) ** 2 + np.sin(x) * a + (x - a - 1) ** 2 + a**2

    x, a = minimize(objective, [0.5, 0.0], tol=1e-12).x
    result = solved(SLANTED)
    assert result.status == "converged", result.message
    np.testing.assert_allclose(
        [float(result["x"]), *np.asarray(result["y"])], [x, a, x - a], atol=1e-6
    )
    level = result.certificate["levels"]["low"]
    assert not level["unique"]
    assert result.to_dict()["strategy"]["name"] == "f2ba"


def test_a_curved_valley_is_followed() -> None:
    result = solved(CIRCLE.replace("START", "[0.6, 0.8]"))
    assert result.status == "converged", result.message
    np.testing.assert_allclose(result["y"], [1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("objective", "x", "y"),
    [
        ("y[0]^2 - 2 * x * y[0]", 0.5, [0.5, 0.0]),
        ("(y[0] + y[1])^2 - 2 * x * (y[0] + y[1])", 1.0, [0.0, 1.0]),
    ],
    ids=["that nobody minds", "that the leader minds"],
)
def test_a_flat_direction_is_no_obstacle(objective: str, x: float, y: list[float]) -> None:
    """By hand: y[0] = x and (x - 1)² + x²; or y[0] = 0 and (x - 1)²."""
    result = solved(
        "level up { var x : real = 0.5 minimize (x - 1)^2 + y[0]^2 }"
        f"level low {{ var y : real[2] minimize {objective} }}"
    )
    assert result.status == "converged", result.message
    np.testing.assert_allclose([float(result["x"]), *np.asarray(result["y"])], [x, *y], atol=1e-8)


@pytest.mark.parametrize("strategy", ["galet", "itd", "implicit", "vgd"])
def test_a_tie_that_the_leader_likes_less_is_not_certified(strategy: str) -> None:
    assert solved(SLANTED, strategy=strategy).status != "converged"


@pytest.mark.slow
def test_a_better_tie_elsewhere_in_the_valley_is_found() -> None:
    result = solved(TWO_TIES.replace("START", "[0, 1]"))
    assert result.status != "converged"
    assert "ties break" in result.message
    assert solved(TWO_TIES.replace("START", "[0, -1]")).status == "converged"


@pytest.mark.parametrize(
    ("objective", "start"),
    [
        ("1e6 + (x - 1)^2 + (y[1]^2 - 1)^2 + 0.05 * y[1]", "[0, 1]"),
        ("(x - 1)^2 + 1e-4 * ((y[1]^2 - 1)^2 + 0.002 * y[1])", "[0, 1]"),
        ("(x - 1)^2 + y[1]^3 + 100 * y[1]^4", "[0, 0]"),
    ],
    ids=["on a large constant", "in small units", "beside an inflection"],
)
def test_a_tie_that_is_little_better_is_found(objective: str, start: str) -> None:
    """The better ties: y[1] near -1, near -1, and at -0.0075."""
    text = f"""
    level up {{ var x : real minimize {objective} }}
    level low {{ var y : real[2] = {start} minimize (y[0] - x)^2 }}
    """
    assert solved(text).status != "converged"


def test_a_valley_without_a_favourite_is_not_certified() -> None:
    """Example 4.1: φ_σ is without bound wherever x isn't 0."""
    text = """
    level up { var x : real = 1 minimize x * y[0] + x^2 }
    level low { var y : real[2] minimize 0.5 * y[1]^2 }
    """
    assert solved(text).status != "converged"


def test_a_valley_that_narrows_to_a_quartic_is_not_certified() -> None:
    """φ is least at x = 3/2; σ f + g has its minimum at a distance of σ^(1/3) from the valley."""
    text = """
    level up { var x : real = 1 minimize (x - 1)^2 + (y[0] - 2)^2 + y[1]^2 }
    level low { var y : real[2] = 0.5 minimize (y[0] - x)^4 }
    """
    assert solved(text).status != "converged"


@pytest.mark.parametrize("start", ["[0, 0]", "[0, 40]", "[0, -3]"])
def test_a_slope_that_flattens_out_is_no_valley(start: str) -> None:
    text = f"""
    level up {{ var x : real = 0.3 minimize (x - 1)^2 + y[0]^2 }}
    level low {{ var y : real[2] = {start} minimize (y[0] - x)^2 + exp(-y[1]) }}
    """
    assert solved(text).status != "converged"


@pytest.mark.slow
def test_simple_bilevel_problems_are_certified_under_tikhonov() -> None:
    """Among all y of sum 1 the one nearest to (1, 2, 3) is (1, 2, 3) - 5/3."""
    text = """
    level up { var x : real minimize (x - 1)^2 + sumsq(y - [1, 2, 3]) }
    level low { var y : real[3] minimize (sum(y) - 1)^2 }
    """
    for strategy in ("auto", "tikhonov"):
        result = solved(text, strategy=strategy)
        np.testing.assert_allclose(result["y"], np.array([1, 2, 3]) - 5 / 3, atol=1e-6)
    assert solved(text).status == "converged"
