"""`jit`, `vmap` and `grad` through responses, hypergradients and solutions.

Each with 64-bit arithmetic on the caller's side and without, where numbers are float32 at the
border: 1e-6 is then all that can be asked for.
"""

from collections.abc import Iterator

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mlodsl

from . import curved as known

# JAX's own words on float64 results that the tests compute on without 64-bit arithmetic.
pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
X = np.array([0.3, 0.7])


@pytest.fixture(params=["float64", "float32"])
def accuracy(request: pytest.FixtureRequest) -> Iterator[float]:
    """What to ask for: 1e-9 under the caller's `jax_enable_x64`, 1e-6 without."""
    with jax.enable_x64(request.param == "float64"):
        yield 1e-9 if request.param == "float64" else 1e-6


@pytest.fixture
def float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def assert_close(found: dict, expected: dict, accuracy: float) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=accuracy, err_msg=name)


# ---------------------------------------------------------------- best responses


def test_the_best_response_is_the_true_one(pair: mlodsl.Model, accuracy: float) -> None:
    assert_close(pair.best_response({"x": X}), known.response(X), accuracy)


def test_outside_of_transformations_a_response_is_float64_either_way(
    pair: mlodsl.Model, accuracy: float
) -> None:
    assert_close(pair.best_response({"x": X}), known.response(X), 1e-9)


def test_the_best_response_goes_through_jit(pair: mlodsl.Model, accuracy: float) -> None:
    found = jax.jit(pair.best_response)({"x": jnp.asarray(X)})
    assert_close(found, known.response(X), accuracy)


def test_the_best_response_goes_through_vmap(pair: mlodsl.Model, accuracy: float) -> None:
    many = np.random.default_rng(0).uniform(-1, 1, (5, 2))
    found = jax.jit(jax.vmap(lambda x: pair.best_response({"x": x})))(jnp.asarray(many))
    for index, x in enumerate(many):
        assert_close({name: v[index] for name, v in found.items()}, known.response(x), accuracy)


def test_the_best_response_goes_through_grad(pair: mlodsl.Model, accuracy: float) -> None:
    """d(2 y_0 + y_1)/dx = (4 a x_0, a)."""

    def total(x: jax.Array) -> jax.Array:
        answer = pair.best_response({"x": x})
        return jnp.array([2.0, 1.0]) @ answer["y"]

    gradient = jax.jit(jax.grad(total))(jnp.asarray(X))
    np.testing.assert_allclose(gradient, [4 * X[0], 1], atol=10 * accuracy)


# ---------------------------------------------------------------- hypergradients


def test_the_hypergradient_is_the_total_one(pair: mlodsl.Model, accuracy: float) -> None:
    assert_close(pair.hypergradient({"x": X}), {"x": known.hypergradient(X)}, accuracy)


def test_the_hypergradient_goes_through_jit_and_vmap(pair: mlodsl.Model, float64: None) -> None:
    many = np.random.default_rng(1).uniform(-1, 1, (5, 2))
    found = jax.jit(jax.vmap(lambda x: pair.hypergradient({"x": x})))(jnp.asarray(many))
    for index, x in enumerate(many):
        assert_close({"x": found["x"][index]}, {"x": known.hypergradient(x)}, 1e-9)


def test_the_hypergradient_of_a_maximising_leader_is_that_of_the_loss() -> None:
    model = mlodsl.compile("level only { var x : real maximize 3 * x - x^2 }")
    assert float(model.hypergradient({"x": 0.0})["x"]) == pytest.approx(-3)


def test_a_strategy_may_be_named(pair: mlodsl.Model) -> None:
    found = pair.hypergradient({"x": X}, strategy="implicit(linear_solver = cg)")
    assert_close(found, {"x": known.hypergradient(X)}, 1e-9)


# ---------------------------------------------------------------- solutions


def test_the_solution_is_a_function_of_params(pair: mlodsl.Model, accuracy: float) -> None:
    found = pair.solution({"a": 0.5, "c": np.array([2.0, 1.0])})
    # The top level's tolerance on the gradient is 1e-8, its curvature at least 2.
    assert_close(found, known.solution(0.5, (2, 1)), max(accuracy, 1e-8))


def test_without_params_it_is_that_of_the_model_itself(pair: mlodsl.Model) -> None:
    assert_close(pair.solution(), known.solution(), 1e-8)


def test_the_solution_goes_through_jit(pair: mlodsl.Model, accuracy: float) -> None:
    found = jax.jit(lambda a: pair.solution({"a": a}))(jnp.asarray(0.5))
    assert_close(found, known.solution(0.5), max(accuracy, 1e-8))


def test_the_solution_goes_through_grad(pair: mlodsl.Model, accuracy: float) -> None:
    """dx/da = (-1 / (1 + a)², -a)."""
    jacobian = jax.jit(jax.jacrev(lambda a: pair.solution({"a": a})["x"]))(jnp.asarray(0.5))
    np.testing.assert_allclose(jacobian, [-1 / 1.5**2, -0.5], atol=max(10 * accuracy, 1e-7))


def test_the_gradient_of_the_solution_equals_finite_differences(
    pair: mlodsl.Model, float64: None
) -> None:
    """Of every variable in every param."""
    at = {"a": jnp.asarray(0.8), "c": jnp.array([1.2, 0.4])}
    jacobian = jax.jacrev(pair.solution)(at)
    step = 1e-3

    def difference(name: str, axis: np.ndarray) -> dict[str, np.ndarray]:
        """Of fourth order; solutions good to 1e-9 give differences good to 1e-6."""
        found = [
            pair.solution({**at, name: at[name] + times * step * axis}) for times in (1, -1, 2, -2)
        ]
        return {
            variable: (
                8 * (found[0][variable] - found[1][variable])
                - (found[2][variable] - found[3][variable])
            )
            / (12 * step)
            for variable in found[0]
        }

    for variable, value in difference("a", np.ones(())).items():
        np.testing.assert_allclose(jacobian[variable]["a"], value, atol=5e-6)
    for index, axis in enumerate(np.eye(2)):
        for variable, value in difference("c", axis).items():
            np.testing.assert_allclose(jacobian[variable]["c"][..., index], value, atol=5e-6)


# ---------------------------------------------------------------- the model as a pytree


def test_a_model_is_an_argument_of_jit(pair: mlodsl.Model, accuracy: float) -> None:
    answer = jax.jit(lambda model, x: model.best_response({"x": x}))
    assert_close(answer(pair, jnp.asarray(X)), known.response(X), accuracy)


def test_a_model_with_other_params_is_another_value_of_the_same_argument(
    pair: mlodsl.Model, float64: None
) -> None:
    other = eqx.tree_at(lambda m: m.problem.params["a"], pair, jnp.asarray(2.0))
    answer = jax.jit(lambda model, x: model.best_response({"x": x}))
    assert_close(answer(other, jnp.asarray(X)), known.response(X, 2.0), 1e-9)


def test_a_gradient_with_respect_to_a_model_is_one_in_its_params(
    pair: mlodsl.Model, float64: None
) -> None:
    """dy_0/da = x_0² at the best response."""
    gradient = eqx.filter_grad(lambda model: model.best_response({"x": X})["y"][0])(pair)
    np.testing.assert_allclose(gradient.problem.params["a"], X[0] ** 2, atol=1e-9)


# ---------------------------------------------------------------- draws


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("starts", [("normal(0, 1)", "0"), ("0", "uniform(-1, 1)")])
def test_models_with_draws_go_through_jit(starts: tuple[str, str], accuracy: float) -> None:
    """Draws of 64 bits don't become part of the caller's program."""
    top, bottom = (f"= {start}" if start == "0" else f"~ {start}" for start in starts)
    model = mlodsl.compile(
        f"""
        param c = 1
        data A : real[4]
        let order = shuffle(A, 3)
        level top {{ var x : real {top}  minimize (y - c)^2 + (x - order[0])^2 }}
        level bottom {{ var y : real {bottom}  minimize (y - x)^2 }}
    """,
        data={"A": np.arange(4.0)},
    )
    order = np.asarray(jax.random.permutation(jax.random.PRNGKey(3), 4))
    solution = jax.jit(lambda c: model.solution({"c": c})["x"])(2.0)
    assert float(solution) == pytest.approx((2 + order[0]) / 2, abs=accuracy)
    response = jax.jit(lambda x: model.best_response({"x": x})["y"])(2.0)
    assert float(response) == pytest.approx(2, abs=accuracy)
    gradient = jax.jit(lambda x: model.hypergradient({"x": x})["x"])(2.0)
    assert float(gradient) == pytest.approx(2 + 2 * (2 - order[0]), abs=accuracy)
