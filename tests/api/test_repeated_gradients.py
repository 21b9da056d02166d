"""`model.hypergradient`, called over and over: what it keeps of a model is that model's alone."""

import copy
import gc
import weakref

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mlodsl

# The follower answers y = c x; the leader's total gradient is 2 (x - 1) + 2 c² x.
TEXT = """
param c = 1
level leader { var x : real minimize (x - 1)^2 + y^2 }
level follower { var y : real minimize (y - c * x)^2 }
"""


def expected(c: float, x: float) -> float:
    return 2 * (x - 1) + 2 * c**2 * x


@pytest.mark.parametrize("strategy", ["auto", "implicit"])
def test_models_of_one_text_have_gradients_of_their_own(strategy: str) -> None:
    models = {c: mlodsl.compile(TEXT, params={"c": c}) for c in (1.0, 2.0)}
    for x in (0.5, -1.0):
        for c, model in models.items():
            found = model.hypergradient({"x": x}, strategy=strategy)["x"]
            assert float(found) == pytest.approx(expected(c, x))


def test_a_model_that_is_gone_leaves_nothing_to_the_next() -> None:
    for c in (1.0, 2.0, 3.0):
        model = mlodsl.compile(TEXT, params={"c": c})
        assert float(model.hypergradient({"x": 1.0})["x"]) == pytest.approx(expected(c, 1.0))
        kept = weakref.ref(model.problem)
        del model
        gc.collect()
        assert kept() is None


def test_a_call_inside_of_a_transformation_leaves_later_ones_alone() -> None:
    model = mlodsl.compile(TEXT, params={"c": 2.0})
    with jax.enable_x64(True):

        def gradient(x: jax.Array) -> jax.Array:
            return model.hypergradient({"x": x}, strategy="implicit")["x"]

        x = jnp.array(0.5)
        assert float(jax.jit(gradient)(x)) == pytest.approx(expected(2.0, 0.5))
        assert float(gradient(x)) == pytest.approx(expected(2.0, 0.5))
        rows = jax.vmap(gradient)(jnp.array([0.0, 1.0]))
        np.testing.assert_allclose(rows, [expected(2.0, 0.0), expected(2.0, 1.0)])


def test_a_level_without_a_minimum_is_an_error_at_every_call() -> None:
    text = TEXT.replace("(y - c * x)^2", "-(y - c * x)^2")
    model = mlodsl.compile(text)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="follower"):
            model.hypergradient({"x": 0.5}, strategy="implicit")


def used_model() -> weakref.ref[mlodsl.Model]:
    """A model whose methods were arguments of compiled code; nothing else refers to it.

    In a function of its own: where Equinox compiles a check, it looks at the variables of all
    callers, and Python then keeps what they held until these return.
    """
    model = mlodsl.compile(TEXT)
    first, again = model.hypergradient, model.hypergradient
    assert jax.tree.structure(first) == jax.tree.structure(again)
    called = eqx.filter_jit(lambda method, x: method({"x": x}, strategy="implicit")["x"])
    assert float(called(again, jnp.array(0.5))) == pytest.approx(expected(1.0, 0.5))
    doubled = eqx.tree_at(lambda m: m.problem.params["c"], model, 2.0)
    for other, c in ((copy.copy(model), 1.0), (copy.deepcopy(model), 1.0), (doubled, 2.0)):
        assert other.hypergradient.__self__ is other
        assert float(other.hypergradient({"x": 0.5})["x"]) == pytest.approx(expected(c, 0.5))
    assert len(jax.tree.leaves(model)) == len(jax.tree.leaves(model.problem))
    return weakref.ref(model)


def test_methods_are_arguments_like_any_and_keep_no_model_alive() -> None:
    gc.disable()
    try:
        assert used_model()() is None
    finally:
        gc.enable()


SPREAD = """
level top { var z : real[3] = 0.3  minimize sumsq(x - 1) + sumsq(z) + sum(y)^2 }
level mid { var y : real[1] = 0.2 minimize sum(x - y)^2 + sum((y - z[0])^2) }
level low { var x : real[12] = 0.1 minimize sum((x - y)^2) + sum((x - z[0])^4) + sumsq(x - z[1]) }
"""


def test_one_variable_beside_many_counts_as_often_as_it_is_used() -> None:
    at = {"z": np.array([0.3, 0.5, -0.4])}
    for text in (SPREAD, SPREAD.replace("y : real[1]", "y : real")):
        model = mlodsl.compile(text)
        found = model.hypergradient(at)["z"]
        exact = model.hypergradient(at, strategy="implicit(linear_solver = dense)")["z"]
        np.testing.assert_allclose(found, exact, atol=1e-7)
        # By differences of the answers themselves; -8.37868 in the middle.
        value = {sign: _top(model, at["z"] + sign * np.array([0, 1e-4, 0])) for sign in (1, -1)}
        assert float(found[1]) == pytest.approx((value[1] - value[-1]) / 2e-4, rel=1e-5)


def _top(model: mlodsl.Model, z: np.ndarray) -> float:
    answers = model.best_response({"z": z})
    below, middle = np.asarray(answers["x"]), np.sum(np.asarray(answers["y"]))
    return float(np.sum((below - 1) ** 2) + np.sum(z**2) + middle**2)


CHAIN = """
level first { var x : real[12] minimize sumsq(x - 1) + sum(z) }
level second { var y : real[12] minimize sumsq(y - x) + sum(y) }
level third { var z : real[12] minimize sumsq(z - x) + sum(z) }
"""


def test_a_gradient_has_derivatives_along_many_directions_at_once() -> None:
    """Of levels that are solved in one kernel, of which JAX maps the changes alone."""
    model = mlodsl.compile(CHAIN)
    with jax.enable_x64(True):
        derivative = jax.jacfwd(lambda x: model.hypergradient({"x": x})["x"])(jnp.full(12, 0.3))
    np.testing.assert_allclose(derivative, 2 * np.eye(12), atol=1e-8)
