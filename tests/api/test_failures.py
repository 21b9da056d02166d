"""Pure functions raise at run time where a level has no answer."""

import jax
import jax.numpy as jnp
import pytest

import mlodsl

MODEL = """
param steep = 1.0
level leader { var x : real  minimize (x - 1)^2 + y }
level follower { var y : real  minimize steep * y^2 - x * y }
"""


@pytest.fixture(scope="module")
def unbounded() -> mlodsl.Model:
    return mlodsl.compile(MODEL, params={"steep": -1.0})


def test_best_response_raises_where_the_follower_is_unbounded(unbounded: mlodsl.Model) -> None:
    with pytest.raises(Exception, match="level `follower` could not be solved"):
        unbounded.best_response({"x": 0.5})


def test_best_response_raises_under_jit(unbounded: mlodsl.Model) -> None:
    with pytest.raises(Exception, match="level `follower` could not be solved"):
        jax.block_until_ready(jax.jit(unbounded.best_response)({"x": jnp.asarray(0.5)}))


def test_hypergradient_raises_where_the_follower_is_unbounded(unbounded: mlodsl.Model) -> None:
    with pytest.raises(Exception, match="level `follower` could not be solved"):
        unbounded.hypergradient({"x": 0.5})


def test_solution_raises_where_the_follower_is_unbounded(unbounded: mlodsl.Model) -> None:
    with pytest.raises(Exception, match="level `follower` could not be solved"):
        unbounded.solution()


def test_where_the_follower_is_bounded_nothing_is_raised() -> None:
    model = mlodsl.compile(MODEL)
    assert float(model.best_response({"x": 0.5})["y"]) == pytest.approx(0.25)
