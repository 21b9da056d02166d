"""Newton's method in a trust region, on one level."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array
from scipy.optimize import brentq

from mlodsl.solver.movers import Place, Proposal, TrustRegionNewton
from mlodsl.solver.outcome import Outcome
from mlodsl.strategies import Implicit

from .single_level import Quadratic, Rosenbrock, Wells, bottom_point, moved

pytestmark = pytest.mark.usefixtures("float64")
NEWTON = TrustRegionNewton()
SIZE = 4


@eqx.filter_jit
def proposed(game: Quadratic, own: Array, radius: Array) -> Proposal:
    point = bottom_point(game, own, with_factor=True)
    place = Place(game, 0, (), Implicit().elimination_plans(game.sizes))
    return NEWTON.propose(place, radius, point)


def best_decrease(matrix: np.ndarray, gradient: np.ndarray, radius: float) -> float:
    """Of the model within the radius, by Moré and Sorensen's conditions on eigenvalues.

    (S + μ I) p = -g, S + μ I positive semidefinite, μ (radius - ‖p‖) = 0. For gradients in
    general position (not the hard case).
    """
    values, axes = np.linalg.eigh(matrix)
    along = axes.T @ gradient

    def step(shift: float) -> np.ndarray:
        return -along / (values + shift)

    least = max(0.0, -values[0])
    if values[0] > 0 and np.linalg.norm(step(0.0)) <= radius:
        found = step(0.0)
    else:
        highest = least + np.linalg.norm(gradient) / radius + 1
        shift = brentq(
            lambda s: np.linalg.norm(step(s)) - radius, least + 1e-12, highest, xtol=1e-14
        )
        found = step(shift)
    return float(-(along @ found + values @ found**2 / 2))


def random_model(seed: int) -> tuple[Quadratic, np.ndarray, np.ndarray]:
    """A symmetric matrix that is indefinite more often than not, and the gradient at `own`."""
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((SIZE, SIZE))
    matrix = matrix + matrix.T + generator.choice([0.0, 5.0]) * np.eye(SIZE)
    slope, own = generator.standard_normal((2, SIZE))
    return Quadratic(jnp.asarray(matrix), jnp.asarray(slope)), own, matrix @ own - slope


@pytest.mark.parametrize("radius", [1e-3, 0.5, 20.0])
def test_the_step_is_the_best_within_the_radius(radius: float) -> None:
    for seed in range(20):
        game, own, gradient = random_model(seed)
        found = proposed(game, jnp.asarray(own), jnp.asarray(radius))
        best = best_decrease(np.asarray(game.matrix), gradient, radius)
        # The bisection on μ halves its logarithm 40 times: to some 1e-6.
        assert float(found.predicted) == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("radius", [1e-3, 0.5, 20.0])
def test_the_step_stays_within_the_radius(radius: float) -> None:
    for seed in range(20):
        game, own, _ = random_model(seed)
        step = np.asarray(proposed(game, jnp.asarray(own), jnp.asarray(radius)).own) - own
        assert np.linalg.norm(step) <= radius * (1 + 1e-6)


def test_the_predicted_decrease_is_that_of_the_model() -> None:
    for seed in range(20):
        game, own, _ = random_model(seed)
        found = proposed(game, jnp.asarray(own), jnp.asarray(0.5))
        decrease = game.objective(0, (jnp.asarray(own),)) - game.objective(0, (found.own,))
        assert float(found.predicted) == pytest.approx(float(decrease), rel=1e-9)


def test_a_stationary_maximum_is_left_along_the_most_negative_curvature() -> None:
    game = Quadratic(jnp.diag(jnp.array([1.0, -1.0, -3.0, 2.0])), jnp.zeros(SIZE))
    step = proposed(game, jnp.zeros(SIZE), jnp.asarray(0.5)).own
    np.testing.assert_allclose(np.abs(step), [0, 0, 0.5, 0], atol=1e-9)


def assert_at_minimum_of_wells(own: Array) -> None:
    """Stationary, and the springs (0.05) weaker than the wells' curvature 3 v² - 1."""
    game = Wells((3,))
    gradient, hessian = (
        derivative(lambda vector: game.objective(0, (vector,)))(own)
        for derivative in (jax.grad, jax.hessian)
    )
    np.testing.assert_allclose(gradient, 0, atol=1e-9)
    assert np.linalg.eigvalsh(hessian)[0] > 0.1


@pytest.mark.parametrize("start", [(0, 0, 0), (0, 1, -1), (0, 0.9, 0)], ids=str)
def test_a_saddle_or_maximum_met_exactly_is_escaped(start: tuple[float, ...]) -> None:
    state = moved(Wells((3,)), NEWTON, jnp.array(start, float))
    assert int(state.outcome) == Outcome.SOLVED
    assert_at_minimum_of_wells(state.point.own)


@pytest.mark.parametrize("solver", ["auto", "cg"])
def test_an_indefinite_start_leads_to_a_minimum(solver: str) -> None:
    state = moved(Wells((3,)), NEWTON, jnp.array([0.1, -0.2, 0.05]), solver=solver)
    assert int(state.outcome) == Outcome.SOLVED
    assert_at_minimum_of_wells(state.point.own)


@pytest.mark.parametrize("solver", ["auto", "cg"])
def test_a_curved_valley_is_followed_to_its_end(solver: str) -> None:
    state = moved(Rosenbrock((5,)), NEWTON, jnp.array([-1.2, 1.0, -0.5, 0.8, 2.0]), solver=solver)
    # A gradient within 1e-9 and a smallest curvature of about 0.1 (Rosenbrock's at the end).
    np.testing.assert_allclose(state.point.own, 1, atol=1e-7)
    # A plain descent takes thousands.
    assert int(state.turns) < 60


def test_a_quadratic_is_solved_in_one_step_once_the_radius_allows() -> None:
    game = Quadratic(jnp.diag(jnp.array([1.0, 10.0, 100.0])), jnp.ones(3))
    state = moved(game, NEWTON, jnp.zeros(3))
    assert int(state.steps) <= 2
    np.testing.assert_allclose(state.point.own, [1, 0.1, 0.01], rtol=1e-12)


def test_an_unbounded_level_is_told_apart() -> None:
    game = Quadratic(jnp.diag(jnp.array([1.0, -1.0, 1.0])), jnp.ones(3))
    assert int(moved(game, NEWTON, jnp.zeros(3)).outcome) == Outcome.UNBOUNDED
