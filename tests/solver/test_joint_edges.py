"""Models at the edges of the joint method: float32, other movers, small units, limits."""

import numpy as np
import pytest

import mlodsl

CHAIN = """
param u = 1
data s : real[n]
level a { var x : real = 0.5  minimize sumsq(y - 1) / 20 + 0.1 * x^2 }
level b { var y : real[%d] = 0  minimize u * (sumsq(y - x * s) + sumsq(y[1:] - y[:-1])) }
"""


def chain(size: int, **params: float) -> mlodsl.Model:
    return mlodsl.compile(CHAIN % size, params=params, data={"s": slopes(size)})


def slopes(size: int) -> np.ndarray:
    return 0.5 + 0.01 * np.arange(size)


def answer(size: int) -> float:
    """x of the quadratic game, by linear algebra."""
    steps = np.diff(np.eye(size), axis=0)
    slope = np.linalg.solve(np.eye(size) + steps.T @ steps, slopes(size))
    return float(slope.sum() / (slope @ slope + 2))


def test_it_computes_in_float32() -> None:
    result = chain(20).solve(precision="float32")
    assert result.status == "converged"
    assert float(result["x"]) == pytest.approx(answer(20), rel=1e-3)


def test_newtons_method_at_the_top_goes_with_many_variables_below() -> None:
    result = chain(150).solve(level={"a": {"optimizer": "newton"}})
    assert result.status == "converged"
    assert float(result["x"]) == pytest.approx(answer(150), rel=1e-8)


@pytest.mark.parametrize("unit", [1e-3, 1e-6])
def test_answers_by_iterations_are_exact_in_small_units_too(unit: float) -> None:
    result = chain(300, u=unit).solve()
    assert result.status == "converged"
    assert float(result["x"]) == pytest.approx(answer(300), rel=1e-6)


def test_the_best_point_is_returned_where_steps_run_out() -> None:
    text = """
    level a { var x : real[2] = [-1.2, 1]
      minimize 0.1 * ((1 - x[0])^2 + 100 * (x[1] - x[0]^2)^2) + sumsq(y - x[0]) / 1000 }
    level b { var y : real[300]  minimize sumsq(y - x[0]) + sumsq(y[1:] - y[:-1]) }
    """
    model = mlodsl.compile(text)
    few, more = (model.solve(max_steps=steps).objectives["a"] for steps in (5, 15))
    assert more < few


@pytest.mark.slow
def test_levels_held_still_among_many_unknowns_are_still_looked_at() -> None:
    """The certificate holds the levels as they are returned; c's Hessian is at least 2 I."""
    text = """
    level a { var x : real = 0.5   minimize sumsq(y - 1) / 90 + 0.1 * x^2 + sumsq(z) / 100 }
    level b { var y : real[90]     minimize sumsq(y - x) + 0.1 * sum(y * z) }
    level c { var z : real[90]     minimize sumsq(z - y) + 0.1 * sum(z^4) }
    solve {
      strategy = implicit(linear_solver = cg, iterations = 2)
      level c { optimizer = sgd(0.05)  steps = 3 }
    }
    """
    levels = mlodsl.compile(text).solve().certificate["levels"]
    assert levels["c"]["min_curvature"] >= 2
    assert levels["b"]["min_curvature"] > 1
