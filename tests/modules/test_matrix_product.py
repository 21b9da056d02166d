"""Matrix products whose derivatives are turned on a processor."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.modules.matrix_product import matrix_product

# Turned; and not: too narrow, the larger matrix on the right, a vector.
SHAPES = [((40, 24), (24, 3)), ((40, 2), (2, 3)), ((3, 24), (24, 40)), ((40, 24), (24,))]


def arrays(*shapes: tuple[int, ...]) -> list[jax.Array]:
    random = np.random.default_rng(0)
    return [jnp.asarray(random.standard_normal(shape)) for shape in shapes]


def is_turned(left: jax.Array, right: jax.Array) -> bool:
    def total(right: jax.Array) -> jax.Array:
        return jnp.sum(jnp.sin(matrix_product(left, right)))

    return "optimization_barrier" in str(jax.make_jaxpr(jax.grad(total))(right))


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_it_is_the_product_and_so_are_its_derivatives(
    left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    matrices = arrays(left, right)
    changes = arrays(right, left)[::-1]

    def values(product: object) -> list[jax.Array]:
        def total(left: jax.Array, right: jax.Array) -> jax.Array:
            assert callable(product)
            return jnp.sum(jnp.sin(product(left, right)) * jnp.exp(-product(left, right) / 9))

        def gradient(*matrices: jax.Array) -> tuple[jax.Array, ...]:
            found: tuple[jax.Array, ...] = jax.grad(total, (0, 1))(*matrices)
            return found

        both = jax.jvp(gradient, tuple(matrices), tuple(changes))
        along_right = jax.jvp(lambda right: gradient(matrices[0], right), matrices[1:], changes[1:])
        third = jax.jvp(
            lambda *at: jax.jvp(gradient, at, tuple(changes))[1], tuple(matrices), tuple(changes)
        )
        return jax.tree.leaves((total(*matrices), both, along_right, third))

    for found, expected in zip(values(matrix_product), values(jnp.matmul), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("shapes", "turned"), zip(SHAPES, [True, False, False, False], strict=True)
)
def test_large_matrices_on_the_left_are_turned(
    shapes: tuple[tuple[int, ...], tuple[int, ...]], turned: bool
) -> None:
    left, right = arrays(*shapes)
    assert is_turned(left, right) == turned


def test_its_value_alone_is_the_plain_product() -> None:
    left, right = arrays((40, 24), (24, 3))
    assert "optimization_barrier" not in str(jax.make_jaxpr(matrix_product)(left, right))
    np.testing.assert_array_equal(matrix_product(left, right), left @ right)


def test_many_at_once() -> None:
    left, rights = arrays((40, 24), (5, 24, 3))

    def gradient(right: jax.Array) -> jax.Array:
        found: jax.Array = jax.grad(lambda right: jnp.sum(matrix_product(left, right) ** 3))(right)
        return found

    one_by_one = jnp.stack([gradient(right) for right in rights])
    np.testing.assert_allclose(jax.vmap(gradient)(rights), one_by_one, rtol=1e-12)


def test_integers_have_no_derivative() -> None:
    """A matrix of counts beside one of floats."""
    left = jnp.arange(40 * 24).reshape(40, 24)
    (right,) = arrays((24, 3))
    found = jax.grad(lambda right: jnp.sum(matrix_product(left, right) ** 2))(right)
    expected = jax.grad(lambda right: jnp.sum((left @ right) ** 2))(right)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
