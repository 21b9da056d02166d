"""From one level to six, and a level of thousands of variables."""

import functools

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import mlodsl

ONE = "level only { var x : real[3]  minimize sumsq(x - 1) + exp(x[0]) }"

# Firm i's profit, as a profit or as a loss: half of what the firms before it left.
SIX = "\n".join(
    f"level firm{i} {{ var x{i} : real  "
    f"{'maximize ' if i % 2 else 'minimize -'}x{i} * (1 - x1 - x2 - x3 - x4 - x5 - x6) }}"
    for i in range(1, 7)
)

CHAIN = """
param n : int = 3000
let u = linspace(1, 2, n)
level top { var x : real  minimize (x - 2)^2 + mean(y) }
level bottom { var y : real[n]  minimize sumsq(y - x * u) / 2 + 2 * sumsq(y[1:] - y[:-1]) }
"""


@functools.cache
def solved(text: str) -> mlodsl.Result:
    return mlodsl.compile(text).solve()


@pytest.mark.parametrize(
    "text",
    [ONE, pytest.param(SIX, marks=pytest.mark.slow), CHAIN],
    ids=["one level", "six levels", "3000"],
)
def test_a_model_of_any_size_converges(text: str) -> None:
    assert solved(text).status == "converged", solved(text).message


def test_one_level_is_minimised() -> None:
    first = scipy.optimize.brentq(lambda x: 2 * (x - 1) + np.exp(x), 0, 1, xtol=1e-15)
    np.testing.assert_allclose(solved(ONE)["x"], [first, 1, 1], atol=1e-8)


def test_one_level_has_no_lower_levels_in_its_certificate() -> None:
    assert list(solved(ONE).certificate["levels"]) == ["only"]


@pytest.mark.slow
def test_six_levels_of_minimum_and_maximum_are_solved() -> None:
    for i in range(1, 7):
        np.testing.assert_allclose(solved(SIX)[f"x{i}"], 2.0**-i, atol=1e-8)


@pytest.mark.parametrize("level", range(1, 7))
def test_objectives_are_printed_in_the_sense_written(level: int) -> None:
    """At a price of 2⁻⁶ firm i earns 2^-(i + 6); what is minimised is the loss."""
    sign = 1 if level % 2 else -1
    profit = solved(SIX).objectives[f"firm{level}"]
    assert profit == pytest.approx(sign * 2.0 ** -(level + 6), abs=1e-9)


def test_a_level_of_3000_variables_is_solved_without_matrices() -> None:
    """y = x (I + 4 L)⁻¹ u with the path's Laplacian L, so x = 2 - mean((I + 4 L)⁻¹ u) / 2."""
    n = 3000
    difference = scipy.sparse.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(n - 1, n))
    matrix = scipy.sparse.eye_array(n) + 4 * difference.T @ difference
    response = scipy.sparse.linalg.spsolve(matrix.tocsc(), np.linspace(1, 2, n))
    x = 2 - response.mean() / 2
    np.testing.assert_allclose(solved(CHAIN)["x"], x, atol=1e-8)
    np.testing.assert_allclose(solved(CHAIN)["y"], x * response, atol=1e-8)
