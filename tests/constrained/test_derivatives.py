"""Answers under constraints as functions: `best_response`, `hypergradient`, `solution`."""

import jax
import numpy as np
import pytest

import mlodsl

# y = min(max(x, 0), c).
CLIPPED = """
param c = 1.0
level leader { var x : real in [-5, 5] = 1  minimize (x - 3)^2 + y }
level follower { var y : real in [0, c]  minimize (y - x)^2 }
"""
QUADRATIC = """
data Q : real[n, n]
data B : real[n, k]
data G : real[m, n]
data C : real[m, k]
data h : real[m]
data t : real[n]
level leader { var x : real[k]  minimize sumsq(y - t) + sumsq(x)/2 + sum(sin(y)) }
level follower {
  var y : real[n]
  minimize dot(y, Q @ y)/2 + dot(y, B @ x)
  subject to G @ y <= h + C @ x
}
"""
# Three levels with bounds, active or not as x has it.
THREE = """
level a { var x : real[2] in [-2, 2]  minimize sumsq(x - 1) + y*z + sin(w) }
level b { var y : real in [-3, 3]  var w : real in [0, 1]
          minimize (y - 1 + x[0]/4)^2 + y*z + (w - x[1])^2 }
level c { var z : real in nonnegative  minimize (z - x[0] - y)^2 + z*w/3 }
"""


def test_an_answer_goes_through_transformations() -> None:
    model = mlodsl.compile(CLIPPED)

    def answer(x):
        return model.best_response({"x": x})["y"]

    places = np.array([-1.0, 0.25, 0.5, 2.0])
    slopes = [0.0, 1.0, 1.0, 0.0]
    np.testing.assert_allclose([answer(x) for x in places], [0, 0.25, 0.5, 1], atol=1e-12)
    np.testing.assert_allclose(jax.vmap(answer)(places), [0, 0.25, 0.5, 1], atol=1e-12)
    np.testing.assert_allclose(jax.jit(answer)(0.25), 0.25, atol=1e-12)
    np.testing.assert_allclose([jax.grad(answer)(x) for x in places], slopes, atol=1e-12)
    np.testing.assert_allclose(jax.vmap(jax.grad(answer))(places), slopes, atol=1e-12)


def test_a_solution_is_a_function_of_the_params() -> None:
    """The leader chooses x = 3, or 2.5 where the follower's bound lets y move with x."""
    model = mlodsl.compile(CLIPPED)

    def answer(c):
        return model.solution({"c": c})["y"]

    assert float(model.solution({"c": 2.0})["x"]) == pytest.approx(3)
    assert float(jax.grad(answer)(2.0)) == pytest.approx(1)
    assert float(jax.grad(answer)(4.0)) == pytest.approx(0, abs=1e-12)
    assert float(jax.jit(answer)(1.5)) == pytest.approx(1.5)


def _quadratic(seed: int) -> tuple[mlodsl.Model, np.ndarray]:
    draw = np.random.default_rng(seed)
    n, m, k = 50, 80, 3
    root = draw.standard_normal((n, n))
    data = {
        "Q": root @ root.T / n + np.eye(n),
        "B": draw.standard_normal((n, k)),
        "G": draw.standard_normal((m, n)),
        "C": 0.3 * draw.standard_normal((m, k)),
        "h": draw.uniform(0.1, 1, m),
        "t": draw.standard_normal(n),
    }
    return mlodsl.compile(QUADRATIC, data=data), data["t"]


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_large_quadratic_level_is_differentiated_exactly(seed: int) -> None:
    """Some thirty of eighty constraints are active, none of them about to change."""
    model, t = _quadratic(seed)
    x = np.array([0.7, -0.4, 1.1])

    def value(x: np.ndarray) -> float:
        y = np.asarray(model.best_response({"x": x})["y"])
        return float(np.sum((y - t) ** 2) + x @ x / 2 + np.sum(np.sin(y)))

    step = 1e-5
    differences = [
        (value(x + step * unit) - value(x - step * unit)) / (2 * step) for unit in np.eye(3)
    ]
    found = np.asarray(model.hypergradient({"x": x})["x"])
    np.testing.assert_allclose(found, differences, rtol=1e-7)


@pytest.mark.parametrize(
    "x",
    [
        (0.3, 0.4),
        *(pytest.param(x, marks=pytest.mark.slow) for x in [(-1.5, 0.4), (0.3, 1.7), (1.9, -1.0)]),
    ],
)
def test_three_levels_are_differentiated_through_their_active_bounds(x) -> None:
    model = mlodsl.compile(THREE)
    x = np.array(x)

    def value(x: np.ndarray) -> float:
        y, w, z = (float(model.best_response({"x": x})[name]) for name in "ywz")
        return float(np.sum((x - 1) ** 2) + y * z + np.sin(w))

    step = 1e-5
    differences = [
        (value(x + step * unit) - value(x - step * unit)) / (2 * step) for unit in np.eye(2)
    ]
    found = np.asarray(model.hypergradient({"x": x})["x"])
    np.testing.assert_allclose(found, differences, rtol=1e-6, atol=1e-8)


def test_without_an_answer_it_raises_and_says_which_level() -> None:
    model = mlodsl.compile(
        """
        level a { var x : real  minimize (x - 1)^2 + y }
        level b { var y : real  minimize y^2  subject to y >= x, y <= 1 - x }
        """
    )
    assert float(model.best_response({"x": 0.25})["y"]) == pytest.approx(0.25)
    with pytest.raises(RuntimeError, match="level `b` has no answer here"):
        model.best_response({"x": 2.0})


def test_a_strategy_that_knows_no_constraints_is_refused() -> None:
    model = mlodsl.compile(CLIPPED)
    with pytest.raises(mlodsl.ModelError, match="can't differentiate answers under constraints"):
        model.hypergradient({"x": 0.5}, strategy="f2ba")
    found = model.hypergradient({"x": 0.5}, strategy="implicit")["x"]
    assert float(found) == pytest.approx(-4)


def test_a_plain_call_keeps_the_digits_of_its_arguments() -> None:
    """Though the caller has switched 64-bit arithmetic off."""
    x = 0.1 + 1e-12
    found = np.asarray(mlodsl.compile(CLIPPED).best_response({"x": np.float64(x)})["y"])
    assert abs(float(found) - x) < 1e-15
