"""The peer's column: what it says where it isn't there, and its answers where it is."""

from importlib.util import find_spec

import numpy as np
import pytest

import mlodsl
from benchmarks.peer_blvpy import solve_by_blvpy

# The follower answers y = x². The product in his objective isn't disciplined as it stands, nor is
# x² affine.
SQUARES = """
level upper { var x : real[1] = [1]  minimize (y[0] - 4)^2  subject to x[0] <= 3 }
level lower { var y : real[1]  minimize y[0] * (y[0] - 2 * x[0]^2)  subject to y[0] <= 50 }
"""
INSTALLED = find_spec("blvpy") is not None


@pytest.mark.skipif(INSTALLED, reason="blvpy is installed")
def test_where_it_is_not_installed_the_row_says_so() -> None:
    answer = solve_by_blvpy(mlodsl.compile(SQUARES))
    assert (answer.status, answer.variables) == ("missing", None)
    assert "can't be imported" in answer.message


@pytest.mark.skipif(not INSTALLED, reason="blvpy is not installed")
def test_a_model_that_can_be_disciplined_is_solved() -> None:
    answer = solve_by_blvpy(mlodsl.compile(SQUARES.replace("x[0]^2", "x[0]")))
    assert answer.variables is not None
    # Here y = x; the relaxation's gap of 1e-6 leaves a thousandth of y.
    np.testing.assert_allclose(answer.variables["y"], [3], atol=3e-3)


@pytest.mark.skipif(not INSTALLED, reason="blvpy is not installed")
def test_what_is_nonlinear_in_the_leaders_variables_is_lifted() -> None:
    answer = solve_by_blvpy(mlodsl.compile(SQUARES.replace("y[0] * (y[0]", "y[0]^2 + y[0] * (0")))
    assert answer.variables is not None
    np.testing.assert_allclose(answer.variables["x"] ** 2, answer.variables["y"], atol=3e-3)


@pytest.mark.skipif(not INSTALLED, reason="blvpy is not installed")
def test_a_refusal_is_in_its_own_words() -> None:
    text = SQUARES.replace("2 * x[0]^2", "2 * y[0]^3")
    answer = solve_by_blvpy(mlodsl.compile(text))
    assert answer.status == "refused" and "DCP" in answer.message
