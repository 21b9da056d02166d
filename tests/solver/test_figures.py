"""The certificate's figures and what it says of their errors."""

import numpy as np
import pytest

import mlodsl

WORSE_WELL = """
level leader { var x : real minimize (x - y)^2 }
level follower { var y : real = 1 minimize (y^2 - 1)^2 + 0.3 * y }
"""


def well(y: float) -> float:
    return (y**2 - 1) ** 2 + 0.3 * y


@pytest.fixture(scope="module")
def in_the_worse_well() -> dict:
    return mlodsl.compile(WORSE_WELL).solve(max_steps=1).certificate


def test_the_gap_is_what_the_better_well_gains(in_the_worse_well: dict) -> None:
    # The wells are roots of 4 y (y² - 1) + 0.3.
    wells = np.sort(np.roots([4, 0, -4, 0.3]).real)
    gap = in_the_worse_well["levels"]["follower"]["gap"]
    assert gap == pytest.approx(well(wells[2]) - well(wells[0]), rel=1e-9)


def test_the_gaps_error_is_that_of_rounding(in_the_worse_well: dict) -> None:
    error = in_the_worse_well["levels"]["follower"]["errors"]["gap"]
    assert 0 < error < 1e-12


def test_the_curvature_is_within_its_error() -> None:
    # S = 2 + 12 (y - x)² at y = x, at a point whose numbers aren't round.
    result = mlodsl.compile(
        "level a { var x : real minimize (x - 0.7)^2 + y^2 / 3 }"
        "level b { var y : real minimize (y - x)^2 + (y - x)^4 }"
    ).solve()
    level = result.certificate["levels"]["b"]
    assert abs(level["min_curvature"] - 2) <= level["errors"]["min_curvature"]
    assert level["errors"]["min_curvature"] < 1e-12
    assert level["gap"] == 0


def test_the_gradient_by_differences_is_the_hypergradient() -> None:
    # y = 2 x: d/dx ((x - 1)² + y²) = 2 (x - 1) + 8 x, where one step from 3 has led.
    result = mlodsl.compile(
        "level a { var x : real = 3 minimize (x - 1)^2 + y^2 }"
        "level b { var y : real minimize (y - 2 * x)^2 }"
    ).solve(max_steps=1)
    x = float(result["x"])
    certificate = result.certificate
    assert certificate["hypergradient_norm"] == pytest.approx(abs(2 * (x - 1) + 8 * x), rel=1e-9)
    apart = abs(certificate["difference_norm"] - certificate["hypergradient_norm"])
    # The formula of fourth order is exact for a parabola; what is left is rounding.
    assert apart <= certificate["errors"]["difference_norm"] + 1e-12


def test_a_far_minimum_in_small_units_says_how_far() -> None:
    result = mlodsl.compile(
        "level a { var x : real = 2.9e8 minimize (x / 1e8 - 3)^2 + y^2 }"
        "level b { var y : real minimize y^2 }"
    ).solve()
    assert result.status == "stalled"
    assert "about 1e+07 away" in result.message
