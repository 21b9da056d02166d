"""What an index of a `for` picks: the entries that Python picks, without looking them up one by
one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.diagnostics import Source
from mlodsl.modules.evaluator import evaluate
from mlodsl.modules.scope import Scope
from mlodsl.syntax import parse_expression

from .building import built

SLICED = [
    "sum(A[i, j] * x[i] for i in range(n) for j in range(4))",
    "sum(A[2 - i, 1] * (i + 1) for i in range(3))",
    "sum(A[:, n - i][1] * i for i in range(3))",
    "sum((A @ A.T)[i, j] * x[j] for i in range(3) for j in range(3))",
    "sum(sum(A[i, j] * x[i] for j in range(4)) for i in range(3))",
    "sum(sum(x[j] * i for j in range(2)) * sum(x[j] for j in range(1, 3)) for i in range(3))",
    "sum(a[j] * b * (j + 1) for a, b in zip(A, x) for j in range(1, 4))",
    "sum(x[4 * i - 2] * (i + 1) for i in range(1, 0, -1))",
    "sum(A[-1 - i, 2] * (i + 1) for i in range(2))",
    "sum(A[n - 1 - i, 3 - j] * (i + 2 * j) for i in range(2, -1, -1) for j in range(0, 4, 3))",
    "sum(B[1, i, :][0] * i for i in range(3))",
    "sum(B[i, j, :][1] * (i + j) for i in range(2) for j in range(3))",
    "sum(sum(A[j, m] * x[i + m] for m in range(2)) * i for i in range(2) for j in range(3))",
    "sum(sum(A[i, m + 1] * x[i - m] * m**2 for m in range(2)) for i in range(1, 3))",
    "sum(sum(x[j] * A[0, j - i] * j for j in range(i, i + 2)) for i in range(2))",
    "sum(sum(x[j] * B[1, j, i - j + 1] for j in range(i + 1, i - 1, -1)) for i in range(2))",
    "sum(sum(x[n - 1 - i - m] * (m - n) for m in range(1, 2)) for i in range(2))",
]
LOOKED_UP = [
    "sum(sum(x[(i + m) * (i + m)] for m in range(2)) for i in range(1))",
    "sum(B[0, i, [1, 0]][0] * (i + 1) for i in range(3))",
    "sum(x[i + k] * (k + 2) for k in range(2) for i in range(2))",
    "sum(A[-1 - i, 2 * i] * (i + 1) for i in range(2))",
    "sum(A[i, i + 1] * (i + 1) for i in range(3))",
    "sum(x[int(k[i])] * (i + 1) for i in range(3))",
    "sum(x[i * i] * (i + 1) for i in range(2))",
    "sum(B[i, :, [0, 1]][0, 0] * (i + 1) for i in range(2))",
    "sum(A[[0, 2], :][i, i] for i in range(2))",
    "sum(x[i - 1] * (i + 2) for i in range(3))",
]


def names() -> dict[str, object]:
    draw = np.random.default_rng(0)
    return {
        "n": 3,
        "x": draw.standard_normal(3),
        "A": draw.standard_normal((3, 4)),
        "B": draw.standard_normal((2, 3, 2)),
        "k": np.array([2.0, 0.0, 1.0]),
    }


def by_python(text: str) -> object:
    """The language writes sums as Python does, so Python's own value is the right one."""
    return eval(text, {"sum": sum, "range": range, "zip": zip, "int": int, **names()})


def by_model(text: str, x: jax.Array) -> jax.Array:
    text = text.replace("zip(A, x)", "(A, x)").replace("int(k[i])", "k[i]")
    known = {
        name: jnp.asarray(given) if isinstance(given, np.ndarray) else given
        for name, given in names().items()
    }
    scope = Scope({**known, "x": x}, np.dtype("float64"))  # type: ignore[dict-item]
    return jnp.asarray(evaluate(parse_expression(Source("expression", text)), scope))


def gathers(text: str) -> int:
    """How often the code of an expression looks entries up."""
    code = str(jax.make_jaxpr(lambda x: by_model(text, x))(jnp.asarray(names()["x"])))
    return code.count("gather")


@pytest.mark.parametrize("text", SLICED + LOOKED_UP)
def test_an_index_picks_what_it_picks_in_python(text: str) -> None:
    with jax.enable_x64(True):
        found = by_model(text, jnp.asarray(names()["x"]))
    np.testing.assert_allclose(found, by_python(text), rtol=1e-13)


@pytest.mark.parametrize("text", SLICED)
def test_entries_that_stand_in_a_row_are_not_looked_up(text: str) -> None:
    with jax.enable_x64(True):
        assert gathers(text) == 0


@pytest.mark.parametrize("text", LOOKED_UP)
def test_other_entries_are_looked_up(text: str) -> None:
    with jax.enable_x64(True):
        assert gathers(text) > 0


def test_the_same_function_called_for_several_indices_keeps_them_apart() -> None:
    text = """
    let f(a, m) = sum(a[i] * m for i in range(2))
    level l { var x : real[3] minimize sum(f(x[j:j + 2], x[j]) for j in range(2)) + f(x, 3) }
    """
    problem = built(text)
    with jax.enable_x64(True):
        found = problem.objective(0, (jnp.array([1.0, 2.0, 4.0]),))
    assert float(found) == (1 + 2) * 1 + (2 + 4) * 2 + (1 + 2) * 3


def test_the_gradient_of_what_is_picked_goes_where_it_was_picked() -> None:
    text = "level l { var x : real[5] minimize sum((x[i + 1] - 2 * x[i])^3 for i in range(4)) }"
    problem = built(text)
    with jax.enable_x64(True):
        x = jnp.array([1.0, -2.0, 0.5, 3.0, 0.25])
        found = jax.grad(lambda x: problem.objective(0, (x,)))(x)
    slope = 3 * (x[1:] - 2 * x[:-1]) ** 2
    expected = np.array([0.0, *slope]) - 2 * np.array([*slope, 0.0])
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_constraint_for_each_index_takes_its_entries_from_slices() -> None:
    problem = built(
        "level l { var x : real[4] minimize sumsq(x)"
        " subject to x[i] + i <= x[i + 1] for i in range(3) }"
    )
    with jax.enable_x64(True):
        x = jnp.array([0.0, 2.0, 1.0, 5.0])
        at_most, _ = problem.constraints(0, (x,))
        code = str(jax.make_jaxpr(lambda x: problem.constraints(0, (x,)))(x))
    assert at_most.tolist() == [-2.0, 2.0, -2.0]
    assert "gather" not in code
