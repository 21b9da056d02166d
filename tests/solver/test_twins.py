"""Answers that are as good as the certified one, but along which the leader may fall."""

import pytest

import mlodsl

FALLS = """
level a { var x : real = 1  minimize (x - y)^2 + (y + 1)^2 }
level b { var y : real = 1  minimize (y^2 - 1)^2 }
"""
# y = 1 and y = -1 are worth the same to the leader whatever he does.
IS_EQUAL = """
level a { var x : real = 3  minimize (x - 1)^2 + y^2 }
level b { var y : real = 1  minimize (y^2 - 1)^2 }
"""
# Right of 0 the follower leaves the twin, and left of it the leader doesn't want to go.
LEAVES = """
level a { var x : real = 0.5  minimize x^2 + (1 - y)*x/2 }
level b { var y : real = 1  minimize (y^2 - 1)^2 + {pull}*x*y }
"""


def test_a_twin_along_which_the_leader_falls_is_told() -> None:
    result = mlodsl.compile(FALLS).solve()
    assert result.status == "stalled"
    assert "`b` has another best response, y = -1" in result.message


def test_twins_that_are_always_worth_the_same_do_no_harm() -> None:
    result = mlodsl.compile(IS_EQUAL).solve()
    assert result.status == "converged"
    assert abs(float(result["x"]) - 1) < 1e-8


@pytest.mark.parametrize(("pull", "status"), [(-0.01, "stalled"), (0.01, "stalled")])
def test_a_twin_counts_only_where_its_level_still_likes_it(pull: float, status: str) -> None:
    """With -x y / 100 the left well is better left of 0, where the leader falls along it; with
    the other sign the run from the right stands in the wrong well anyway."""
    result = mlodsl.compile(LEAVES.replace("{pull}", str(pull))).solve()
    assert result.status == status
