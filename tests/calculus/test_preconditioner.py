"""Conjugate gradients with the inverse of a matrix that has changed a little since."""

import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import (
    conjugate_gradients,
    preconditioner_of,
    truncated_conjugate_gradients,
)

pytestmark = pytest.mark.usefixtures("float64")
SIZE = 60


def spread(condition: float) -> np.ndarray:
    generator = np.random.default_rng(0)
    basis, _ = np.linalg.qr(generator.standard_normal((SIZE, SIZE)))
    return (basis * np.geomspace(1, condition, SIZE)) @ basis.T


def changed(matrix: np.ndarray) -> np.ndarray:
    factor = np.random.default_rng(1).standard_normal((SIZE, SIZE))
    return matrix + 1e-2 * factor @ factor.T / SIZE


def test_the_same_solution_in_far_fewer_products() -> None:
    matrix = spread(1e4)
    now, right = jnp.asarray(changed(matrix)), jnp.arange(1.0, SIZE + 1)
    earlier = preconditioner_of(jnp.asarray(matrix))
    asked = {"iterations": 0, "tolerance": 1e-11}
    plain, many = conjugate_gradients(lambda v: now @ v, right, **asked)
    found, few = conjugate_gradients(lambda v: now @ v, right, **asked, precondition=earlier.apply)
    assert int(few) <= 12 < 60 <= int(many)
    exact = np.linalg.solve(now, right)
    for one in (plain, found):
        np.testing.assert_allclose(one, exact, rtol=0, atol=1e-8 * np.linalg.norm(exact))


@pytest.mark.parametrize("radius", [1e9, 0.5])
def test_the_model_falls_by_what_is_said_within_the_radius(radius: float) -> None:
    now, right = jnp.asarray(changed(spread(1e2))), jnp.arange(1.0, SIZE + 1) / SIZE
    earlier = preconditioner_of(jnp.asarray(spread(1e2)))
    step, decrease, _ = truncated_conjugate_gradients(
        lambda v: now @ v, right, jnp.asarray(radius), jnp.asarray(1e-10), earlier.apply
    )
    expected = right @ step - step @ now @ step / 2
    np.testing.assert_allclose(decrease, expected, rtol=1e-10)
    length = float(jnp.linalg.norm(step))
    if radius == 0.5:
        np.testing.assert_allclose(length, radius, rtol=1e-12)
    else:
        np.testing.assert_allclose(step, np.linalg.solve(now, right), atol=1e-8 * length)


def test_negative_curvature_is_still_followed_to_the_edge() -> None:
    now = jnp.diag(jnp.linspace(-1.0, 4.0, SIZE))
    earlier = preconditioner_of(jnp.diag(jnp.linspace(0.5, 4.0, SIZE)))
    right = jnp.ones(SIZE)
    step, decrease, _ = truncated_conjugate_gradients(
        lambda v: now @ v, right, jnp.asarray(3.0), jnp.asarray(1e-10), earlier.apply
    )
    np.testing.assert_allclose(jnp.linalg.norm(step), 3.0, rtol=1e-12)
    assert decrease > 0


@pytest.mark.parametrize("worst", [-1.0, 0.0, np.nan])
def test_what_is_not_positive_definite_leaves_residuals_as_they_are(worst: float) -> None:
    found = preconditioner_of(jnp.diag(jnp.array([2.0, worst, 1.0])))
    assert not found.known
    residual = jnp.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(found.apply(residual), residual)
