"""Models whose plausible answers are wrong: none of them may be called `converged`."""

from collections.abc import Iterable

import pytest

import mlodsl

# The text; what must not be `converged`.
NEVER = {
    "a player at his maximum, unbounded": """
        level T {
          player A { var a : real = 0  minimize -a^2*(b + 2) }
          player B { var b : real in [0, 1] = 0  minimize (b - 0.5)^2 }
        }""",
    "a middle level at its maximum, unbounded": """
        level T { var x : real in [-1, 1] = 0.5  minimize (x - 0.3)^2 }
        level M { var y : real = 0  minimize -y^2 + 0*x*z }
        level B { var z : real in [-1, 1] = 0  minimize (z - x)^2 }""",
    "a follower bounded on the wrong side": """
        level L { var x : real in [-1, 1] = 0.5  minimize (x - 0.3)^2 }
        level F { var y : real = 0  minimize -y^2*(x + 2)  subject to y <= 100*(x + 20) }""",
    "ties at the bottom of three levels": """
        level T { var x : real in [0, 1] = 0.2  minimize (x - 0.5)^2 + (y - 0.7)^2 }
        level M { var y : real in [0, 1] = 0.5  minimize (y - z)^2 }
        level B { var z : real in [0, 1] = 0  minimize z*0 }""",
}

# The text; values that a converged result must have.
ANSWERS = {
    # The constraint leaves y ≤ 1 and y ≥ 9; near 0 it looks like a bound.
    "a feasible set in two parts": (
        """
        level L { var x : real in [-1, 1] = 0  minimize x^2 + y }
        level F { var y : real = 0  minimize (y - 10 - x)^2  subject to abs(y - 5) >= 4 }""",
        {"x": -0.5, "y": 9.5},
    ),
    # z = max(a - 1.8, 0): the middle level gains only at the far end.
    "a middle level that jumps far": (
        """
        level T { var x : real in [0, 1] = 0.2  minimize (x - 0.5)^2 + a }
        level M { var a : real in [0, 2] = 0  minimize 0.1*a - 2*z }
        level B { var z : real in [0, inf] = 0  minimize (z - a + 1.8)^2 }""",
        {"x": 0.5, "a": 2.0, "z": 0.2},
    ),
    # All at 0 and all at 1 are equilibria; the leader likes the second one.
    "several equilibria": (
        """
        level L { var x : real in [0, 1] = 0  minimize (x - 0.3)^2 - a*b*c }
        level F {
          player A { var a : real in [0, 1] = 0  maximize a*(b + c - 1.2) }
          player B { var b : real in [0, 1] = 0  maximize b*(a + c - 1.2) }
          player C { var c : real in [0, 1] = 0  maximize c*(b + a - 1.2) }
        }""",
        {"x": 0.3, "a": 1.0, "b": 1.0, "c": 1.0},
    ),
    "a multiplier in a constraint of the leader": (
        """
        level L { var x : real in [0, 4] = 3  minimize x^2  subject to dual(dem) >= 2 }
        level F { var y : real = 0  minimize y^2  subject to dem : y >= x }""",
        {"x": 1.0, "y": 1.0},
    ),
    # log(x) isn't a number at the start.
    "a constraint that has no value at the start": (
        """
        level L { var x : real = 0  minimize (x + 1)^2 + (y - 1)^2  subject to x >= 0.25 }
        level F { var y : real in [-3, 3] = 0  minimize (y - x)^2  subject to log(x) >= -1 }""",
        {"x": 0.36787944117144233, "y": 0.36787944117144233},
    ),
    # 1/x is infinite at the start, and (x - 1)² + 1/x² has its minimum at 1.3802776 otherwise.
    "a bound that is infinite at the start": (
        """
        level L { var x : real in [0, 2] = 0  minimize (x - 1)^2 + y^2 }
        level F { var y : real in [-5, 1/x] = 0  minimize (y - 3)^2 }""",
        {"x": 1.3802775690976141, "y": 0.7244919590005157},
    ),
}


SLOW = {
    "a middle level at its maximum, unbounded",
    "a middle level that jumps far",
    "a player at his maximum, unbounded",
    "a follower bounded on the wrong side",
}


def some_slow(names: Iterable[str]) -> list:
    return [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in names]


@pytest.mark.parametrize("name", some_slow(NEVER))
def test_it_is_not_called_converged(name: str) -> None:
    assert mlodsl.compile(NEVER[name]).solve().status != "converged"


@pytest.mark.parametrize("name", some_slow(ANSWERS))
def test_the_answer_is_found(name: str) -> None:
    text, answer = ANSWERS[name]
    result = mlodsl.compile(text).solve()
    assert result.status == "converged"
    for variable, value in answer.items():
        assert float(result[variable]) == pytest.approx(value, abs=1e-6)


def test_without_an_equilibrium_there_is_no_best_response() -> None:
    model = mlodsl.compile(
        """
        level L { var x : real  minimize x^2 + a }
        level F {
          player A { var a : real in [0, 1]  maximize (a - b)^2 }
          player C { var b : real in [0, 1]  minimize (a - b)^2 }
        }"""
    )
    with pytest.raises(RuntimeError, match="no equilibrium of level `F`"):
        model.best_response({"x": 0.0})
