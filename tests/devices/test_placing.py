"""Where a problem is put, and what of it is refused."""

import jax
import numpy as np
import pytest

import mlodsl
from mlodsl.solver import place

ROWS = "data table : real[n, 2] level a { var x : real[2] minimize mean((table @ x - 1)^2) }"
CONSTRAINED = """
data table : real[n, 2]
level a { var x : real[2] minimize mean((table @ x - 1)^2) subject to x[0] <= 0 }
"""
TWICE = [jax.devices("cpu")[0]] * 2


def compiled(text, rows=4):
    data = {"table": np.eye(rows, 2)} if "table" in text else {}
    return mlodsl.compile(text, data=data)


@pytest.mark.parametrize(
    ("text", "rows", "message"),
    [
        ("level a { var x : real minimize x^2 }", 4, "has no data whose rows could be shared"),
        (ROWS, 1, "has as many rows as there are devices (2)"),
        (CONSTRAINED, 4, "with constraints or players is solved on one device, in one process"),
    ],
)
def test_what_cannot_be_shared_is_refused(text, rows, message):
    with pytest.raises(mlodsl.ModelError) as caught:
        place(compiled(text, rows).problem, TWICE)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "E709"
    assert message in diagnostic.message


@pytest.mark.parametrize("words", [{"device": "gpu"}, {"devices": 1000}, {"devices": []}])
def test_devices_that_are_not_there_are_refused(words):
    with pytest.raises(mlodsl.ModelError) as caught:
        compiled(ROWS).solve(**words)
    assert [one.code for one in caught.value.diagnostics] == ["E709"]


def test_a_kind_beside_a_list_of_devices_is_refused():
    with pytest.raises(mlodsl.ModelError, match="`device` is given beside them"):
        compiled(ROWS).solve(device="cpu", devices=jax.devices())
