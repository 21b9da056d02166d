"""What can't be solved, isn't built yet, or has several answers."""

import numpy as np
import pytest

import mlodsl

# The feasible set of the leader is two separate intervals: x + y = 8 and 4 x + y = 8 (from the
# README of BilevelJuMP); 92/15 is its best point, 8 only a local one.
INTERVALS = """
level leader { var y : real in [0, 8]  minimize 3*x + y  subject to x <= 5 }
level follower {
  var x : real
  minimize -x
  subject to x + y <= 8, 4*x + y >= 8, 2*x + y <= 13, 2*x - 7*y <= 0
}
"""
PAIR = """
level leader {{ var x : real = 0.5  minimize x^2 + y^2  subject to {leader} }}
level follower {{ var y : real  minimize (y - x)^2  subject to {follower} }}
"""


def test_of_two_separate_intervals_the_better_one_is_found() -> None:
    result = mlodsl.compile(INTERVALS).solve(starts=16)
    np.testing.assert_allclose(result.objectives["leader"], 92 / 15, rtol=1e-9)
    np.testing.assert_allclose([result["x"], result["y"]], [28 / 15, 8 / 15], rtol=1e-8)
    assert result.certificate["claim"] != "global"


def test_all_local_answers_are_listed_best_first() -> None:
    found = mlodsl.compile(INTERVALS).solve(starts=16).to_dict()["local_solutions"]
    values = [one["objective"] for one in found]
    assert values == sorted(values)
    assert any(abs(value - 8) < 1e-6 for value in values)


@pytest.mark.parametrize(
    ("leader", "follower", "named"),
    [
        ("cap : x >= 2, x <= 1", "y >= 0", "`leader`"),
        ("x >= 0", "y >= 1, floor_ : y <= 0", "`follower`"),
    ],
)
def test_constraints_that_contradict_each_other_are_infeasible(
    leader: str, follower: str, named: str
) -> None:
    result = mlodsl.compile(PAIR.format(leader=leader, follower=follower)).solve()
    assert result.status == "infeasible"
    assert named in result.message and "violates" in result.message
    assert result.certificate["claim"] is None
    assert np.isfinite(np.asarray(result["x"])).all()


@pytest.mark.slow
def test_a_leader_that_no_answer_of_the_follower_suits_is_infeasible() -> None:
    """The follower answers y = x; the leader wants both apart."""
    result = mlodsl.compile(PAIR.format(leader="y >= x + 1", follower="y <= 10")).solve()
    assert result.status == "infeasible"
    assert "answers best" in result.message


def test_an_unbounded_leader_is_told() -> None:
    text = "level a { var x : real  minimize -x  subject to x >= 1 }"
    result = mlodsl.compile(text).solve()
    assert result.status == "diverged"
    assert "unbounded" in result.message


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"strategy": "implicit"}, "E507"),
        ({"strategy": "value_function(penalty = 100)"}, "E507"),
        ({"precision": "float32"}, "E507"),
        ({"level": {"leader": {"steps": 3}}}, "E507"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict, code: str) -> None:
    model = mlodsl.compile(INTERVALS)
    with pytest.raises(mlodsl.ModelError) as caught:
        model.solve(**options)
    assert [item.code for item in caught.value.diagnostics] == [code]


def test_value_functions_lead_to_the_same_answer() -> None:
    result = mlodsl.compile(INTERVALS).solve(strategy="value_function", starts=16)
    assert result.status == "converged"
    np.testing.assert_allclose(result.objectives["leader"], 92 / 15, rtol=1e-9)


def test_kkt_is_refused_where_there_are_no_constraints() -> None:
    text = "level a { var x : real minimize x^2 + y } level b { var y : real minimize (y - x)^2 }"
    with pytest.raises(mlodsl.ModelError, match="for models with constraints"):
        mlodsl.compile(text).solve(strategy="kkt")


NO_ANSWER = """
level a {{ var x : real in [0, 1]  minimize x^2 + y }}
level b {{ var y : real in [0, 1]  minimize {middle} }}
level c {{ var z : real  minimize (z - y)^2  subject to low : z >= {low}, high : z <= {high} }}
"""


def test_a_level_without_any_answer_is_named_with_its_constraint() -> None:
    text = NO_ANSWER.format(middle="(y - x)^2 + z", low=3, high=2)
    result = mlodsl.compile(text).solve()
    assert result.status == "infeasible"
    assert "`low` of level `c`" in result.message or "`high` of level `c`" in result.message


def test_an_unbounded_lower_level_is_named() -> None:
    result = mlodsl.compile(
        """
        level a { var x : real in [0, 1]  minimize x^2 + y }
        level b { var y : real  minimize -y  subject to y >= x }
        """
    ).solve()
    assert result.status == "diverged"
    assert "level `b` is unbounded below where level `a` chooses x = " in result.message


def test_a_leader_that_is_unbounded_beyond_a_flat_stretch_is_told() -> None:
    """-x + y is 0 for 0 ≤ x ≤ 1 and falls from there on."""
    result = mlodsl.compile(
        """
        level a { var x : real  minimize -x + y  subject to x >= 0 }
        level b { var y : real in [0, 1]  minimize (y - x)^2 }
        """
    ).solve()
    assert result.status == "diverged"


def test_a_seed_gives_the_same_answer_twice() -> None:
    first, second = (mlodsl.compile(INTERVALS).solve(seed=3) for _ in range(2))
    assert first.to_dict()["variables"] == second.to_dict()["variables"]
    assert first.to_dict()["local_solutions"] == second.to_dict()["local_solutions"]


def test_a_time_limit_stops_the_search() -> None:
    result = mlodsl.compile(INTERVALS).solve(timeout=1e-9)
    assert result.status == "timeout"
    assert result.steps == 1


def test_a_limit_of_steps_is_one_of_starts() -> None:
    result = mlodsl.compile(INTERVALS).solve(max_steps=2)
    assert (result.status, result.steps) == ("max_steps", 2)
