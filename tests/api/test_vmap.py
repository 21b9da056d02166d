"""A hundred values of a param in one call."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mlodsl

MODEL = """
param c = 1.0
level leader { var x : real  minimize (x - c)^2 + exp(y) }
level follower { var y : real  minimize (y - c * x)^2 + softplus(y) }
"""


@pytest.mark.slow
def test_vmap_over_a_hundred_values_equals_a_hundred_solves() -> None:
    with jax.enable_x64(True):
        values = jnp.linspace(-1.0, 1.0, 100)
        found = jax.vmap(mlodsl.compile(MODEL).solution)({"c": values})
    for index, value in enumerate(np.asarray(values)):
        result = mlodsl.compile(MODEL, params={"c": value}).solve()
        assert result.status == "converged", result.message
        for name in ("x", "y"):
            np.testing.assert_allclose(found[name][index], result[name], rtol=0, atol=1e-9)
