"""Sums of products over indices are products of arrays, and mean what Python means."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.diagnostics import Source
from mlodsl.modules.evaluator import evaluate
from mlodsl.modules.scope import Scope
from mlodsl.syntax import parse_expression

PRODUCTS = [
    "sum(A[i, j] * x[i] * y[j] for i in range(3) for j in range(4))",
    "sum(2 * A[i, j] * x[i]**2 * y[j + 1] * x[i] for i in range(3) for j in range(3))",
    "sum(x[i] * y[j] for i in range(3) for j in range(4) for k in range(5))",
    "sum(i * A[i, j] * (j + 1) for i in range(1, 3) for j in range(4))",
    "sum(sum(A[i, j] * y[j] for j in range(4))**2 for i in range(3))",
    "sum(A[i, j] * y[j] for i in range(3) for j in range(i))",
    "sum(sum(A[i, j] * y[j] for j in range(i))**2 for i in range(3))",
    "sum(sum(A[i, j] * y[j] * B[i, j, 1] * y[j] for j in range(i + 1, 4)) for i in range(3))",
    "sum(x[i] * x[j] for i in range(3) for j in range(i, 3))",
    "sum(A[i, j] * x[i] * y[k] for i in range(3) for j in range(i + 1) for k in range(j, 4))",
    "sum(B[i, j, 0] * y[2 - i] * y[j] for i in range(3) for j in range(3, i - 1, -1))",
    "sum(x[i] * x[2 - i] * 3 for i in range(3))",
    "sum(B[i, j, k] * A[i, j] * y[k] for i in range(3) for j in range(4) for k in range(2))",
]
OTHERS = [
    "sum(A[i, j] * (x[i] - y[j])**2 for i in range(3) for j in range(4))",
    "sum(x[i] + y[i] for i in range(3))",
    "sum(x[i] * sum(y[:i]) for i in range(3))",
    "sum(A[i, j] * B[i, j, 0] for i in range(3) for j in range(4))",
]


def arrays() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {
        "x": draw.standard_normal(3),
        "y": draw.standard_normal(4),
        "A": draw.standard_normal((3, 4)),
        "B": draw.standard_normal((3, 4, 2)),
    }


def by_model(text: str, known: dict[str, jax.Array]) -> jax.Array:
    variables = frozenset({"x", "y"})
    scope = Scope(known, np.dtype("float64"), variables=variables)
    return jnp.asarray(evaluate(parse_expression(Source("expression", text)), scope))


def code(text: str) -> str:
    known = {name: jnp.asarray(array) for name, array in arrays().items()}
    return str(jax.make_jaxpr(lambda known: by_model(text, known))(known))


@pytest.mark.parametrize("text", PRODUCTS + OTHERS)
def test_the_value_is_that_of_the_sum_in_python(text: str) -> None:
    expected = eval(text, {"sum": sum, "range": range, **arrays()})
    with jax.enable_x64(True):
        found = by_model(text, {name: jnp.asarray(array) for name, array in arrays().items()})
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("text", PRODUCTS)
def test_products_are_contracted(text: str) -> None:
    with jax.enable_x64(True):
        assert "dot_general" in code(text)


@pytest.mark.parametrize("text", OTHERS)
def test_what_gains_nothing_is_added_up_as_it_stands(text: str) -> None:
    with jax.enable_x64(True):
        assert "dot_general" not in code(text)


def test_products_of_rows_are_added_up_as_rows() -> None:
    text = "sum(A[i, :] * x[i] for i in range(3))"
    with jax.enable_x64(True):
        found = by_model(text, {name: jnp.asarray(array) for name, array in arrays().items()})
    np.testing.assert_allclose(found, arrays()["x"] @ arrays()["A"], rtol=1e-13)
