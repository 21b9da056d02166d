"""Lower levels re-solved from other starts: what isn't a best response is found out."""

import pytest

import mlodsl


def solve(follower: str) -> mlodsl.Result:
    return mlodsl.compile(f"level a {{ var x : real minimize (x - 1)^2 + y^2 }} {follower}").solve()


@pytest.mark.parametrize("objective", ["y^3 - y", "(y - x)^2 - y^4 / 1000"])
def test_a_local_minimum_of_a_level_without_bound_is_not_certified(objective: str) -> None:
    result = solve(f"level b {{ var y : real minimize {objective} }}")
    assert result.status == "diverged"
    assert "level `b` is unbounded below: from another start" in result.message


def test_a_level_in_a_worse_well_is_not_certified() -> None:
    result = solve("level b { var y : real = 3.2 minimize (y - x)^2 / 50 - cos(2 * y) }")
    assert result.status == "stalled"
    assert "level `b` is at a local minimum that isn't its best response" in result.message


def test_the_levels_below_stay_on_their_response_while_one_above_is_tried_elsewhere() -> None:
    # z has two wells; in its worse one, near 1, y's objective would be lower.
    result = solve(
        "level b { var y : real minimize (y - x)^2 - z }"
        "level c { var z : real = -1 minimize (z^2 - 1)^2 + 0.3 * z }"
    )
    assert result.status == "converged"


def test_a_level_is_solved_from_far_out_on_an_exponential() -> None:
    # Each Newton step there goes down by 1.
    result = mlodsl.compile(
        "level a { var x : real = 3 minimize (x - 1)^2 + y }"
        "level b { var y : real = 250 minimize exp(y) - (x + 5) * y }"
    ).solve()
    assert result.status == "converged"


@pytest.mark.parametrize(("start", "status"), [(1, "stalled"), (-1, "converged")])
def test_of_two_best_responses_only_the_one_that_the_leader_likes_is_certified(
    start: int, status: str
) -> None:
    result = mlodsl.compile(
        "level a { var x : real minimize x^2 + y }"
        f"level b {{ var y : real = {start} minimize y^4 - y^2 }}"
    ).solve()
    assert result.status == status
    assert ("another best response" in result.message) == (status == "stalled")
