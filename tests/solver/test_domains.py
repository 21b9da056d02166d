"""Domains of the top level: every kind at once, under every way to move."""

import functools

import numpy as np
import pytest

import mlodsl

MODEL = """
param Q : real[9, 9]
param c : real[9]
let v = concat(b, n, s, w)
level top {
  var b : real[2] in [-0.5, 1] = 0.3
  var n : real[2] in nonnegative = 0.3
  var s : real[3] in simplex
  var w : real[2] in ball(1.5)
  minimize dot(v, Q @ v) / 2 - dot(c, v) + y
}
level bottom {
  var y : real
  minimize (y - 0.3 * sumsq(v))^2
}
"""
CURVATURE = 0.6  # what the answer y = 0.3 |v|² adds to Q
MOVERS = {"auto": {}, "lbfgs": {"optimizer": "lbfgs"}, "sgd": {"optimizer": "sgd(0.1)"}}


def project(v: np.ndarray) -> np.ndarray:
    """The nearest point of the domain, by textbook formulas."""
    b, n, s, w = np.clip(v[:2], -0.5, 1), np.maximum(v[2:4], 0), v[4:7], v[7:9]
    ordered = np.sort(s)[::-1]
    excess = (np.cumsum(ordered) - 1) / np.arange(1, 4)
    shift = excess[np.nonzero(ordered > excess)[0][-1]]
    length = np.linalg.norm(w)
    return np.concatenate([b, n, np.maximum(s - shift, 0), w * min(1, 1.5 / length)])


def case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Q with eigenvalues from 1 to about 5, and a slope that leads out of all domains."""
    generator = np.random.default_rng(seed)
    factor = generator.standard_normal((9, 9)) / 3
    return np.eye(9) + factor @ factor.T, 3 * generator.standard_normal(9)


@functools.cache
def solved(mover: str, seed: int) -> mlodsl.Result:
    Q, c = case(seed)
    model = mlodsl.compile(MODEL, params={"Q": Q, "c": c})
    return model.solve(level={"top": MOVERS[mover]} if MOVERS[mover] else None)


def point(result: mlodsl.Result) -> np.ndarray:
    return np.concatenate([result[name] for name in "bnsw"])


@pytest.mark.parametrize("mover", MOVERS)
def test_a_convex_problem_converges_within_its_domains(mover: str) -> None:
    for seed in range(3):
        result = solved(mover, seed)
        assert result.status == "converged", result.message


@pytest.mark.parametrize("mover", MOVERS)
def test_the_answer_is_the_only_minimum_within_the_domains(mover: str) -> None:
    """x = proj(x - g) holds at the minimum of a convex problem alone."""
    for seed in range(3):
        Q, c = case(seed)
        v = point(solved(mover, seed))
        gradient = Q @ v + CURVATURE * v - c
        # The error is at most (1 + L) / μ < 10 times this residual: below 1e-6.
        assert np.linalg.norm(v - project(v - gradient)) <= 1e-7


@pytest.mark.parametrize("seed", range(3))
def test_the_answer_keeps_to_the_domains_exactly(seed: int) -> None:
    v = point(solved("auto", seed))
    # Sums and lengths of up to three numbers of order 1.
    np.testing.assert_allclose(v, project(v), atol=1e-15)
    assert solved("auto", seed).certificate["constraint_violation"] <= 1e-15


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_with_round_curvature_the_answer_is_a_projection(scale: float) -> None:
    c = scale * case(7)[1]
    result = mlodsl.compile(MODEL, params={"Q": np.eye(9), "c": c}).solve()
    np.testing.assert_allclose(point(result), project(c / (1 + CURVATURE)), atol=1e-8)


def test_variables_that_are_pushed_out_of_their_domains_sit_on_the_border() -> None:
    c = np.array([50, -50, -50, -50, 50, 0, 0, 50, 0.0])
    result = mlodsl.compile(MODEL, params={"Q": np.eye(9), "c": c}).solve()
    assert result.status == "converged"
    np.testing.assert_allclose(point(result), [1, -0.5, 0, 0, 1, 0, 0, 1.5, 0], atol=1e-8)


def test_newton_is_refused_in_a_domain() -> None:
    model = mlodsl.compile(MODEL, params={"Q": np.eye(9), "c": np.ones(9)})
    with pytest.raises(mlodsl.ModelError, match=r"E504.*`top`"):
        model.solve(level={"top": {"optimizer": "newton"}})
