"""Strategies with their default options, from a model's text to its answer.

The penalty methods don't claim to be exact: what they promise is a distance from the answer,
whatever the certificate says of their gradient.
"""

import functools

import numpy as np
import pytest

import mlodsl
from mlodsl.solver import solve

from .default_problems import CASES, QUADRATIC, SOFTPLUS, quadratic, scipy_answer

STRATEGIES = ["itd", "fd", "f2ba", "prox_f2ba", "galet", "hoag", "value_function"]
EXACT = {"fd", "galet", "hoag"}
QUICK = {("galet", "round"), ("value_function", "round")}


@functools.cache
def solved(name: str, case: str) -> mlodsl.Result:
    return CASES[case]().compile().solve(strategy=name, timeout=240)


def pairs(quick: set[tuple[str, str]]) -> list:
    return [
        pytest.param(name, case, marks=[] if (name, case) in quick else [pytest.mark.slow])
        for name in STRATEGIES
        for case in CASES
    ]


def distance(result: mlodsl.Result, case: str) -> float:
    """Of x from SciPy's answer, relative to its length."""
    true = scipy_answer(case)
    found = np.atleast_1d(np.asarray(result["x"]))
    return float(np.linalg.norm(found - true) / np.linalg.norm(true))


@pytest.mark.parametrize(("name", "case"), pairs(QUICK))
def test_with_default_options_it_ends_within_a_thousandth_of_the_answer(
    name: str, case: str
) -> None:
    result = solved(name, case)
    assert distance(result, case) <= 1e-3, result.message
    assert result.status != "timeout"


@pytest.mark.parametrize(
    ("name", "case"), [pair for pair in pairs(QUICK) if pair.values[0] in EXACT]
)
def test_an_exact_strategy_is_certified(name: str, case: str) -> None:
    result = solved(name, case)
    assert result.status == "converged", result.message
    # Gradients within 1e-8 in the units written, central differences to about 1e-9 relative.
    assert distance(result, case) <= 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["f2ba", "prox_f2ba", "value_function"])
@pytest.mark.parametrize("condition", [30, 300, 1000])
def test_the_weight_that_is_chosen_keeps_clear_of_rounding(name: str, condition: int) -> None:
    """Differences of gradients divided by σ: with one too small they are of rounding alone."""
    for seed in range(10):
        case = quadratic(condition, seed=seed)
        H, C, c, target = (case.params[key] for key in ("H", "C", "c", "target"))
        # y = J x + s; then F is the quadratic ½ xᵀ M x - r·x.
        J, s = np.linalg.solve(H, C), np.linalg.solve(H, c)
        product = np.outer([1.0, 0.0], J[1])
        M = np.eye(2) + J.T @ J + 0.3 * (product + product.T)
        if np.linalg.eigvalsh(M)[0] < 0.05:
            continue
        exact = np.linalg.solve(M, target - J.T @ s - 0.3 * np.array([s[1], 0]))
        found = case.compile().solve(strategy=name)["x"]
        assert np.linalg.norm(found - exact) <= 1e-3 * np.linalg.norm(exact)


def test_a_run_that_is_cut_off_returns_no_point_of_a_weaker_penalty() -> None:
    """Values rise with the penalty: the lowest one is that of the worst point."""
    case = "upper in small units"
    result = CASES[case]().compile().solve(strategy="value_function", max_steps=9)
    assert distance(result, case) <= 1e-3


def trace_of(name: str, text: str, params: dict) -> list[tuple]:
    model = mlodsl.compile(text, params=params)
    found = solve(model.problem, model._settings({"strategy": name, "seed": 7}))
    return [
        (step.step, step.value, step.residual, step.evaluations, step.products)
        for step in found.trace
    ]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "value_function" else [pytest.mark.slow])
        for name in STRATEGIES
    ],
)
def test_two_runs_with_one_seed_give_the_same_trace_to_the_last_digit(name: str) -> None:
    model = (QUADRATIC, quadratic(2).params) if name == "value_function" else (SOFTPLUS, {})
    first = trace_of(name, *model)
    assert len(first) > 1
    assert trace_of(name, *model) == first
