"""Smooth, strongly convex two-level problems of a few variables, and their answers by SciPy.

What SciPy minimises is the reduced problem, the lower one solved for each x by its own trust
region; of the package only the objectives themselves are used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
import scipy.optimize

import mlodsl

QUADRATIC = """
param H : real[3, 3]
param C : real[3, 2]
param c : real[3]
param target : real[2]
param upper = 1.0
param lower = 1.0
level top {
  var x : real[2]
  minimize upper * (sumsq(x - target) / 2 + sumsq(y) / 2 + 0.3 * x[0] * y[1])
}
level bottom {
  var y : real[3]
  minimize lower * (dot(y, H @ y) / 2 - dot(y, C @ x + c))
}
"""
SOFTPLUS = """
level top {
  var x : real[2]
  minimize sumsq(x - 1) + dot([1, 2], y) + 0.5 * y[0]^2
}
level bottom {
  var y : real[2]
  minimize softplus(y[0] - y[1]) + (y[0] - x[0])^2 + 2 * (y[1] - x[0] * x[1])^2
}
"""
QUARTIC = """
level top { var x : real[2] minimize sumsq(x - [2, -1]) + 0.2 * sumsq(y) + x[0] * y[1] / 2 }
level bottom {
  var y : real[2]
  minimize sum((y - x)^4) / 4 + sumsq(y) / 2 - x[0] * x[1] * y[0] / 4
}
"""
EXPONENTIAL = """
level top { var x : real minimize (x - 1)^2 / 2 + exp(0.5 * y[0]) + y[1]^2 }
level bottom {
  var y : real[2]
  minimize exp(y[0] + y[1] - x) + sumsq(y - [x, 0.5]) / 2
}
"""
LOGISTIC = """
param X : real[20, 2]
param s : real[20]
param X2 : real[20, 2]
param s2 : real[20]
level top { var x : real minimize mean(softplus(-s2 * (X2 @ w))) + 0.01 * x^2 }
level bottom { var w : real[2] minimize mean(softplus(-s * (X @ w))) + exp(x) * sumsq(w) / 2 }
"""


@dataclass(frozen=True)
class Case:
    """A model's text and its params."""

    text: str
    params: dict[str, Any] = field(default_factory=dict)

    def compile(self) -> mlodsl.Model:
        return mlodsl.compile(self.text, params=self.params)


def quadratic(
    condition: float,
    unit: float = 1.0,
    upper: float = 1.0,
    lower: float = 1.0,
    seed: int | None = None,
) -> Case:
    """Curvatures from 1 to `condition` in a random basis; variables of size `unit`."""
    generator = np.random.default_rng(int(condition) if seed is None else seed)
    basis, _ = np.linalg.qr(generator.standard_normal((3, 3)))
    hessian = (basis * np.geomspace(1, condition, 3)) @ basis.T
    # So that the answers are of the size of x, whatever the condition.
    coupling = hessian @ generator.standard_normal((3, 2)) / 2
    shift = hessian @ generator.standard_normal(3)
    target = np.array([1.0, -2.0])
    return Case(
        QUADRATIC,
        {
            "H": hessian,
            "C": coupling,
            "c": unit * shift,
            "target": unit * target,
            "upper": upper,
            "lower": lower,
        },
    )


def logistic() -> Case:
    generator = np.random.default_rng(3)
    rows = generator.standard_normal((40, 2))
    labels = np.sign(rows @ [1.0, -2.0] + generator.standard_normal(40))
    return Case(LOGISTIC, {"X": rows[:20], "s": labels[:20], "X2": rows[20:], "s2": labels[20:]})


CASES: dict[str, Callable[[], Case]] = {
    "round": lambda: quadratic(2),
    "condition 100": lambda: quadratic(100),
    "condition 1000": lambda: quadratic(1000),
    "upper in small units": lambda: quadratic(10, upper=1e3),
    "upper in large units": lambda: quadratic(10, upper=1e-3),
    "lower in small units": lambda: quadratic(10, lower=1e3),
    "lower in large units": lambda: quadratic(10, lower=1e-3),
    "large variables": lambda: quadratic(10, unit=1e3),
    "small variables": lambda: quadratic(10, unit=1e-3),
    "softplus": lambda: Case(SOFTPLUS),
    "quartic": lambda: Case(QUARTIC),
    "exponential": lambda: Case(EXPONENTIAL),
    "logistic": logistic,
}


@functools.cache
def scipy_answer(name: str) -> np.ndarray:
    """The minimiser of the reduced problem."""
    with jax.enable_x64(True):
        problem = CASES[name]().compile().problem
        size, below = problem.sizes
        upper, lower = (
            jax.jit(lambda x, y, level=level: problem.objective(level, (x, y))) for level in (0, 1)
        )
        slopes = jax.jit(jax.grad(upper, (0, 1)))
        lower_slope, lower_hessian = jax.jit(jax.grad(lower, 1)), jax.jit(jax.hessian(lower, 1))
        cross = jax.jit(jax.jacfwd(jax.grad(lower, 1), 0))

        def answer(x: np.ndarray) -> np.ndarray:
            y = np.zeros(below)
            for _ in range(100):
                found = scipy.optimize.minimize(
                    lambda y: float(lower(x, y)),
                    y,
                    jac=lambda y: np.asarray(lower_slope(x, y)),
                    hess=lambda y: np.asarray(lower_hessian(x, y)),
                    method="trust-exact",
                    options={"gtol": 1e-14, "maxiter": 50},
                )
                step = np.linalg.solve(lower_hessian(x, found.x), lower_slope(x, found.x))
                y = found.x - step
                if np.linalg.norm(step) <= 1e-12 * (1 + np.linalg.norm(y)):
                    break
            return y

        def gradient(x: np.ndarray) -> np.ndarray:
            y = answer(x)
            direct, through = map(np.asarray, slopes(x, y))
            response = -np.linalg.solve(lower_hessian(x, y), cross(x, y))
            return direct + response.T @ through

        start = np.zeros(size)
        found = scipy.optimize.root(gradient, start, tol=1e-13)
        x = found.x
        # A minimum, not merely stationary.
        curvature = np.stack(
            [(gradient(x + 1e-5 * a) - gradient(x - 1e-5 * a)) / 2e-5 for a in np.eye(size)]
        )
        assert np.linalg.eigvalsh((curvature + curvature.T) / 2)[0] > 0
        distance = np.linalg.solve(curvature, gradient(x))
        assert np.linalg.norm(distance) <= 1e-7 * (1e-3 + np.linalg.norm(x))
        return x
