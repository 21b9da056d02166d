"""Linear maps with what they multiply by folded, against the maps themselves."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import Jaxpr

from mlodsl.calculus import folded

SIZE = 7
SCALES = jnp.linspace(1.0, 2.0, SIZE)
MATRIX = jnp.arange(4.0 * SIZE).reshape(4, SIZE)


def curved(x: jax.Array) -> jax.Array:
    """With slices, shifts, sums, a table, a select and a branch that JAX makes a call of."""
    shifted = jnp.concatenate([x[1:], x[:1]])
    table = jnp.where(MATRIX > 3, MATRIX * x**2, x)
    ends = jnp.sin(x[:2]).sum() * jnp.pad(x[1:4], (1, 3)) @ x
    return jnp.sum(jnp.sqrt(1 + (x + shifted) ** 2)) + jnp.sum(table**2) + ends + (SCALES @ x) ** 4


MAPS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "itself": lambda v: v,
    "scaled": lambda v: -(v * SCALES) / (1 + SCALES) * SCALES - 2 * v + v * SCALES,
    "parts": lambda v: jnp.concatenate([v[2:5] * 3, v[:2] - v[5:], v[3:4]]),
    "strided": lambda v: v[::2] * SCALES[::2],
    "padded": lambda v: jnp.pad(v[1:3] * SCALES[1:3], (2, 3)) * SCALES + v - jnp.pad(v[2:], (0, 2)),
    "parts of padded": lambda v: (jnp.pad(v[2:6], (3, 2)) * jnp.arange(9.0))[4:8],
    "beside padded": lambda v: jnp.pad(v[2:6], (3, 2))[:3] + v[:3],
    "spread": lambda v: jnp.max(MATRIX) * jnp.sum(MATRIX * v + jnp.sum(v * SCALES), 1),
    "product": lambda v: MATRIX @ (v * SCALES),
    "nothing": lambda v: 0 * v[:0].sum() * jnp.ones(3),
}


def second_derivative(x: jax.Array) -> Callable[[jax.Array], jax.Array]:
    return jax.linearize(jax.grad(curved), x)[1]


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("part", [slice(None), slice(0, 2), slice(2, 5), slice(6, 7)])
def test_a_folded_map_is_the_map_of_the_part(name: str, part: slice) -> None:
    vector = jnp.asarray(np.random.default_rng(0).standard_normal(SIZE))
    whole = jnp.zeros(SIZE).at[part].set(vector[part])
    found = folded(MAPS[name], vector, part)(vector[part])
    np.testing.assert_allclose(found, MAPS[name](whole), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("part", [slice(None), slice(1, 4)])
def test_the_second_derivative_of_a_function_with_all_of_these_is_the_same(part: slice) -> None:
    x = jnp.linspace(-0.4, 0.9, SIZE)

    @jax.jit
    def rows(x: jax.Array) -> jax.Array:
        along = folded(second_derivative(x), x, part)
        return jax.vmap(along)(jnp.eye(SIZE)[:, part][part])

    expected = jax.hessian(curved)(x)[part]
    np.testing.assert_allclose(rows(x), expected, rtol=1e-11, atol=1e-11)


def test_scales_are_multiplied_once_and_not_at_each_product() -> None:
    vector = jnp.ones(SIZE)
    assert _operations(MAPS["scaled"]) == 4
    assert _operations(folded(MAPS["scaled"], vector)) == 1
    product = second_derivative(vector)
    assert _operations(folded(product, vector)) < _operations(product)


def test_parts_that_do_not_overlap_are_not_padded() -> None:
    def parts(v: jax.Array) -> jax.Array:
        return (
            jnp.pad(v[:2] * SCALES[:2], (3, 2)) + jnp.pad(v[4:6], (0, 5)) + jnp.pad(v[:1], (6, 0))
        )

    assert _operations(parts, "pad") == 3
    assert _operations(folded(parts, jnp.ones(SIZE)), "pad") == 0
    np.testing.assert_allclose(folded(parts, SCALES)(SCALES), parts(SCALES), rtol=1e-12)


def test_a_product_with_a_number_is_a_scale() -> None:
    def along(vector: jax.Array) -> jax.Array:
        return 3 * jax.lax.dot_general(2.0, SCALES * vector, (((), ()), ((), ())))

    assert _operations(folded(along, jnp.ones(SIZE)), "dot_general") == 0
    vector = jnp.linspace(-0.4, 0.9, SIZE)
    np.testing.assert_allclose(folded(along, vector)(vector), along(vector), rtol=1e-12)


def _operations(along: Callable[[jax.Array], jax.Array], name: str = "mul") -> int:
    return _count(jax.make_jaxpr(along)(jnp.ones(SIZE)).jaxpr, name)


def _count(jaxpr: Jaxpr, name: str) -> int:
    calls = [e.params["jaxpr"].jaxpr for e in jaxpr.eqns if e.primitive.name == "jit"]
    inner = sum(_count(one, name) for one in calls)
    return inner + sum(e.primitive.name == name for e in jaxpr.eqns)


def test_a_map_that_does_not_look_at_the_vector_is_zero() -> None:
    vector = jnp.ones(SIZE)
    product = jax.linearize(jax.grad(lambda x: jnp.sum(3 * x)), vector)[1]
    np.testing.assert_array_equal(folded(product, vector)(vector), jnp.zeros(SIZE))


def test_loops_and_what_is_computed_again_stay_as_they_are() -> None:
    x = jnp.linspace(-0.4, 0.9, SIZE)

    def looped(x: jax.Array) -> jax.Array:
        def once(total: jax.Array, one: jax.Array) -> tuple[jax.Array, None]:
            return jnp.sin(total) + one**3, None

        again = jax.checkpoint(lambda x: jnp.prod(jnp.cos(x)))
        return jax.lax.scan(once, 0.5, x)[0] * again(x)

    along = folded(jax.linearize(jax.grad(looped), x)[1], x)
    found = jax.vmap(along)(jnp.eye(SIZE))
    np.testing.assert_allclose(found, jax.hessian(looped)(x), rtol=1e-11, atol=1e-11)


FEW_WITH_MANY = {
    "softmax": lambda x: jnp.sum(jax.nn.softmax(x) * x**2),
    "a number": lambda x: jnp.sum(x[0] * x**2),
    "one entry": lambda x: jnp.sum(jnp.exp(x) * x[:1]),
    "a difference": lambda x: jnp.sum(jnp.cumsum(x - x[:1]) ** 2) + jnp.sum(x[0] - x) ** 4,
    "moments": lambda x: jnp.var(x) * jnp.mean(x**2),
}


@pytest.mark.parametrize("name", FEW_WITH_MANY)
@pytest.mark.parametrize("part", [slice(None), slice(2, 6)])
@pytest.mark.parametrize("first", [0, 3])
def test_one_entry_beside_many_stands_for_all_of_them(name: str, part: slice, first: int) -> None:
    """JAX multiplies and adds arrays of one entry and of many without a sign that it does."""
    x = jnp.linspace(-0.4, 0.9, SIZE)
    product = jax.linearize(jax.grad(FEW_WITH_MANY[name]), x)[1]
    along = folded(lambda v: product(v)[first:], x, part)
    found = jax.vmap(along)(jnp.eye(SIZE)[part, part])
    expected = jax.hessian(FEW_WITH_MANY[name])(x)[part, first:]
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
