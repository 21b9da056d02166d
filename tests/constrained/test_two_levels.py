"""Models of two levels with constraints, against answers worked out by hand."""

import functools

import numpy as np
import pytest

import mlodsl

MODELS = {
    # The follower wants y = x and may not go above 1; the leader wants x = 3 and y small.
    "an active bound of the follower": (
        """
        level leader { var x : real in [0, 5]  minimize (x - 3)^2 + y }
        level follower { var y : real in [0, 1]  minimize (y - x)^2 }
        """,
        {"x": 3.0, "y": 1.0},
    ),
    # y = max(x, 0), so that the leader's (x + 1)² + 4 y has its minimum on the kink's left side.
    "a kink in the answer": (
        """
        level leader { var x : real = 2  minimize (x + 1)^2 + 4*y }
        level follower { var y : real in nonnegative  minimize (y - x)^2 }
        """,
        {"x": -1.0, "y": 0.0},
    ),
    # φ(x) = (x - 1)² for x ≥ 0 and -x (…) for x ≤ 0 meet in a kink that is the minimum.
    "a minimum at the kink": (
        """
        level leader { var x : real = 2  minimize x^2/2 - 2*x + 4*y }
        level follower { var y : real in nonnegative  minimize (y - x)^2 }
        """,
        {"x": 0.0, "y": 0.0},
    ),
    # The coupling constraint is the leader's: the follower doesn't see it.
    "a coupling constraint": (
        """
        level leader { var x : real = 0  minimize (x - 2)^2  subject to y <= 1 }
        level follower { var y : real  minimize (y - x)^2 }
        """,
        {"x": 1.0, "y": 1.0},
    ),
    # Euclidean projection of (x, 0) onto the simplex: ((1 + x) / 2, (1 - x) / 2).
    "a simplex": (
        """
        level leader { var x : real = 0  minimize (w[0] - 0.75)^2 }
        level follower { var w : real[2] in simplex  minimize sumsq(w - [x, 0.0]) }
        """,
        {"x": 0.5, "w": [0.75, 0.25]},
    ),
    "a ball": (
        """
        level leader { var x : real = 1  minimize (y[0] - 2)^2 + 0.01*(x - 4)^2 }
        level follower { var y : real[2] in ball(1)  minimize sumsq(y - [x, 0.0]) }
        """,
        {"x": 4.0, "y": [1.0, 0.0]},
    ),
    "an equation": (
        """
        level leader { var x : real  minimize (y[0] - 1)^2 + (y[1] - 3)^2 }
        level follower { var y : real[2]  minimize sumsq(y)  subject to total : sum(y) == x }
        """,
        {"x": 4.0, "y": [2.0, 2.0]},
    ),
    # With no follower it is a nonlinear program: the nearest point of a circle.
    "one level": (
        """
        level only { var x : real[2] = [1.0, 0.5]  minimize sumsq(x - [3.0, 4.0])
                     subject to sumsq(x) <= 1 }
        """,
        {"x": [0.6, 0.8]},
    ),
    # A linear follower is indifferent along an edge; ties break in favour of the leader.
    "an optimistic tie": (
        """
        level leader { var x : real in [0, 1]  minimize (y[0] - 0.25)^2 + (x - 1)^2 }
        level follower { var y : real[2] in [0, 1]  minimize -sum(y)  subject to sum(y) <= x }
        """,
        {"x": 1.0, "y": [0.25, 0.75]},
    ),
    "a constraint for each index": (
        """
        level leader { var x : real[2] = 0  maximize -sumsq(x - 2) - sum(y) }
        level follower { var y : real[2]  maximize -sumsq(y - x)
                         subject to y[i] <= 0.5 * (i + 1) for i in range(2) }
        """,
        {"x": [2.0, 2.0], "y": [0.5, 1.0]},
    ),
}


@functools.cache
def solved(name: str) -> mlodsl.Result:
    return mlodsl.compile(MODELS[name][0]).solve()


@pytest.mark.parametrize("name", MODELS)
def test_the_answer_is_exact(name: str) -> None:
    result = solved(name)
    assert result.status == "converged", result.message
    for variable, expected in MODELS[name][1].items():
        np.testing.assert_allclose(result[variable], expected, atol=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_the_certificate_says_what_was_verified(name: str) -> None:
    certificate = solved(name).certificate
    assert certificate["claim"] == "local"
    assert certificate["constraint_violation"] <= 1e-9
    assert certificate["hypergradient_norm"] <= 1e-8
    for level in list(certificate["levels"].values())[1:]:
        assert level["gap"] <= 1e-7


def test_an_answer_at_a_bound_is_at_it() -> None:
    result = solved("a minimum at the kink")
    assert abs(float(result["x"])) <= 1e-9
    assert abs(float(result["y"])) <= 1e-9


def test_the_strategy_is_named_with_its_reason() -> None:
    strategy = solved("one level").to_dict()["strategy"]
    assert (strategy["name"], strategy["chosen_by"]) == ("kkt", "auto")
    assert "constraints" in strategy["reason"]
