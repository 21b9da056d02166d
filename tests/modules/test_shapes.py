"""The checker's shapes are the shapes that come out: for every function and operator."""

import jax
import numpy as np
import pytest

from mlodsl.check import BUILTINS, CheckedModel, Place
from mlodsl.check.types import ArrayType
from mlodsl.modules.lets import value_of_let
from mlodsl.modules.scope import Scope
from mlodsl.syntax import nodes, walk

from .building import checked_model

DATA = {
    "A": np.ones((4, 3)),
    "B": np.ones((4, 3)),
    "S": np.eye(3),
    "K": np.ones((2, 3, 3)),
    "T": np.ones((2, 4, 3)),
    "x": np.ones(3),
    "y": np.ones(4),
}

ELEMENTWISE = [
    name
    for name, entry in BUILTINS.items()
    if entry.place is Place.EXPRESSION
    and [parameter.name for parameter in entry.parameters[:1]] in (["x"], ["margin"])
    and entry.category in ("elementwise", "losses")
    and name != "clip"
]
REDUCTIONS = ["sum", "mean", "max", "min", "prod", "logsumexp"]
ALONG = ["softmax", "log_softmax", "cumsum"]

EXPRESSIONS = [
    *(f"{name}({argument})" for name in ELEMENTWISE for argument in ("A", "x", "2.5")),
    *(f"{name}({argument})" for name in REDUCTIONS for argument in ("A", "x", "T", "2.5")),
    *(f"{name}({argument}, axis = 0)" for name in REDUCTIONS for argument in ("A", "x", "T")),
    *(f"{name}(T, axis = -2)" for name in REDUCTIONS + ALONG),
    *(f"{name}(x[i] for i in range(3))" for name in REDUCTIONS),
    *(f"{name}(A[i, :] for i in range(4))" for name in REDUCTIONS),
    *(f"{name}(A[i, :] * j for i in range(4) for j in range(2))" for name in REDUCTIONS),
    *(f"{name}({argument})" for name in ALONG for argument in ("A", "x", "T")),
    *(f"{name}({argument})" for name in ("norm1", "norm2", "sumsq", "norm_inf", "smooth_norm1")
      for argument in ("A", "x", "T", "2.5")),
    "dot(x, x)", "dot(A, B)",
    "smooth_abs(A, eps = x)", "huber(A, x)", "clip(A, 0, x)", "clip(2, 0, x)",
    "where(A > 0, x, 1)", "where(x <= 1, A, 0)", "maximum(A, x)", "minimum(x, 2)",
    "cross_entropy(A, y)", "cross_entropy(A, B)", "cross_entropy(x, 1)", "cross_entropy(x, x)",
    "trace(S)", "trace(A)", "det(S)", "det(K)", "logdet(S)", "logdet(K)", "inv(S)", "inv(K)",
    "cholesky(S)", "cholesky(K)", "linsolve(S, x)", "linsolve(S, A.T)", "linsolve(K, K)",
    "linsolve(K, x)", "linsolve(S, K)", "outer(x, y)", "kron(A, S)", "kron(x, y)", "kron(A, x)",
    "kron(K, x)", "diag(x)", "diag(S)", "diag(A)",
    "zeros(2, 3)", "zeros(0)", "ones(4)", "eye(3)", "linspace(0, 1, 5)", "arange(3)",
    "concat(A, B)", "concat(A, B, A, axis = 1)", "concat(x, y)", "concat(T, T, axis = -1)",
    "stack(A, B)", "stack(A, B, axis = 2)", "stack(A, B, axis = -1)", "stack(1, 2)",
    "reshape(A, 2, 6)", "reshape(A, -1, 2)", "reshape(T, 24)",
    "rows(A)", "cols(A)", "size(T)", "one_hot(y, 5)", "one_hot(2, 5)", "one_hot(A, 2)",
    "split(A, 1, 2)", "split(y, 2, 1)", "split(T, 0, 1)",
    "standardize(A)", "standardize(y)", "standardize(T)", "normalize(A)", "normalize(x)",
    "shuffle(A, seed = 3)", "shuffle(y)",
    "A + x", "x - 1", "A * T", "A / x", "A @ x", "y @ A",
    "x @ x", "A @ S", "T @ S", "T @ x", "K @ K", "y @ T", "A.T @ A", "A.T", "T.T", "x.T",
    "-A", "A ^ 2", "x ^ x", "2 ^ A", "A ^ x",
    "A[0]", "A[0, :]", "A[:, 0]", "A[1:3]", "A[::2, :-1]", "A[3:1]", "A[-3:, 1]", "T[0, 1]",
    "T[0, :, 1]", "A[[0, 2]]", "A[[0, 2], 1]", "A[[0, 2], [1, 1]]", "T[[0, 1], :, 0]",
    "T[0, :, [0, 1]]", "T[:, [0, 1], 0]", "A[[[0, 1], [2, 3]]]", "x[1]", "x[[0]]",
    "[1, 2, 3]", "[[1, 2], [3, 4]]", "[x, x]", "[x[0], 1]", "pi", "2 * 3",
]  # fmt: skip


def lets_of() -> CheckedModel:
    declared = "\n".join(f"data {name} : {show(array.shape)}" for name, array in DATA.items())
    lets = "\n".join(
        f"let (r{number}, s{number}) = {text}"
        if text.startswith("split")
        else f"let r{number} = {text}"
        for number, text in enumerate(EXPRESSIONS)
    )
    text = f"{declared}\n{lets}\nlevel l {{ var v : real minimize v^2 }}"
    return checked_model(text, data=DATA)


def show(shape: tuple[int, ...]) -> str:
    return f"real[{', '.join(map(str, shape))}]"


@pytest.fixture(scope="module")
def checked() -> CheckedModel:
    return lets_of()


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)), ids=EXPRESSIONS)
def test_the_checker_foresees_the_shape(checked: CheckedModel, number: int) -> None:
    (let,) = (let for let in checked.lets if let.name == f"r{number}")

    def value(data: dict[str, jax.Array]) -> object:
        scope = Scope({**checked.statics, **data}, np.dtype("float64"), {}, checked.index_use)
        return value_of_let(let, scope)

    shapes = {name: jax.ShapeDtypeStruct(array.shape, float) for name, array in DATA.items()}
    found = jax.eval_shape(value, shapes)
    expected = let.type
    assert isinstance(expected, ArrayType)
    assert found.shape == expected.shape


def test_every_function_has_its_shape_compared(checked: CheckedModel) -> None:
    called = {
        node.function.name
        for let in checked.lets
        for node in walk(let.value)
        if isinstance(node, nodes.Call)
    }
    assert {name for name, entry in BUILTINS.items() if entry.place is Place.EXPRESSION} <= called
