"""Models that have no good answer are never called solved, and the message says why."""

import functools
import re

import numpy as np
import pytest

import mlodsl
from mlodsl.solver import solve

from .traps import GENERALS, SCALAR, SOLVABLE, TRAPS, UNBOUNDED


@functools.cache
def caught(name: str) -> mlodsl.Result:
    trap = TRAPS[name]
    return mlodsl.compile(trap.text, params=trap.params).solve()


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_never_converges(name: str) -> None:
    assert caught(name).status in ("stalled", "diverged", "max_steps")


@pytest.mark.parametrize("name", TRAPS)
def test_a_traps_certificate_claims_nothing(name: str) -> None:
    assert caught(name).certificate["claim"] is None


@pytest.mark.parametrize("name", TRAPS)
def test_the_message_names_the_level_at_fault(name: str) -> None:
    named = re.findall(r"level `(\w+)`", caught(name).message)
    assert named[0] == TRAPS[name].level


@pytest.mark.parametrize("name", TRAPS)
def test_the_message_says_what_is_wrong(name: str) -> None:
    assert re.search(TRAPS[name].says, caught(name).message), caught(name).message


@pytest.mark.parametrize("name", UNBOUNDED)
def test_a_runaway_level_is_diverged(name: str) -> None:
    assert caught(name).status == "diverged"


@pytest.mark.parametrize("name", TRAPS)
def test_a_traps_result_holds_every_variable(name: str) -> None:
    result = caught(name)
    declared = {"x", "y", "z"} if TRAPS[name].text == GENERALS else {"x", "y"}
    assert set(result.to_dict()["variables"]) == declared


@pytest.mark.parametrize("name", SOLVABLE)
def test_a_model_next_to_a_trap_converges_to_its_answer(name: str) -> None:
    text, params, answer = SOLVABLE[name]
    result = mlodsl.compile(text, params=params).solve()
    assert result.status == "converged", result.message
    for variable, value in answer.items():
        np.testing.assert_allclose(result[variable], value, atol=1e-6)


def test_the_top_level_leaves_a_maximum_that_it_starts_at() -> None:
    text, params, _ = SOLVABLE["top maximum between two minima"]
    x = float(mlodsl.compile(text, params=params).solve()["x"])
    assert abs(x) == pytest.approx(1 / np.sqrt(2), abs=1e-7)


# The bottom level has an answer near the start and none further on (its quartic falls).
HALF_UNBOUNDED = {"slope_by_x": -1.91, "quartic": -0.64, "square_": 1.1, "top_goal": 0.6}


def test_a_step_to_where_a_lower_level_fails_is_shortened() -> None:
    """And not tried again and again until no turn is left."""
    model = mlodsl.compile(SCALAR, params={**HALF_UNBOUNDED, "y0": -0.2})
    found = solve(model.problem, model.settings)
    assert found.evaluations["top"] < 200
    assert found.status != "max_steps"


def test_a_lower_level_is_told_of_a_start_outside_of_its_functions_domain() -> None:
    model = mlodsl.compile(
        "level a { var x : real  minimize (x - 1)^2 + y }"
        "level b { var y : real = -1  minimize x * y - log(y) + y }"
    )
    assert re.search("level `b`.*not a finite number at y = -1.*start", model.solve().message)


def test_a_wrong_derivative_is_found_by_finite_differences() -> None:
    """A Python function whose derivative rule is off by a tenth, as a user's own may be."""
    import jax

    @jax.custom_jvp
    def square(t: jax.Array) -> jax.Array:
        return t**2

    square.defjvp(lambda primals, tangents: (primals[0] ** 2, 2.2 * primals[0] * tangents[0]))
    model = mlodsl.compile(
        "level a { var x : real = 3  minimize f(x - 1) + (x + y)^2 }"
        "level b { var y : real  minimize (y - x)^2 }",
        functions={"f": square},
    )
    result = model.solve()
    assert result.status == "stalled"
    assert "disagrees with finite differences" in result.message


def test_traps_share_compiled_code() -> None:
    """Guards these tests' speed: another trap of the same text compiles nothing."""
    mlodsl.compile(SCALAR, params=TRAPS["slope"].params).solve()
    other = mlodsl.compile(SCALAR, params=TRAPS["maximum"].params).solve()
    assert other.to_dict()["seconds"]["compile"] < 0.5
