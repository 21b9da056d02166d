"""Three levels with constraints, several players, and multipliers in objectives."""

import json
from pathlib import Path

import numpy as np
import pytest

import mlodsl

CASES = Path(__file__).parents[2] / ".." / "shared" / "cases" / "multilevel"

# z = max(x + y, 0); the middle level's objective has a kink where that begins, which is its answer:
# y = -x, so that the leader's (x - 0.25)² + (y + 0.25)² has its minimum 0.
AT_A_KINK = """
level a { var x : real in [-2, 2] = 1  minimize (x - 0.25)^2 + (y + 0.25)^2 }
level b { var y : real in [-2, 2]  minimize -y + 2*z  }
level c { var z : real in nonnegative  minimize (z - x - y)^2 }
"""
COURNOT = """
level market {{
  player first {{ var p : real in nonnegative  maximize p*(10 - p - q) - p }}
  player second {{ var q : real in nonnegative  maximize q*(10 - p - q) - {cost}*q }}
}}
"""
TAXED = """
level state { var t : real in [0, 10]  maximize t*(p + q) }
level market {
  player first { var p : real in nonnegative  maximize p*(10 - p - q) - (1 + t)*p }
  player second { var q : real in nonnegative  maximize q*(10 - p - q) - (1 + t)*q }
}
"""
# z = x + y: each leader's own first-order condition anticipates it, 4 x = 2 - y and 4 y = 4 - x.
TWO_LEADERS = """
level top {
  player a { var x : real in [0, 10]  minimize (x - 1)^2 + x*z }
  player b { var y : real in [0, 10]  minimize (y - 2)^2 + y*z }
}
level below { var z : real in nonnegative  minimize (z - x - y)^2 }
"""
MATCHING_PENNIES = """
level game {
  player even { var x : real in [0, 1] = 0.2  minimize (x - y)^2 }
  player odd { var y : real in [0, 1] = 0.7  minimize -(x - y)^2 }
}
"""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("three_generals_b", marks=pytest.mark.slow),
        "three_generals_c",
        "tri_bound_active",
    ],
)
def test_the_cases_with_bounds_are_exact(name: str) -> None:
    if not CASES.exists():
        pytest.skip(f"the cases are not at {CASES}")
    result = mlodsl.compile(CASES / f"{name}.mlo").solve()
    known = json.loads((CASES / "expected.json").read_text())[name]["variables"]
    assert result.status == "converged"
    for variable, value in known.items():
        np.testing.assert_allclose(np.ravel(result[variable]), value, atol=1e-9)


def test_a_middle_level_may_stand_at_a_kink() -> None:
    result = mlodsl.compile(AT_A_KINK).solve()
    assert result.status == "converged"
    found = [float(result[name]) for name in "xyz"]
    np.testing.assert_allclose(found, [0.25, -0.25, 0.0], atol=1e-8)


@pytest.mark.parametrize(("cost", "answer"), [(4, (4.0, 1.0)), (8, (4.5, 0.0))])
def test_players_at_the_top_are_in_equilibrium(cost: int, answer: tuple[float, float]) -> None:
    result = mlodsl.compile(COURNOT.format(cost=cost)).solve()
    assert result.status == "converged"
    np.testing.assert_allclose([result["p"], result["q"]], answer, atol=1e-9)
    assert result.objectives["market.second"] == pytest.approx(answer[1] ** 2, abs=1e-8)
    assert result.certificate["levels"]["market.first"]["min_curvature"] == pytest.approx(2)


def test_a_leader_anticipates_the_equilibrium_of_his_followers() -> None:
    result = mlodsl.compile(TAXED).solve()
    assert result.status == "converged"
    found = [float(result[name]) for name in "tpq"]
    np.testing.assert_allclose(found, [4.5, 1.5, 1.5], atol=1e-8)


def test_leaders_anticipate_the_level_below() -> None:
    result = mlodsl.compile(TWO_LEADERS).solve()
    assert result.status == "converged"
    np.testing.assert_allclose([result["x"], result["y"]], [4 / 15, 14 / 15], atol=1e-8)


def test_a_game_without_an_equilibrium_is_not_certified() -> None:
    result = mlodsl.compile(MATCHING_PENNIES).solve()
    assert result.status == "stalled"
    assert "equilibrium" in result.message


# Two wells of the follower are best for every x, and worth the same to the leader where the first
# one leads; along the second he falls further.
TWINS = """
level a { var x : real in [-3, 3] = 1  minimize (x - y)^2 + (y + 1)^2 }
level b { var y : real in [-2, 2] = 1  minimize (y^2 - 1)^2 }
"""
TWINS_BELOW = """
level a { var x : real = 1  minimize (x - z)^2 + (z + 1)^2 + (y - x)^2 }
level b { var y : real  minimize (y - x)^2 }
level c { var z : real in [-2, 2] = 1  minimize (z^2 - 1)^2 }
"""


@pytest.mark.parametrize("text", [TWINS, TWINS_BELOW])
def test_of_answers_that_are_as_good_each_is_followed(text: str) -> None:
    result = mlodsl.compile(text).solve()
    assert result.status == "converged"
    assert float(result["x"]) == pytest.approx(-1, abs=1e-8)


# ---------------------------------------------------------------- multipliers

# The follower's optimal value as a function of the bound k, by hand, and its derivative: with
# (q - 4)² it is (k - 4)² for k ≤ 4 if the bound is above, and for k ≥ 4 if it is below.
SIGNS = {
    "an upper bound": ("minimize (q - 4)^2", "q <= k", 2.0, 4.0),
    "a lower bound": ("minimize (q - 4)^2", "q >= k", 5.0, 2.0),
    "a lower bound, the other way round": ("minimize (q - 4)^2", "k <= q", 5.0, 2.0),
    "an equation": ("minimize (q - 4)^2", "q == k", 2.0, -4.0),
    "a double bound above": ("minimize (q - 4)^2", "0 <= q <= k", 2.0, 4.0),
    "a double bound below": ("minimize (q - 4)^2", "k <= q <= 9", 5.0, -2.0),
    "a maximised level": ("maximize -(q - 4)^2", "q <= k", 2.0, 4.0),
    "no force": ("minimize (q - 4)^2", "q <= k", 5.0, 0.0),
}


@pytest.mark.parametrize("name", SIGNS)
def test_the_sign_of_a_multiplier_is_as_the_language_says(name: str) -> None:
    objective, constraint, k, multiplier = SIGNS[name]
    model = mlodsl.compile(
        f"""
        level leader {{ var x : real  minimize (x - dual(cap))^2 }}
        level follower {{ var q : real  {objective}  subject to cap : {constraint} }}
        param k = {k}
        """
    )
    result = model.solve()
    assert result.status == "converged"
    assert float(result["x"]) == pytest.approx(multiplier, abs=1e-8)


def test_a_leader_moves_a_multiplier() -> None:
    """dual = 2 (4 - k), so that the leader's 2 (4 - k) k is largest at k = 2."""
    result = mlodsl.compile(
        """
        level leader { var k : real in [0, 5] = 1  maximize dual(cap)*k }
        level follower { var q : real  minimize (q - 4)^2  subject to cap : q <= k }
        """
    ).solve()
    assert result.status == "converged"
    assert float(result["k"]) == pytest.approx(2, abs=1e-8)
    assert result.objectives["leader"] == pytest.approx(8)
