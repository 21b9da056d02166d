"""Hyper-dual numbers against forward derivatives one inside the other."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from mlodsl.calculus.hyperdual import at_hyperdual, of_order

ORDER = 3
POINT = np.array([0.3, 0.7, 0.45, 0.2])

Function = Callable[[Array], Array]


def derivatives(function: Function, parts: Array) -> Array:
    """The same by JAX alone: f(a + ε b) is f(a) and, along b, its derivative."""
    half = len(parts) // 2
    if half == 0:
        return function(parts[0])[None]
    both = jax.jvp(lambda low: derivatives(function, low), (parts[:half],), (parts[half:],))
    return jnp.concatenate(both)


def parts_around(point: np.ndarray, seed: int = 0) -> Array:
    parts = 0.5 * np.random.default_rng(seed).standard_normal((1 << ORDER, point.size))
    return jnp.asarray(np.concatenate([point[None], parts[1:]]))


def loop(x: Array) -> Array:
    return jax.lax.fori_loop(0, 3, lambda _, y: jnp.sin(y) * x, x)


def smallest_first(x: Array) -> Array:
    order = jnp.argsort(x)
    return jnp.sort(x) * x[order[0]] + jnp.arange(4)


ONE_BY_ONE: dict[str, Function] = {
    **{
        one.__name__: one
        for one in (
            *(jnp.abs, jnp.arccos, jnp.arcsin, jnp.arcsinh, jnp.arctan, jnp.arctanh, jnp.cbrt),
            *(jnp.cos, jnp.cosh, jnp.exp, jnp.exp2, jnp.expm1, jnp.log, jnp.log1p, jnp.reciprocal),
            *(jnp.sin, jnp.sinh, jnp.sqrt, jnp.square, jnp.tan, jnp.tanh),
        )
    },
    "arccosh": lambda x: jnp.arccosh(1 + x),
    "erf": jax.scipy.special.erf,
    "erfc": jax.scipy.special.erfc,
    "lgamma": jax.scipy.special.gammaln,
    "rsqrt": jax.lax.rsqrt,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "relu": lambda x: jax.nn.relu(x - 0.4),
    "round": lambda x: jnp.round(x) * x,
    **{f"power {n}": lambda x, n=n: x**n for n in (-3, -1, 0, 1, 2, 3, 7, 1.5, 2.0)},
}
TOGETHER: dict[str, Function] = {
    "arithmetic": lambda x: (x * x[::-1] - 2 * x + 1) / (1 + x * x) - 3 / x,
    "division by a number": lambda x: x / jnp.array([2.0, 3.0, 4.0, 5.0]),
    "powers of each other": lambda x: x ** x[::-1],
    "a power of a number": lambda x: 2.5**x,
    "products of matrices": lambda x: jnp.outer(x, jnp.sin(x)) @ jnp.outer(x, x) @ x,
    "products with numbers": lambda x: jnp.arange(12.0).reshape(3, 4) @ jnp.exp(x),
    "the larger": lambda x: jnp.maximum(x, x[::-1]) * jnp.maximum(x, 0.4) + jnp.clip(x, 0.3, 0.6),
    "at a tie": lambda x: jnp.maximum(x, x) * x,
    "a choice": lambda x: jnp.where(x > 0.4, x * x, jnp.where(x > 0.25, jnp.sin(x), 2.0)),
    "shapes": lambda x: jnp.concatenate([jnp.roll(x, 1), jnp.pad(x, (1, 2)), jnp.tile(x, 2)]) ** 2,
    "parts of it": lambda x: jnp.stack(jnp.split(x, 2)).T.reshape(4) * jnp.cumsum(x)[1:3].sum(),
    "an entry": lambda x: x.at[1].set(x[2] * x[3]) * jax.lax.dynamic_slice(x, (2,), (1,)),
    "log-sum-exp": lambda x: jax.nn.log_softmax(jnp.outer(x, x)).ravel(),
    "the largest": lambda x: jnp.max(x) * x + jnp.prod(x),
    "a loop": loop,
    "an order": smallest_first,
    "what isn't differentiated": lambda x: jax.lax.stop_gradient(x) * x,
    "the size of complex numbers": lambda x: jnp.abs(x + 1j * x[::-1]) * x,
    "products of complex numbers": lambda x: jnp.real(jnp.exp(1j * x) * (x - 2j)),
    "one of three": lambda x: jax.lax.select_n(jnp.array([0, 2, 1, 2]), x, x * x, jnp.sin(x)),
    "sums from the last": lambda x: jax.lax.cumsum(x * x, reverse=True),
    "whole powers": lambda x: jax.lax.pow(x, jnp.array([0, 3, -2, 1])),
    "the largest of them": lambda x: jax.lax.top_k(x * x, 2)[0] + jax.lax.top_k(-x, 2)[1],
    "a number beside arrays": lambda x: x[0] ** x + jnp.arctan2(x[1], jnp.arange(4.0) + 1) * x,
    "in another precision": lambda x: (x.astype(jnp.float32) * 2).astype(x.dtype) * x,
    "numbers alone": lambda x: jnp.arange(3.0),
    "gradients": jax.grad(lambda x: jnp.sum(jnp.sqrt(1 + (x - x[::-1] ** 3) ** 2)) * jnp.exp(x[0])),
    "hessians": jax.hessian(lambda x: jnp.sin(x) @ x[::-1] / (1 + x @ x)),
}


@pytest.mark.parametrize("name", [*ONE_BY_ONE, *TOGETHER])
def test_parts_are_the_mixed_derivatives(name: str) -> None:
    function = (ONE_BY_ONE | TOGETHER)[name]
    parts = parts_around(POINT)
    options = {"xla_backend_optimization_level": 0}
    compiled = functools.partial(jax.jit, compiler_options=options)
    found = compiled(lambda parts: at_hyperdual(function, parts))(parts)
    expected = compiled(lambda parts: derivatives(function, parts))(parts)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    exact = 1e-11 if name != "in another precision" else 1e-6
    np.testing.assert_allclose(found, expected, rtol=exact, atol=exact)


@pytest.mark.parametrize("exponent", [1, 2, 3])
def test_a_power_at_zero_has_the_derivatives_that_it_has(exponent: int) -> None:
    """Whether its exponent is known to be a whole number or not; JAX says 0 · ∞ of the latter."""
    parts = parts_around(np.zeros(2))
    expected = derivatives(lambda x: x**exponent, parts)
    for power in (exponent, float(exponent), jnp.asarray(float(exponent))):
        found = at_hyperdual(lambda x, power=power: x**power, parts)
        np.testing.assert_allclose(found, expected, atol=1e-15)


def test_no_number_but_the_value_at_order_zero() -> None:
    found = at_hyperdual(lambda x: (jnp.sum(x), x * x), jnp.asarray(POINT)[None])
    np.testing.assert_allclose(found[0], [POINT.sum()])
    np.testing.assert_allclose(found[1], [POINT**2])


def test_numbers_of_fewer_parts_are_those_without_the_last() -> None:
    low = parts_around(POINT)[:2]
    found = at_hyperdual(lambda x: jnp.sin(x) * x, of_order(ORDER, low))
    np.testing.assert_allclose(found[:2], at_hyperdual(lambda x: jnp.sin(x) * x, low), rtol=1e-14)
    np.testing.assert_array_equal(found[2:], 0)


def test_code_does_not_grow_with_the_order() -> None:
    """Each of JAX's own derivatives doubles it."""

    def function(x: Array) -> Array:
        return jnp.sum(jnp.sin(x * x[::-1]) * x * jnp.exp(x))

    def length(evaluate: Callable[[Function, Array], Array], order: int) -> int:
        parts = jnp.ones((1 << order, 4))
        lowered = jax.jit(lambda parts: evaluate(function, parts)).lower(parts)
        return lowered.as_text().count("stablehlo.")

    assert length(at_hyperdual, 5) < 1.6 * length(at_hyperdual, 3)
    assert length(derivatives, 5) > 3 * length(derivatives, 3)


def test_single_precision_stays_single() -> None:
    parts = parts_around(POINT).astype(jnp.float32)
    found = at_hyperdual(lambda x: jnp.sin(x) * x / (1 + x), parts)
    assert found.dtype == jnp.float32
    exact = at_hyperdual(lambda x: jnp.sin(x) * x / (1 + x), parts_around(POINT))
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-5)
