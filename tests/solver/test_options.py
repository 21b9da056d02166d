"""How to solve: one two-level model under many options, against SciPy's answer."""

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import mlodsl
from mlodsl.solver import Watch, solve

MODEL = """
level top {
  var x : real[2] = [0.5, 0.2]
  minimize sumsq(x - 1) + dot([1, 2], y) + 0.5 * y[0]^2
}
level bottom {
  var y : real[2]
  minimize softplus(y[0] - y[1]) + (y[0] - x[0])^2 + 2 * (y[1] - x[0] * x[1])^2
}
"""
EXACT: dict[str, dict[str, Any]] = {
    "auto": {},
    "cg": {"strategy": "implicit(linear_solver = cg)"},
    "top by newton": {"level": {"top": {"optimizer": "newton"}}},
    "top by sgd": {"level": {"top": {"optimizer": "sgd(0.1)"}}},
    "bottom by lbfgs": {"level": {"bottom": {"optimizer": "lbfgs"}}},
    "bottom by sgd": {"level": {"bottom": {"optimizer": "sgd(0.2)"}}},
    "bottom by adam": {"level": {"bottom": {"optimizer": "adam(0.1)"}}},
}
INEXACT: dict[str, dict[str, Any]] = {
    "three steps of sgd": {"level": {"bottom": {"optimizer": "sgd(0.2)", "steps": 3}}},
    "thirty steps of adam": {"level": {"bottom": {"optimizer": "adam(0.1)", "steps": 30}}},
    "a loose tolerance": {"level": {"bottom": {"optimizer": "sgd(0.2)", "tolerance": 1e-3}}},
}


@functools.cache
def solved(name: str) -> mlodsl.Result:
    return mlodsl.compile(MODEL).solve(**{**EXACT, **INEXACT}[name])


def answer_to(x: np.ndarray) -> np.ndarray:
    """The bottom level's best response: the zero of its gradient, written out."""

    def gradient(y: np.ndarray) -> np.ndarray:
        slope = 1 / (1 + np.exp(y[1] - y[0]))
        return np.array([slope + 2 * (y[0] - x[0]), -slope + 4 * (y[1] - x[0] * x[1])])

    found = scipy.optimize.root(gradient, x, tol=1e-14)
    assert np.linalg.norm(gradient(found.x)) < 1e-13
    return found.x


def value_of(x: np.ndarray) -> float:
    y = answer_to(x)
    return float(np.sum((x - 1) ** 2) + y[0] + 2 * y[1] + y[0] ** 2 / 2)


@functools.cache
def scipy_answer() -> np.ndarray:
    """Good to about 1e-7: a value that is right to 1e-15, whose root is that."""
    found = scipy.optimize.minimize(
        value_of,
        np.array([-0.5, 1.5]),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 2000},
    )
    return found.x


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_way_converges(name: str) -> None:
    assert solved(name).status == "converged", solved(name).message


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_way_finds_scipys_answer(name: str) -> None:
    x = scipy_answer()
    np.testing.assert_allclose(solved(name)["x"], x, atol=1e-6)
    np.testing.assert_allclose(solved(name)["y"], answer_to(x), atol=1e-6)


@pytest.mark.parametrize("name", INEXACT)
def test_an_inexact_lower_level_is_not_called_solved(name: str) -> None:
    assert solved(name).status == "stalled"
    assert "off their best response" in solved(name).message


@pytest.mark.parametrize("name", INEXACT)
def test_the_certificate_of_an_inexact_way_measures_the_distance(name: str) -> None:
    """The returned lower variables against SciPy's best response to the returned x."""
    result = solved(name)
    best = answer_to(np.asarray(result["x"]))
    distance = np.linalg.norm(np.asarray(result["y"]) - best) / (1 + np.linalg.norm(best))
    assert result.certificate["response_error"] == pytest.approx(distance, rel=1e-6)


def test_a_lower_levels_tolerance_bounds_its_error() -> None:
    result = solved("a loose tolerance")
    y = answer_to(np.asarray(result["x"]))
    # The gradient is within 1e-3 and the smallest curvature is 2.
    assert 1e-8 < np.linalg.norm(np.asarray(result["y"]) - y) <= 1e-3 / 2


def test_the_tolerance_stops_early() -> None:
    result = mlodsl.compile(MODEL).solve(tolerance=1e-2)
    assert result.status == "converged"
    assert 1e-8 < result.certificate["hypergradient_norm"] <= 1e-2
    assert result.steps < solved("auto").steps


def test_at_the_limit_of_steps_the_run_says_so() -> None:
    result = mlodsl.compile(MODEL).solve(max_steps=2)
    assert (result.status, result.steps) == ("max_steps", 2)
    assert result.message.startswith("stopped after 2 steps")


def test_at_the_limit_of_time_the_best_point_is_returned() -> None:
    result = mlodsl.compile(MODEL).solve(timeout=1e-9)
    assert result.status == "timeout"
    # At least the start is evaluated, with its best response.
    np.testing.assert_allclose(result["y"], answer_to(np.array([0.5, 0.2])), atol=1e-8)


def test_a_diverging_optimiser_returns_the_best_point_it_passed() -> None:
    model = mlodsl.compile(MODEL)
    values: list[float] = []
    settings = model._settings({"max_steps": 5, "level": {"top": {"optimizer": "sgd(2.0)"}}})
    found = solve(model.problem, settings, Watch(on_step=lambda step: values.append(step.value)))
    assert values[-1] > min(values)
    assert found.objectives["top"] == pytest.approx(min(values), rel=1e-9)


def test_the_top_level_takes_the_steps_that_its_options_name() -> None:
    """Against a loop by hand on SciPy's responses: x ← x - 0.1 · 0.9^t · dF/dx."""
    options = {"top": {"optimizer": "sgd(0.1, schedule = exponential(0.9))", "steps": 4}}
    result = mlodsl.compile(MODEL).solve(level=options)
    x = np.array([0.5, 0.2])
    for count in range(4):
        differences = [
            (value_of(x + 1e-5 * axis) - value_of(x - 1e-5 * axis)) / 2e-5 for axis in np.eye(2)
        ]
        x = x - 0.1 * 0.9**count * np.array(differences)
    assert result.steps == 4
    # Central differences: 1e-10 times third derivatives, and rounding of 1e-15 / 1e-5.
    np.testing.assert_allclose(result["x"], x, atol=1e-8)


def test_in_single_precision_the_answer_is_good_to_its_tolerance() -> None:
    result = mlodsl.compile(MODEL).solve(precision="float32")
    assert result.status == "converged", result.message
    # A gradient within 1e-4, a smallest curvature of about 1.
    np.testing.assert_allclose(result["x"], scipy_answer(), atol=3e-4)


def test_in_single_precision_the_variables_are_single() -> None:
    assert mlodsl.compile(MODEL).solve(precision="float32")["x"].dtype == jnp.float32


def test_values_in_a_trace_fall_under_a_line_search() -> None:
    model = mlodsl.compile(MODEL)
    found = solve(model.problem, model.settings)
    values = [step.value for step in found.trace]
    assert values == sorted(values, reverse=True)


def test_a_trace_counts_steps_from_the_start() -> None:
    model = mlodsl.compile(MODEL)
    found = solve(model.problem, model.settings)
    assert [step.step for step in found.trace] == list(range(found.steps + 1))


def test_phases_are_told_in_order() -> None:
    phases: list[str] = []
    model = mlodsl.compile(MODEL)
    solve(model.problem, model.settings, Watch(on_phase=phases.append))
    assert phases == ["compile", "solve", "certificate"]


def test_a_second_attempt_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlodsl.solver.several.reconsider", lambda found: found.chosen)
    phases: list[str] = []
    model = mlodsl.compile(MODEL)
    solve(model.problem, model.settings, Watch(on_phase=phases.append))
    once = ["compile", "solve", "certificate"]
    assert phases == [*once, "again", *once]
