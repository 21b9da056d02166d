"""The table of built-in functions: complete, documented, and bound as Python binds arguments."""

import re

import pytest

from mlodsl.check import BUILTINS, Role

from .checking import errors, in_level

# The lists of the language reference.
WORDS = """exp log log1p expm1 sqrt abs sign sin cos tan tanh arctan sigmoid relu softplus elu gelu
square floor sum mean max min prod logsumexp softmax log_softmax cumsum dot norm1 norm2 sumsq
norm_inf trace det logdet inv linsolve cholesky outer kron diag smooth_norm1 smooth_abs huber
cross_entropy logistic_loss where maximum minimum clip zeros ones eye linspace arange concat stack
reshape rows cols size one_hot split standardize normalize shuffle csv npy npz normal uniform range
mlp linear module"""


def test_the_table_holds_the_functions_of_the_reference_and_no_others() -> None:
    assert set(BUILTINS) == set(WORDS.split())


@pytest.mark.parametrize("name", BUILTINS)
def test_a_function_says_what_it_does_in_a_sentence(name: str) -> None:
    builtin = BUILTINS[name]
    assert re.fullmatch(r"[^\n]{10,90}\.", builtin.doc)
    assert builtin.name == name and builtin.signature.startswith(f"{name}(")


@pytest.mark.parametrize("name", BUILTINS)
def test_a_name_of_the_language_cannot_be_declared(name: str) -> None:
    assert errors(in_level("1", f"let {name} = 1")) == [("E103", name)]


RIGHT = [
    "sum(A, axis = 1) + x",
    "sum(x = A)",
    "smooth_norm1(x, eps = 0.1)",
    "smooth_norm1(x, 0.1)",
    "clip(x, 0, hi = 1)",
    "linsolve(A @ A.T, x)",
    "linsolve(A @ A.T, A)",
    "cholesky(eye(3)) @ x",
    "kron(eye(2), ones(1, 3)) @ ones(6)",
    "outer(x, w) + A",
    "diag(A @ A.T) + x",
    "diag(x) @ x",
    "reshape(A, 2, -1) @ ones(6)",
    "concat(x, w, axis = 0)[6]",
    "concat(A, A, axis = 1) @ ones(8)",
    "stack(x, x, axis = 1) @ ones(2)",
    "one_hot([0, 2], 3) @ x",
    "one_hot(1, 3) @ x",
    "linspace(0, 1, 3) + x",
    "x[arange(3)]",
    "cross_entropy(A, [0, 1, 3])",
    "cross_entropy(A, A)",
    "cross_entropy(w, 2)",
    "where(x <= 1, x, 0)",
    "where(0 <= x <= 1, A.T, 0)",
    "softmax(A, axis = 0) + log_softmax(A)",
    "logsumexp(A) + x",
    "cumsum(A)[11] + cumsum(A, axis = 0)",
    "standardize(A) + normalize(A) + shuffle(A, seed = 3)",
    "dot(A, A) + trace(A) + norm_inf(A)",
    "x @ A @ w",
    "A[0] @ w",
    "(A @ w)[::-1] @ x",
    "A[[0, 2], :] @ w",
    "-x^2 / 3",
    "x ** 2",
]


@pytest.mark.parametrize("expression", RIGHT)
def test_a_right_call_is_accepted(expression: str) -> None:
    assert errors(in_level(expression)) == []


def test_sizes_axes_and_seeds_must_be_known_before_solving() -> None:
    whole = {
        (builtin.name, parameter.name)
        for builtin in BUILTINS.values()
        for parameter in builtin.parameters
        if parameter.role is Role.WHOLE
    }
    assert {("zeros", "sizes"), ("sum", "axis"), ("shuffle", "seed"), ("split", "sizes")} <= whole
