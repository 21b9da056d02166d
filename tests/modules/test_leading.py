"""Choices of leading levels by name: what fits, and what is said of the rest."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mlodsl
from mlodsl.diagnostics import ModelError
from mlodsl.modules import leading_vectors

MODEL = mlodsl.compile(
    """
    level a { var x : real[2]  var s : real  minimize sumsq(x - y[0]) + (s - z)^2 }
    level b { var y : real[2]  minimize sumsq(y - x) + s * y[0] }
    level c { var z : real  minimize (z - s - y[1])^2 }
    """
)
X = np.array([1.0, 2.0])


def wrong(choices: dict[str, object], levels: int | None = None) -> list[str]:
    """The codes of what is wrong, each with the names in its message."""
    with pytest.raises(ModelError) as raised:
        leading_vectors(MODEL.problem, choices, levels)
    return [f"{one.code} {one.message.split('`')[1]}" for one in raised.value.diagnostics]


@pytest.mark.parametrize(
    "x", [X, jnp.asarray(X), X.astype(np.float32), X.astype(int), X > 0, jnp.bfloat16(X), [1, 2]]
)
@pytest.mark.parametrize("s", [3, 3.0, np.float32(3), np.float64(3), np.array(3), True])
def test_numbers_of_every_kind_fit(x: object, s: object) -> None:
    (found,) = leading_vectors(MODEL.problem, {"s": s, "x": x}, 1)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [*np.asarray(x, float), float(np.asarray(s))])


def test_a_number_stands_for_all_entries() -> None:
    first, second = leading_vectors(MODEL.problem, {"x": 4, "s": 1, "y": jnp.asarray(2.0)})
    np.testing.assert_array_equal(first, [4, 4, 1])
    np.testing.assert_array_equal(second, [2, 2])


@pytest.mark.parametrize(
    "value",
    [None, "1", 1j, 10**400, np.array("a"), np.array(None), jnp.complex64(1), jax.random.key(0)],
)
def test_what_is_no_number_is_said(value: object) -> None:
    assert wrong({"x": X, "s": value}, 1) == ["E606 s"]
    assert wrong({"x": value, "s": 1}, 1) == ["E606 x"]


@pytest.mark.parametrize("value", [np.ones(3), jnp.ones((2, 2)), [1, 2, 3], np.zeros((0,))])
def test_shapes_that_do_not_fit_are_said(value: object) -> None:
    assert wrong({"x": value, "s": value}, 1) == ["E606 x", "E606 s"]


def test_names_are_looked_at_before_values() -> None:
    assert wrong({"x": X, "s": 1, "xx": 1}, 1) == ["E605 xx"]
    assert wrong({"x": X}) == ["E604 s"]
    assert wrong({}) == ["E604 x"]
    assert wrong({"x": X, "s": None, "z": 1}) == ["E606 s", "E604 y"]
    assert wrong({"x": X, "s": 1, "y": X, "q": 1}) == ["E605 q"]
    assert wrong({"x": X, "s": 1, "z": 1, "q": 1}) == ["E605 q", "E604 y"]
