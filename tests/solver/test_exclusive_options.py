"""Options of which one excludes the other are refused, each pair by its reason."""

import pytest

import mlodsl
from mlodsl.strategies import Implicit

MODEL = """
level leader { var x : real = 1.0; minimize (x - y)^2 + x^2 }
level follower { var y : real; minimize (y - x)^2 }
"""


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        ("implicit(linear_solver = dense, iterations = 3)", "`dense` is none"),
        ("galet(iterations = 3, tolerance = 1e-3)", "fixed `iterations` replace"),
        ("value_function(penalty = 5, initial = 10)", "above the last one, 5"),
    ],
)
def test_options_that_exclude_each_other_are_refused(strategy: str, reason: str) -> None:
    with pytest.raises(mlodsl.ModelError, match=reason) as caught:
        mlodsl.compile(MODEL).solve(strategy=strategy)
    assert [item.code for item in caught.value.diagnostics] == ["E507"]


def test_a_penalty_below_the_default_start_of_its_growth_needs_no_other() -> None:
    result = mlodsl.compile(MODEL).solve(strategy="value_function(penalty = 5)")
    assert result.to_dict()["strategy"]["options"]["penalty"] == 5


def test_fixed_iterations_are_of_conjugate_gradients_also_under_auto() -> None:
    plans = [
        Implicit(linear_solver, iterations=2).elimination_plans((2, 3))
        for linear_solver in ("auto", "cg")
    ]
    assert plans[0] == plans[1]
