"""What stays as it was: JAX's settings, and compiled code."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mlodsl

SETTINGS = """
import jax
before = dict(jax.config.values)
import mlodsl
assert dict(jax.config.values) == before, "by import"
model = mlodsl.compile("param c = 1.0 level only { var x : real minimize (x - c)^2 }")
model.hypergradient({"x": 0.0})
assert dict(jax.config.values) == before, "by use"
assert jax.numpy.ones(1).dtype == "float32"
"""

COUNTED = """
param c = 1.0
level leader { var x : real  minimize counted(x - c) + y }
level follower { var y : real  minimize (y - x)^2 }
"""


class Counted:
    """A function that counts how often it is traced."""

    def __init__(self) -> None:
        self.traces = 0

    def __call__(self, x: jax.Array) -> jax.Array:
        self.traces += 1
        return x**2


@pytest.fixture(autouse=True)
def bounded_caches() -> None:
    """In place of the one of all tests: what these share stays compiled from one to the next."""


@pytest.fixture(scope="module")
def counted() -> Counted:
    """Traced by everything that the tests below then repeat with other numbers."""
    function = Counted()
    model = mlodsl.compile(COUNTED, functions={"counted": function})
    model.solve()
    model.best_response({"x": 0.5})
    model.hypergradient({"x": 0.5})
    model.solution({"c": 2.0})
    return function


def test_neither_import_nor_use_changes_a_setting_of_jax() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_new_param_value_solves_without_tracing_anew(counted: Counted) -> None:
    before = counted.traces
    for value in (2.0, 3.0, -1.5):
        model = mlodsl.compile(COUNTED, functions={"counted": counted}, params={"c": value})
        result = model.solve()
        assert float(result["x"]) == pytest.approx(value - 0.5, abs=1e-7)
    assert counted.traces == before


def test_a_new_param_value_is_a_solution_without_tracing_anew(counted: Counted) -> None:
    model = mlodsl.compile(COUNTED, functions={"counted": counted})
    model.solution({"c": 3.0})
    before = counted.traces
    for value in (2.5, 4.0):
        assert float(model.solution({"c": value})["x"]) == pytest.approx(value - 0.5, abs=1e-7)
    assert counted.traces == before


def test_other_choices_are_answered_without_tracing_anew(counted: Counted) -> None:
    model = mlodsl.compile(COUNTED, functions={"counted": counted})
    model.hypergradient({"x": 0.1})
    before = counted.traces
    assert float(model.hypergradient({"x": 2.0})["x"]) == pytest.approx(3.0)
    assert counted.traces == before


def test_compiling_the_same_text_again_traces_nothing(counted: Counted) -> None:
    before = counted.traces
    mlodsl.compile(COUNTED, functions={"counted": counted}).solve()
    assert counted.traces == before


def test_another_tolerance_traces_nothing(counted: Counted) -> None:
    before = counted.traces
    mlodsl.compile(COUNTED, functions={"counted": counted}).solve(tolerance=1e-5)
    assert counted.traces == before


def test_a_params_dtype_does_not_matter_for_tracing(counted: Counted) -> None:
    before = counted.traces
    for value in (2, np.float32(2), jnp.asarray(2.0)):
        mlodsl.compile(COUNTED, functions={"counted": counted}, params={"c": value}).solve()
    assert counted.traces == before
