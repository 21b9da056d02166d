"""Lower levels with many minima: the first-order methods and GALET are right, `implicit` isn't.

"On Finding Small Hyper-Gradients in Bilevel Optimization", section 5: under the
Polyak-Łojasiewicz condition the total gradient is that of min f over the lower minima.
"""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array
from scipy.optimize import minimize_scalar

import mlodsl
from mlodsl.calculus import choices
from mlodsl.strategies import (
    AbstractStrategy,
    FirstOrderBilevel,
    Galet,
    Implicit,
    ProximalFirstOrderBilevel,
    Tikhonov,
    ValueFunction,
)
from tests.games import FunctionGame
from tests.nests import evaluated, newton_nest

SIGMA = 1e-4
PENALTIES: dict[str, Callable[[float], AbstractStrategy]] = {
    "f2ba": lambda sigma: FirstOrderBilevel(jnp.asarray(sigma)),
    "f2ba extrapolated": lambda sigma: FirstOrderBilevel(jnp.asarray(sigma), "extrapolated"),
    "prox_f2ba": lambda sigma: ProximalFirstOrderBilevel(jnp.asarray(sigma), jnp.asarray(10.0)),
    "value_function": lambda sigma: ValueFunction(
        jnp.asarray(1 / sigma), jnp.asarray(10.0), jnp.asarray(10.0)
    ),
}

# ------------------------------------------------------------------ minima along a plane

A = np.array([1.0, 2.0, -0.5])
B = np.array([0.7, -1.2])
TARGET = np.array([0.5, -1.0, 2.0])


def plane_leader(x: Array, y: Array) -> Array:
    return jnp.sum((y - TARGET) ** 2) / 2 + x @ x / 2


def plane_follower(x: Array, y: Array) -> Array:
    return (A @ y - B @ x) ** 2 / 2


PLANE = FunctionGame((2, 3), (plane_leader, plane_follower))


def plane_gradient(x: np.ndarray) -> np.ndarray:
    """The nearest y to the target with A·y = B·x is (B·x - A·target) / ‖A‖ away from it."""
    return x + B * (B @ x - A @ TARGET) / (A @ A)


def gradient(game: FunctionGame, strategy: AbstractStrategy, x: np.ndarray) -> np.ndarray:
    nest = newton_nest(game, strategy, flat=True)
    return np.asarray(evaluated(nest, jnp.asarray(x)).gradient)


X = np.array([0.4, -0.9])


@pytest.mark.parametrize("name", PENALTIES)
def test_on_a_plane_of_minima_the_error_is_of_order_sigma(name: str) -> None:
    """Curvature along the plane is σ, so answers there are right to 1e-15 / σ² = 1e-7."""
    error = np.linalg.norm(gradient(PLANE, PENALTIES[name](SIGMA), X) - plane_gradient(X))
    assert error <= 10 * SIGMA


def test_on_a_plane_of_minima_halving_sigma_halves_the_error() -> None:
    large, small = (
        np.linalg.norm(gradient(PLANE, PENALTIES["f2ba"](sigma), X) - plane_gradient(X))
        for sigma in (0.02, 0.01)
    )
    assert large / small == pytest.approx(2, rel=0.05)


def test_galet_takes_the_solution_of_least_norm_on_a_plane_of_minima() -> None:
    np.testing.assert_allclose(gradient(PLANE, Galet(), X), plane_gradient(X), atol=1e-9)


def test_galets_gradient_steps_tend_to_the_solution_of_least_norm() -> None:
    """One eigenvalue that isn't zero: (1 - 1 / 1.21)^50 is below 1e-30."""
    found = gradient(PLANE, Galet(iterations=50), X)
    np.testing.assert_allclose(found, plane_gradient(X), atol=1e-9)


def test_implicit_differentiation_is_wrong_there() -> None:
    """Guards the tests above: the Hessian has no inverse, and ∇_y f isn't in its range."""
    found = gradient(PLANE, Implicit(), X)
    assert not np.linalg.norm(found - plane_gradient(X)) <= 0.1 * np.linalg.norm(plane_gradient(X))


# ------------------------------------------------------------------ minima along a curve


def curve(y: Array) -> Array:
    """Its gradient is nowhere shorter than 1, so (curve - x)² / 2 is Polyak-Łojasiewicz."""
    return y[0] + jnp.sin(y[1])


def curve_leader(x: Array, y: Array) -> Array:
    return (y[0] - 1) ** 2 / 2 + (y[1] - 0.5) ** 2 + 0.1 * x[0] ** 2 * y[0]


def curve_follower(x: Array, y: Array) -> Array:
    return (curve(y) - x[0]) ** 2 / 2


CURVE = FunctionGame((1, 2), (curve_leader, curve_follower))


def curve_value(x: float) -> float:
    """The least f on y_0 = x - sin y_1."""

    def along(s: float) -> float:
        y0 = x - np.sin(s)
        return (y0 - 1) ** 2 / 2 + (s - 0.5) ** 2 + 0.1 * x**2 * y0

    return float(minimize_scalar(along, bounds=(-2, 3), options={"xatol": 1e-12}).fun)


@pytest.mark.parametrize("name", ["f2ba", "prox_f2ba"])
def test_on_a_curve_of_minima_the_error_is_of_order_sigma(name: str) -> None:
    for x in (0.2, 1.5):
        step = 1e-4
        true = (curve_value(x + step) - curve_value(x - step)) / (2 * step)
        found = gradient(CURVE, PENALTIES[name](1e-3), np.array([x]))
        assert abs(float(found[0]) - true) <= 10 * 1e-3


# ------------------------------------------------------------------ Tikhonov


def line(x: Array, y: Array) -> Array:
    return (jnp.sum(y) - 1) ** 2 / 2


def norm(x: Array, y: Array) -> Array:
    return y @ y / 2 + jnp.sum((x - 3) ** 2)


def nearest(x: Array, y: Array) -> Array:
    return jnp.sum((y - x) ** 2) / 2


def tikhonov(leader: Callable[..., Array], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    game = FunctionGame((x.size, 3), (leader, line))
    nest = newton_nest(game, Tikhonov(jnp.asarray(1e-7), 8), flat=True)
    point = evaluated(nest, jnp.asarray(x))
    return np.asarray(point.gradient), np.asarray(choices(game.sizes, 0, point.flat)[1])


def test_tikhonov_selects_the_minimum_of_least_norm() -> None:
    _, y = tikhonov(norm, np.array([0.5]))
    # σ / (3 + σ) off.
    np.testing.assert_allclose(y, 1 / 3, atol=1e-7)


def test_tikhonov_selects_the_minimum_that_is_best_for_the_upper_level() -> None:
    """The projection of x on Σ y = 1; the gradient is x - y there (Danskin)."""
    x = np.array([0.4, -1.0, 2.0])
    found, y = tikhonov(nearest, x)
    best = x - (x.sum() - 1) / 3
    np.testing.assert_allclose(y, best, atol=1e-6)
    np.testing.assert_allclose(found, x - best, atol=1e-6)


def test_f2ba_by_name_reaches_the_favourite_tie_with_its_default_options() -> None:
    """Gradient descent would take 1 / σ steps along the valley; the level's own optimiser none."""
    model = mlodsl.compile(
        """
        level leader { var x : real = 0.0; minimize (x - 1)^2 + sum((y - [2.0, 0.0])^2) }
        level follower { var y : real[2]; minimize (sum(y) - x)^2 }
        """
    )
    result = model.solve(strategy="f2ba")
    # y = [2, 0] + (x - 2) / 2 · [1, 1], so φ = (x - 1)² + (x - 2)² / 2.
    np.testing.assert_allclose(result["x"], 4 / 3, atol=1e-3)
    np.testing.assert_allclose(result["y"], [5 / 3, -1 / 3], atol=1e-3)
    assert "flat" in result.to_dict()["strategy"]["reason"]
