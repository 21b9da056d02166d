"""Linear systems cut off after some iterations: what is left of the error, by linear algebra."""

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from mlodsl.strategies import AbstractStrategy, Galet, Hoag, Implicit
from tests.nests import evaluated, newton_nest

from .quadratic import Blocks, blocks
from .test_itd import step_length


def gradient(case: Blocks, strategy: AbstractStrategy, turn: int = 10_000) -> Array:
    nest = newton_nest(case.game, strategy)
    return evaluated(nest, jnp.asarray(case.own), turn=turn).gradient


@pytest.mark.parametrize("terms", [1, 10])
def test_neumann_with_q_terms_is_the_truncated_series(terms: int) -> None:
    """m = -η Σ_{q=0}^{Q} (I - η H)^q ∇_y f."""
    for seed in range(3):
        case = blocks(seed)
        rate = step_length(case)
        term = case.partials[1]
        total = rate * term
        for _ in range(terms):
            term = term - rate * case.hessian @ term
            total = total + rate * term
        found = gradient(case, Implicit("neumann", iterations=terms))
        np.testing.assert_allclose(found, case.total(-total), rtol=1e-10)


def test_neumanns_error_falls_geometrically_with_its_terms() -> None:
    for seed in range(3):
        case = blocks(seed)
        rate = 1 - step_length(case) * np.linalg.eigvalsh(case.hessian)[0]
        initial = np.linalg.norm(case.coupling.T @ np.linalg.inv(case.hessian), 2) * np.linalg.norm(
            case.partials[1]
        )
        for terms in (1, 10):
            error = np.linalg.norm(
                gradient(case, Implicit("neumann", iterations=terms)) - case.exact
            )
            assert error <= rate ** (terms + 1) * initial


@pytest.mark.parametrize("solver", ["cg", "minres"])
def test_as_many_iterations_as_unknowns_are_exact(solver: str) -> None:
    case = blocks(1)
    found = gradient(case, Implicit(solver, iterations=case.answer.size))
    np.testing.assert_allclose(found, case.exact, rtol=1e-9)


@pytest.mark.parametrize("iterations", [1, 2])
def test_few_iterations_of_minres_leave_the_least_residual(iterations: int) -> None:
    case = blocks(2)
    right = case.partials[1]
    columns = [right]
    for _ in range(iterations - 1):
        columns.append(case.hessian @ columns[-1])
    space = np.stack(columns, axis=1)
    best = space @ np.linalg.lstsq(case.hessian @ space, right, rcond=None)[0]
    found = gradient(case, Implicit("minres", iterations=iterations))
    np.testing.assert_allclose(found, case.total(-best), rtol=1e-9)


@pytest.mark.parametrize("iterations", [1, 20])
def test_galets_gradient_steps_are_those_on_the_least_squares(iterations: int) -> None:
    """w ← w - ρ H (H w + ∇_y f) from 0, ρ = 1 / ‖H‖²; the error falls by 1 - (μ / L)² a step."""
    for seed in range(3):
        case = blocks(seed)
        rate = step_length(case) ** 2
        w = np.zeros(case.answer.size)
        for _ in range(iterations):
            w = w - rate * case.hessian @ (case.hessian @ w + case.partials[1])
        found = gradient(case, Galet(iterations=iterations))
        np.testing.assert_allclose(found, case.total(w), rtol=1e-10)
        smallest = np.linalg.eigvalsh(case.hessian)[0]
        initial = np.linalg.norm(case.coupling.T @ np.linalg.inv(case.hessian), 2) * np.linalg.norm(
            case.partials[1]
        )
        error = np.linalg.norm(found - case.exact)
        assert error <= (1 - rate * smallest**2) ** iterations * initial


# ------------------------------------------------------------------ HOAG


@pytest.mark.parametrize("turn", [0, 1, 3, 6])
def test_hoags_error_is_within_its_tolerance_at_each_turn(turn: int) -> None:
    """A residual of ε in the linear system weighs ‖∇²_xy g‖ / μ; the answer itself is exact."""
    for seed in range(3):
        case = blocks(seed)
        found = gradient(case, Hoag(jnp.asarray(0.1), jnp.asarray(0.2)), turn)
        weight = np.linalg.norm(case.coupling.T @ np.linalg.inv(case.hessian), 2)
        tolerance = 0.1 * 0.2**turn
        assert np.linalg.norm(found - case.exact) <= weight * tolerance * (1 + 1e-6)


def test_hoags_first_turns_are_inexact() -> None:
    """Guards the test above."""
    case = blocks(0)
    found = gradient(case, Hoag(jnp.asarray(1.0), jnp.asarray(0.5)), 0)
    assert np.linalg.norm(found - case.exact) > 1e-4


def test_hoags_tolerances_decay_and_have_a_finite_sum() -> None:
    case = blocks(0)
    nest = newton_nest(case.game, Hoag(jnp.asarray(0.3), jnp.asarray(0.5)))
    own = jnp.asarray(case.own)
    errors = np.array([float(evaluated(nest, own, turn=turn).error) for turn in range(12)])
    np.testing.assert_allclose(errors, 0.3 * 0.5 ** np.arange(12), rtol=1e-12)
    assert errors.sum() <= 0.3 / (1 - 0.5)


def test_hoag_ends_exact_once_its_tolerance_is_what_is_asked_for() -> None:
    """The query's accuracy is a hundredth of the tolerance."""
    case = blocks(0)
    nest = newton_nest(case.game, Hoag(jnp.asarray(0.1), jnp.asarray(0.1)))
    own = jnp.asarray(case.own)
    assert float(evaluated(nest, own, tolerance=1e-2, turn=2).error) > 0
    assert float(evaluated(nest, own, tolerance=1e-2, turn=4).error) == 0
