"""Solves with K_k: every form against the dense one, and S_k against finite differences."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import (
    EliminationForm,
    EliminationPlan,
    Factor,
    FullFactor,
    Game,
    empty_factor,
    factorize,
    flat_size,
    full_factor,
    full_matrix,
    operators,
    response_gradient,
    solve,
    split,
)
from tests.games import QuadraticGame, random_quadratic_game
from tests.smooth_games import SMOOTH_GAMES

SIZES = (2, 3, 2)
MIXED: list[tuple[EliminationForm, ...]] = [
    ("full", "full", "full"),
    ("cg", "cg", "cg"),
    ("cg", "reduced", "full"),
    ("minres", "minres", "minres"),
    ("neumann", "minres", "cg"),
]


def plans_of(forms: tuple[EliminationForm, ...]) -> tuple[EliminationPlan, ...]:
    return tuple(EliminationPlan(form, tolerance=1e-13) for form in forms)


def factor_of(
    game: Game, flat: jax.Array, plans: tuple[EliminationPlan, ...], level: int = 0
) -> Factor:
    """The factor of K_level, those of the levels below made first."""
    flats = [flat]
    above: list[jax.Array] = []
    for depth in range(len(game.sizes) - 1):
        own, below, _ = split(game.sizes, depth, flats[-1])
        above.append(own)
        flats.append(below)
    factor: Factor | None = None
    for depth in range(len(game.sizes) - 1, level - 1, -1):
        factor = factorize(game, depth, tuple(above[:depth]), flats[depth], factor, plans)
    assert factor is not None
    return factor


@eqx.filter_jit
def solved(
    game: Game, plans: tuple[EliminationPlan, ...], flat: jax.Array, right: jax.Array
) -> jax.Array:
    return solve(game, 0, (), factor_of(game, flat, plans), plans, right)[0]


@eqx.filter_jit
def dense(game: Game, flat: jax.Array) -> jax.Array:
    return full_matrix(game, 0, (), flat)[2]


def case(seed: int) -> tuple[QuadraticGame, jax.Array, jax.Array]:
    generator = np.random.default_rng(seed)
    flat, right = generator.standard_normal((2, flat_size(SIZES, 0)))
    return random_quadratic_game(SIZES, seed), jnp.asarray(flat), jnp.asarray(right)


@pytest.mark.parametrize("forms", MIXED, ids="-".join)
def test_every_form_solves_as_the_dense_matrix_does(forms: tuple[EliminationForm, ...]) -> None:
    for seed in range(3):
        game, flat, right = case(seed)
        expected = np.linalg.solve(dense(game, flat), right)
        found = solved(game, plans_of(forms), flat, right)
        # Iterations stop at a residual of 1e-13; condition numbers are below 1e3.
        assert np.linalg.norm(found - expected) <= 1e-9 * np.linalg.norm(expected)


@pytest.mark.parametrize("forms", MIXED, ids="-".join)
def test_an_empty_factor_has_the_structure_of_a_true_one(
    forms: tuple[EliminationForm, ...],
) -> None:
    """Loops carry it before the first factor is there."""
    game, flat, _ = case(0)
    plans = plans_of(forms)
    made = eqx.filter_eval_shape(factor_of, game, flat, plans)
    empty = eqx.filter_eval_shape(lambda: empty_factor(SIZES, 0, plans, flat.dtype))
    assert jax.tree.structure(made) == jax.tree.structure(empty)
    assert jax.tree.leaves(made) == jax.tree.leaves(empty)


def test_the_operators_without_matrices_are_those_of_the_dense_matrix() -> None:
    game, flat, _ = case(5)
    plans = plans_of(("cg", "reduced", "full"))
    own = SIZES[0]
    matrix = np.asarray(dense(game, flat))
    middle, coupling = matrix[own:, own:], matrix[own:, :own]

    @eqx.filter_jit
    def images(game: Game, flat: jax.Array, step: jax.Array) -> tuple[jax.Array, ...]:
        below = split(game.sizes, 0, flat)[1]
        here = (flat[:own],)
        lowest = split(game.sizes, 1, below)[1]
        factor = factorize(game, 2, (*here, below[: SIZES[1]]), lowest, None, plans)
        factor = factorize(game, 1, here, below, factor, plans)
        at = operators(game, 0, (), flat, factor, plans)
        rest = jnp.arange(1.0, flat.size - own + 1)
        return at.eliminate(rest), at.tangent(step), at.reduced(step)

    step = jnp.array([1.0, -2.0])
    eliminated, tangent, reduced = images(game, flat, step)
    rest = np.arange(1.0, flat.size - own + 1)
    response = -np.linalg.solve(middle, coupling @ step)
    np.testing.assert_allclose(eliminated, np.linalg.solve(middle, rest), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(tangent, response, atol=1e-10)
    np.testing.assert_allclose(
        reduced, matrix[:own, :own] @ step + coupling.T @ response, atol=1e-10
    )


def test_a_full_factors_tangent_is_how_the_levels_below_follow() -> None:
    game, flat, _ = case(6)
    matrix = np.asarray(dense(game, flat))
    own = SIZES[0]
    factor = full_factor(SIZES, 0, jnp.asarray(matrix))
    expected = -np.linalg.solve(matrix[own:, own:], matrix[own:, :own])
    np.testing.assert_allclose(factor.tangent, expected, atol=1e-10)


def test_a_spectrum_holds_the_reduced_hessian() -> None:
    game, flat, _ = case(7)
    matrix = np.asarray(dense(game, flat))
    own = SIZES[0]
    factor = full_factor(SIZES, 0, jnp.asarray(matrix))
    rest, coupling = matrix[own:, own:], matrix[own:, :own]
    schur = matrix[:own, :own] - coupling.T @ np.linalg.solve(rest, coupling)
    axes, curvatures = factor.reduced.axes, factor.reduced.curvatures
    np.testing.assert_allclose((axes * curvatures) @ axes.T, schur, atol=1e-10)
    assert list(curvatures) == sorted(curvatures)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_rounding_cannot_lift_a_flat_direction_above_the_spectrums_floor(scale: float) -> None:
    """A matrix of rank 1, whose other eigenvalues are zero but for rounding."""
    vector = np.random.default_rng(0).standard_normal(8)
    factor = full_factor((8,), 0, jnp.asarray(scale * np.outer(vector, vector)))
    spectrum = factor.reduced
    assert np.all(np.abs(spectrum.curvatures[:-1]) <= spectrum.floor)
    assert spectrum.curvatures[-1] > spectrum.floor


@eqx.filter_jit
def newton_step(game: Game, own: jax.Array, flat: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A step of Newton's method on ∇_{u_1} L_1 = 0, and the residual before it."""
    _, gradient, matrix = full_matrix(game, 1, (own,), flat)
    return flat - jnp.linalg.solve(matrix, gradient), jnp.linalg.norm(gradient)


def response_of(game: Game, own: jax.Array) -> jax.Array:
    """u_1 by plain Newton steps on all conditions of the lower levels at once."""
    flat = jnp.zeros(flat_size(game.sizes, 1))
    residual = np.inf
    for _ in range(50):
        flat, residual = newton_step(game, own, flat)
    assert residual < 1e-14
    return flat


@eqx.filter_jit
def top_gradient_and_factor(
    game: Game, own: jax.Array, below: jax.Array
) -> tuple[jax.Array, FullFactor]:
    """The total gradient at a response, and the factor of K_0 there."""
    _, _, lower = full_matrix(game, 1, (own,), below)
    right = response_gradient(game, 0, (), own, below)
    flat = jnp.concatenate([own, below, -jnp.linalg.solve(lower, right)])
    _, gradient, matrix = full_matrix(game, 0, (), flat)
    return gradient[: own.size], full_factor(game.sizes, 0, matrix)


@pytest.mark.parametrize("levels", [2, 4])
def test_the_reduced_hessian_is_the_derivative_of_the_total_gradient(levels: int) -> None:
    game = SMOOTH_GAMES[levels]
    own = jnp.linspace(0.3, 0.6, game.sizes[0])

    def gradient(own: jax.Array) -> np.ndarray:
        return np.asarray(top_gradient_and_factor(game, own, response_of(game, own))[0])

    spectrum = top_gradient_and_factor(game, own, response_of(game, own))[1].reduced
    matrix = (spectrum.axes * spectrum.curvatures) @ spectrum.axes.T
    step = 1e-4
    differences = np.stack(
        [
            (gradient(own + step * axis) - gradient(own - step * axis)) / (2 * step)
            for axis in jnp.eye(own.size)
        ]
    )
    # Central differences: 1e-8 times a third derivative of order 1, rounding 1e-15 / 1e-4.
    np.testing.assert_allclose(matrix, differences, atol=1e-7)
