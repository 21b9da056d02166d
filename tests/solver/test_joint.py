"""All lower levels at once: as one inside the other, and no answer where it would be wrong."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mlodsl
from mlodsl.calculus import choices, flat_size, point_of
from mlodsl.modules import Problem
from mlodsl.solver.joint import JointAnswer, solve_by_products, solve_jointly
from mlodsl.solver.joint_gradient import gradient_by_products
from mlodsl.solver.nest import Nest
from mlodsl.solver.oracle import evaluate_top, total_gradient
from mlodsl.solver.outcome import Outcome
from mlodsl.solver.plan import plan_nest
from mlodsl.solver.rules import Built
from mlodsl.strategies import Implicit

# Six variables a level: enough unknowns for the joint method to be tried.
GAME = """
param pull = 1
level a { var x : real[6] = 0.3
  minimize sumsq(x - 1) / 2 + 0.3 * sum(x * sin(z)) + 0.1 * sum(exp(0.5 * y)) }
level b { var y : real[6]
  minimize sumsq(y) / 2 + 0.3 * sum(softplus(y + x)) + 0.2 * sum(y * z) }
level c { var z : real[6]
  minimize pull * sumsq(z - x) / 2 + 0.1 * sum(z^4) + 0.3 * sum(z * cos(y)) }
"""
# From z = 0 Newton's method goes to the maximum there.
WELLS = """
level a { var x : real[16] = 0.5   minimize sumsq(x - 1) + sum(z) / 10 }
level b { var z : real[16] = 0.01  minimize sum((z^2 - 1)^2) + 0.01 * sum(x * z) }
"""


def nest_of(text: str) -> tuple[Problem, Nest, jax.Array, jax.Array]:
    """The problem, its nest, the top's start and u_1 there."""
    problem = mlodsl.compile(text).problem.fold()
    model = mlodsl.compile(text)
    nest = plan_nest(problem, model.settings, Built(Implicit(), {}))
    own, *below = problem.start(jax.random.PRNGKey(0))
    return problem, nest, jnp.asarray(own), jnp.asarray(point_of(problem.sizes, 1, tuple(below)))


@pytest.fixture(autouse=True)
def in_double() -> Any:
    with jax.enable_x64(True):
        yield


def test_the_answer_is_that_of_one_level_inside_the_other() -> None:
    _, nest, own, guess = nest_of(GAME)
    assert nest.solves_jointly(1)
    tight = jnp.asarray(1e-12)
    jointly = evaluate_top(nest, own, guess, tight)
    nested = eqx.filter_jit(
        lambda nest, own, guess: evaluate_top(nest.going("nested"), own, guess, tight)
    )(eqx.tree_at(lambda n: n.patience, nest, jnp.array(1000, jnp.int32)), own, guess)
    np.testing.assert_allclose(jointly.flat, nested.flat, atol=1e-9)
    np.testing.assert_allclose(jointly.gradient, nested.gradient, atol=1e-9)


def answer(text: str, frozen: list[bool] | None = None, *, products: bool = False) -> JointAnswer:
    _, nest, own, guess = nest_of(text)
    if frozen is not None:
        nest = eqx.tree_at(lambda n: n.frozen, nest, jnp.array(frozen))
    solver = solve_by_products if products else solve_jointly
    return eqx.filter_jit(
        lambda nest, own, guess: solver(nest, 1, (own,), guess, jnp.asarray(1e-10))
    )(nest, own, guess)


def test_products_alone_find_the_same() -> None:
    by_matrices, by_products = answer(GAME), answer(GAME, products=True)
    assert bool(by_matrices.solved) and bool(by_products.solved)
    np.testing.assert_allclose(by_products.flat, by_matrices.flat, atol=1e-8)


@pytest.mark.parametrize(("text", "claimed"), [(GAME, True), (WELLS, False)])
def test_a_gradient_by_products_is_claimed_where_all_levels_are_at_minima(
    text: str, claimed: bool
) -> None:
    """Products alone lead to the maximum too, where the conditions of all levels hold."""
    assert bool(answer(text, products=True).solved)
    _, nest, own, guess = nest_of(text)
    gradient, outcomes = eqx.filter_jit(gradient_by_products)(nest, own, guess, jnp.asarray(1e-10))
    assert bool(jnp.max(outcomes) < int(Outcome.STALLED)) == claimed
    asked = nest, own, guess, jnp.asarray(1e-8)
    expected = evaluate_top(*asked).gradient
    if claimed:
        np.testing.assert_allclose(gradient, expected, atol=1e-8)
    first = dataclasses.replace(nest.abilities, verified=True)
    always = dataclasses.replace(nest, abilities=first)
    found, outcomes = total_gradient(always, *asked[1:])
    np.testing.assert_allclose(found, expected, atol=1e-8)
    assert int(jnp.max(outcomes)) == int(Outcome.SOLVED)


def test_a_level_held_still_stays_and_those_below_answer() -> None:
    found = answer(GAME, [False, True, False])
    assert bool(found.solved)
    problem, _, own, guess = nest_of(GAME)
    y, z = choices(problem.sizes, 1, found.flat)
    np.testing.assert_array_equal(y, choices(problem.sizes, 1, guess)[0])
    slope = jax.grad(lambda z: problem.objective(2, (own, y, z)))(z)
    assert np.linalg.norm(slope) <= 1e-9
    # The multipliers solve the adjoint equation: ∂/∂z (f_b + ⟨m, ∇_z f_c⟩) = 0.
    m = found.flat[-6:]
    bend = jax.hessian(lambda z: problem.objective(2, (own, y, z)))(z)
    right = jax.grad(lambda z: problem.objective(1, (own, y, z)))(z)
    np.testing.assert_allclose(bend @ m, -right, atol=1e-9)


def test_a_maximum_is_no_answer() -> None:
    found = answer(WELLS)
    assert not bool(found.solved)


def test_where_it_fails_the_levels_are_solved_one_inside_the_other() -> None:
    _, nest, own, guess = nest_of(WELLS)
    assert nest.solves_jointly(1)
    point = evaluate_top(nest, own, guess, jnp.asarray(1e-10))
    assert int(jnp.max(point.outcomes)) == 0
    assert np.all(np.abs(np.abs(point.flat[16:32]) - 1) < 0.1)


def test_under_a_transformation_the_answer_is_the_same() -> None:
    model = mlodsl.compile(WELLS.replace("0.01   minimize", "0.8   minimize"))
    at = np.full(16, 0.3)
    with jax.enable_x64(True):
        plain = model.hypergradient({"x": at})["x"]
        jitted = jax.jit(lambda x: model.hypergradient({"x": x})["x"])(jnp.asarray(at))
    np.testing.assert_allclose(plain, jitted, atol=1e-9)


def test_many_unknowns_are_solved_by_products_and_certified_with_matrices() -> None:
    text = GAME.replace("[6]", "[48]")
    model = mlodsl.compile(text)
    sizes = model.problem.sizes
    assert flat_size(sizes, 1) >= 128
    result = model.solve()
    assert result.status == "converged"
    assert result.certificate["levels"]["b"]["min_curvature"] > 0
    # All 48 entries are alike, and the levels' objectives are sums over them.
    for name in ("x", "y", "z"):
        np.testing.assert_allclose(result[name], np.full(48, result[name][0]), atol=1e-7)


@pytest.mark.slow
def test_answers_by_products_at_a_maximum_are_found_out() -> None:
    """From z = 0.01 Newton's method goes to the maximum at 0; the certificate sees it, and the run
    begins anew with an eye on curvature."""
    text = """
    level a { var x : real = 0.5       minimize (x - 1)^2 + sum(z) / 10 }
    level b { var y : real             minimize (y - x)^2 }
    level c { var z : real[64] = 0.01  minimize sum((z^2 - 1)^2) + 0.01 * y * sum(z) }
    """
    assert not bool(answer(text).solved)
    assert bool(answer(text, products=True).solved)
    result = mlodsl.compile(text).solve()
    assert np.all(np.abs(np.abs(result["z"]) - 1) < 0.1)
    assert result.certificate["levels"]["c"]["min_curvature"] > 1
    gradient = mlodsl.compile(text).hypergradient({"x": 0.5})["x"]
    assert np.all(np.isfinite(gradient))
