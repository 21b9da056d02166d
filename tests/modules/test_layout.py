"""Variables into a level's vector and out of it, whoever holds their numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.modules.layout import LevelLayout, VariableLayout

DOUBLE = np.dtype("float64")
SEVERAL = LevelLayout("a", (VariableLayout("x", (2, 3), 0, 6), VariableLayout("y", (), 6, 7)))
ONE = LevelLayout("a", (VariableLayout("x", (3,), 0, 3),))
VALUES = {"x": np.arange(6.0).reshape(2, 3), "y": 7.5}
VECTOR = np.array([0, 1, 2, 3, 4, 5, 7.5])


@pytest.mark.parametrize("convert", [np.asarray, jnp.asarray, np.float32, jnp.float32])
def test_known_numbers_stay_on_the_host(convert) -> None:
    found = SEVERAL.gather({name: convert(value) for name, value in VALUES.items()}, DOUBLE)
    assert isinstance(found, np.ndarray)
    assert found.dtype == DOUBLE
    np.testing.assert_array_equal(found, VECTOR)


def test_traced_numbers_are_differentiated() -> None:
    def total(y: jax.Array) -> jax.Array:
        return jnp.sum(SEVERAL.gather({"x": VALUES["x"], "y": y}, DOUBLE) ** 2)

    assert float(jax.grad(total)(7.5)) == 15
    many = jax.vmap(lambda y: SEVERAL.gather({"x": 0.0, "y": y}, DOUBLE))(jnp.arange(3.0))
    np.testing.assert_array_equal(many[:, -1], [0, 1, 2])


def test_the_vector_itself_is_not_copied_where_nobody_can_change_it() -> None:
    of_jax, of_numpy = jnp.arange(3.0), np.arange(3.0)
    assert ONE.gather({"x": of_jax}, DOUBLE) is of_jax
    found = ONE.gather({"x": of_numpy}, DOUBLE)
    of_numpy[0] = 5
    np.testing.assert_array_equal(found, [0, 1, 2])
    assert ONE.gather({"x": jnp.float32(2)}, DOUBLE).tolist() == [2, 2, 2]


@pytest.mark.parametrize("convert", [np.asarray, jnp.asarray])
def test_parts_are_the_variables(convert) -> None:
    for found in (SEVERAL.unpack(convert(VECTOR)), jax.jit(SEVERAL.unpack)(VECTOR)):
        assert list(found) == ["x", "y"]
        for name, value in VALUES.items():
            np.testing.assert_array_equal(found[name], value)
    whole = convert(np.arange(3.0))
    assert ONE.unpack(whole)["x"] is whole


def test_parts_of_a_known_vector_take_one_program(monkeypatch: pytest.MonkeyPatch) -> None:
    SEVERAL.unpack(jnp.asarray(VECTOR))
    monkeypatch.delattr("mlodsl.modules.layout._part")
    assert float(SEVERAL.unpack(jnp.asarray(VECTOR + 1))["y"]) == 8.5
