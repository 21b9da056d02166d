"""Projections onto domains, against their definition: the nearest point of the set."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.modules.domains import (
    project_onto_ball,
    project_onto_interval,
    project_onto_simplex,
)

rng = np.random.default_rng(0)
POINTS = rng.normal(size=(6, 4)) * 3


def test_a_projection_onto_the_simplex_is_in_it() -> None:
    found = np.asarray(project_onto_simplex(jnp.asarray(POINTS)))
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-15)


def test_no_vertex_of_the_simplex_makes_an_acute_angle_with_the_residual() -> None:
    # The projection p of x is the only point with (x - p)·(v - p) <= 0 for all v of the set.
    found = project_onto_simplex(jnp.asarray(POINTS))
    angles = jnp.einsum("rk,rvk->rv", POINTS - found, jnp.eye(4)[None] - found[:, None])
    assert float(angles.max()) <= 1e-14


def test_the_simplex_keeps_its_accuracy_far_from_the_origin() -> None:
    found = project_onto_simplex(jnp.asarray([1e9, 1e9 + 0.5]))
    np.testing.assert_allclose(found, [0.25, 0.75], rtol=1e-6)


def test_a_point_of_the_simplex_stays() -> None:
    point = jnp.asarray([0.2, 0.0, 0.8])
    np.testing.assert_allclose(project_onto_simplex(point), point, atol=1e-15)


def test_the_ball_shortens_what_is_outside_and_keeps_what_is_inside() -> None:
    np.testing.assert_allclose(project_onto_ball(jnp.asarray([3.0, 4.0]), 2.0), [1.2, 1.6])
    np.testing.assert_array_equal(project_onto_ball(jnp.asarray([0.0, 0.5]), 2.0), [0.0, 0.5])


def test_a_ball_of_radius_zero_is_its_centre() -> None:
    np.testing.assert_array_equal(project_onto_ball(jnp.asarray([0.0, 4.0]), 0.0), [0, 0])


def test_an_interval_clips_elementwise() -> None:
    found = project_onto_interval(
        jnp.asarray([-1.0, 0.5, 9.0]), 0.0, jnp.asarray([1.0, 1, jnp.inf])
    )
    np.testing.assert_array_equal(found, [0, 0.5, 9])


@pytest.mark.parametrize(
    "project", [project_onto_simplex, lambda x: project_onto_ball(x, 1.5)], ids=["simplex", "ball"]
)
def test_derivatives_pass_through_a_projection(project: object) -> None:
    point, along = jnp.asarray(POINTS[0]), jnp.asarray(rng.normal(size=4))
    _, found = jax.jvp(project, (point,), (along,))  # type: ignore[arg-type]
    step = 1e-6
    ahead, behind = (project(point + sign * step * along) for sign in (1, -1))  # type: ignore[operator]
    # Central differences: h² from truncation, 1e-16 / h from rounding.
    np.testing.assert_allclose(found, (ahead - behind) / (2 * step), atol=1e-9)
