"""`starts`: several starting points, the best certified answer, and what is told of the others."""

import functools
import re
from itertools import pairwise
from typing import Any

import jax
import numpy as np
import pytest

import mlodsl
from mlodsl.solver import Step, Watch, solve
from mlodsl.solver.starts import starting_points

# The follower answers y = x. Wells of (x² - 4)² / 8 + x: the roots of x³ - 4x + 2 other than the
# hill between them; the start leads to the right one, which is worse.
WELLS = """
level leader {{ var x : real{domain} = 2  {sense} {sign}((x^2 - 4)^2 / 8 + y + (y - x)^2) }}
level follower {{ var y : real  minimize (y - x)^2 }}
"""
ROOTS = np.sort(np.roots([1, 0, -4, 2]).real)
FREE = WELLS.format(domain="", sense="minimize", sign="")
BOXED = WELLS.format(domain=" in [-4, 3]", sense="minimize", sign="")
MAXIMISED = WELLS.format(domain="", sense="maximize", sign="-")


def depth(x: float) -> float:
    return float((x**2 - 4) ** 2 / 8 + x)


@functools.cache
def solved(text: str, starts: int | str, seed: int = 0, number: int = 0) -> mlodsl.Result:
    """`number` tells runs of the same seed apart."""
    return mlodsl.compile(text).solve(starts=starts, seed=seed)


def found(result: mlodsl.Result) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = result.to_dict()["local_solutions"]
    return answers


# ---------------------------------------------------------------- the best one


def test_one_start_finds_the_nearer_well() -> None:
    assert float(solved(FREE, 1)["x"]) == pytest.approx(ROOTS[2], abs=1e-7)


@pytest.mark.parametrize("text", [FREE, BOXED, MAXIMISED], ids=["free", "boxed", "maximised"])
def test_several_starts_find_the_deeper_well(text: str) -> None:
    result = solved(text, 6)
    assert result.status == "converged", result.message
    assert float(result["x"]) == pytest.approx(ROOTS[0], abs=1e-7)


@pytest.mark.parametrize("text", [FREE, BOXED, MAXIMISED], ids=["free", "boxed", "maximised"])
def test_both_wells_are_told_best_first(text: str) -> None:
    answers = found(solved(text, 6))
    sign = -1 if text == MAXIMISED else 1
    assert [one["variables"]["x"] for one in answers] == pytest.approx(ROOTS[[0, 2]], abs=1e-7)
    expected = [sign * depth(root) for root in ROOTS[[0, 2]]]
    assert [one["objective"] for one in answers] == pytest.approx(expected, abs=1e-10)


def test_the_message_says_how_many_starts_led_where() -> None:
    message = solved(FREE, 6).message
    assert "6 of 6 starts converged, to 2 local answers, of which this is the best" in message


def test_starts_that_lead_to_one_answer_are_told_as_one() -> None:
    result = solved("level l { var x : real[2] = 1 minimize sumsq(x - 3) + sum(x^4) }", 4)
    assert len(found(result)) == 1
    assert result.message.endswith("4 of 4 starts converged, all to this answer")


def test_a_start_that_fails_is_counted() -> None:
    # Beyond x = 2 nothing bounds it; within, x = 0 is a minimum.
    text = "level l { var x : real = 1 minimize where(x < 2, x^2, 30 - x^2) }"
    result = solved(text, 8)
    assert result.status == "converged"
    assert float(result["x"]) == pytest.approx(0, abs=1e-7)
    assert re.search(r"\d of 8 starts converged \(\d diverged\), all to this", result.message)


def test_where_no_start_converges_the_message_says_so() -> None:
    result = solved("level l { var x : real minimize x }", 3)
    assert (result.status, found(result)) == ("diverged", [])
    assert result.message.endswith("none of 3 starts converged (3 diverged)")


def test_one_start_is_as_without_the_option() -> None:
    one, auto = solved(FREE, 1), solved(FREE, "auto")
    assert (float(one["x"]), one.message, found(one)) == (float(auto["x"]), auto.message, [])


def test_a_lower_level_starts_elsewhere_too() -> None:
    # The follower's wells y = ±1 differ by 0.2 · x; from y = 1 the worse one is found.
    text = """
    level leader { var x : real in [0.5, 2] = 1  minimize (x - 1)^2 + y }
    level follower { var y : real = 1  minimize (y^2 - 1)^2 + 0.1 * x * y }
    """
    result = solved(text, 6)
    assert result.status == "converged", result.message
    assert float(result["y"]) < -0.9


def test_all_starts_obey_the_strategy() -> None:
    result = mlodsl.compile(FREE).solve(starts=4, strategy="itd")
    assert result.to_dict()["strategy"]["name"] == "itd"
    assert float(result["x"]) == pytest.approx(ROOTS[0], abs=1e-6)


# ---------------------------------------------------------------- the run


def test_the_same_seed_gives_the_same_bits() -> None:
    one, other = (found(solved(FREE, 6, seed=2, number=number)) for number in (0, 1))
    assert one == other


def test_all_starts_share_what_the_first_compiled() -> None:
    compiled: list[str] = []

    def listen(event: str, seconds: float, **_: Any) -> None:
        compiled.extend([event] * ("backend_compile" in event))

    marks: list[int] = []

    def mark(step: Step) -> None:
        marks.extend([len(compiled)] * (step.step == 0))

    model = mlodsl.compile(FREE.replace("/ 8", "/ 8.5"))
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        solve(model.problem, model._settings({"starts": 4}), Watch(on_step=mark))
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert len(marks) == 4
    assert 0 < marks[1] == len(compiled)


def test_at_the_time_limit_no_further_start_begins() -> None:
    result = mlodsl.compile(FREE).solve(starts=5, timeout=1e-9)
    assert result.status == "timeout"
    assert result.message.startswith("stopped at the time limit after 1 of 5 starts")
    # The start itself is evaluated, with its best response.
    assert float(result["y"]) == pytest.approx(2, abs=1e-9)


def test_the_limit_of_steps_is_of_each_start() -> None:
    model = mlodsl.compile(FREE)
    steps: list[Step] = []
    settings = model._settings({"starts": 3, "max_steps": 2})
    found = solve(model.problem, settings, Watch(on_step=steps.append))
    assert [(step.start, step.step) for step in steps] == [
        (start, step) for start in (1, 2, 3) for step in (0, 1, 2)
    ]
    assert found.status == "max_steps"
    assert found.message.endswith("none of 3 starts converged (3 stopped at the limit of steps)")


def test_after_an_interrupt_the_best_answer_so_far_is_returned() -> None:
    def interrupt(step: Step) -> None:
        if step.start == 3:
            raise KeyboardInterrupt

    model = mlodsl.compile(FREE)
    result = solve(model.problem, model._settings({"starts": 5}), Watch(on_step=interrupt))
    assert result.status == "interrupted"
    assert result.message.startswith("interrupted after 3 of 5 starts; 2 of 3 starts converged")
    assert result.certificate.claim == "local"


# ---------------------------------------------------------------- the points

DOMAINS = """
level top {
  var a : real[2] in [[-1, 2], [1, 7]] = [0, 3]
  var b : real in nonnegative = 1
  var c : real[3] in simplex = 1 / 3
  var d : real[2] in ball(2)
  var e : real in [-inf, 4]
  var f : real ~ normal(100, 0.1)
  var g : real = 50
  minimize sumsq(a) + b + sumsq(c) + sumsq(d) + e^2 + (f - y)^2 + g^2
}
level bottom { var y : real minimize (y - f)^2 }
"""


@functools.cache
def points(seed: int, count: int = 9) -> list[dict[str, np.ndarray]]:
    problem = mlodsl.compile(DOMAINS).problem
    with jax.enable_x64(True):
        vectors = list(starting_points(problem, seed, count))
        return [
            {name: np.asarray(value) for name, value in problem.unpack(one).items()}
            for one in vectors
        ]


def column(name: str, seed: int = 0) -> np.ndarray:
    """A variable at all points but the model's own."""
    return np.array([point[name] for point in points(seed)[1:]])


def test_the_first_point_is_the_models_own() -> None:
    assert points(0)[0]["a"].tolist() == [0, 3]
    assert points(0)[0]["g"] == 50


def test_points_keep_to_their_domains() -> None:
    assert np.all((column("a") >= [-1, 2]) & (column("a") <= [1, 7]))
    assert np.all(column("b") >= 0) and np.all(column("e") <= 4)
    np.testing.assert_allclose(np.sum(column("c"), axis=1), 1, atol=1e-12)
    assert np.all(column("c") >= 0)
    assert np.all(np.linalg.norm(column("d"), axis=1) <= 2)


def test_an_interval_has_a_point_in_each_of_as_many_parts() -> None:
    shares = (column("a") - [-1, 2]) / [2, 5]
    parts = np.sort(np.floor(8 * shares), axis=0)
    assert parts.tolist() == [[part, part] for part in range(8)]


def test_what_nothing_bounds_is_spread_around_its_start() -> None:
    away = np.abs(column("g") - 50) / 51
    assert np.count_nonzero(away <= 1.1) >= 4 and np.max(away) <= 11
    assert np.unique(column("g") > 50).size == 2
    assert np.unique(column("y")).size == 8


def test_a_start_that_is_a_draw_is_drawn_again() -> None:
    assert np.all(np.abs(column("f") - 100) < 1) and np.unique(column("f")).size == 8


def test_points_follow_from_the_seed() -> None:
    assert not np.allclose(column("g", seed=0), column("g", seed=1))


def test_points_differ_from_each_other() -> None:
    assert all(np.any(one["a"] != other["a"]) for one, other in pairwise(points(0)))
