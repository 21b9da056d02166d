"""Arguments of a wrong kind: a sentence that says what was expected."""

import re
from typing import Any

import jax
import pytest

import mlodsl

MODEL = """
param v : real[2] = 0
level a { var x : real[2] minimize sumsq(x - v) + y }
level b { var y : real minimize (y - sum(x))^2 }
"""


@pytest.mark.parametrize(
    ("model", "arguments", "sentence"),
    [
        (3, {}, "a model is a text (`str`) or a path (`pathlib.Path`), not `int`"),
        (MODEL, {"params": [1.0]}, "`params` maps names to values"),
        (MODEL, {"data": [1.0]}, "`data` maps names to values"),
        (MODEL, {"functions": {"f": 3}}, "`functions` gives `f` a `int`"),
    ],
)
def test_compile_says_what_kind_of_argument_it_takes(
    model: Any, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TypeError, match=re.escape(sentence)):
        mlodsl.compile(model, **arguments)


def test_a_ragged_param_is_a_diagnostic() -> None:
    with pytest.raises(mlodsl.ModelError, match="the param `v` is not a number or an array"):
        mlodsl.compile(MODEL, params={"v": [[1.0], [1.0, 2.0]]})


def test_a_python_function_does_not_replace_a_builtin() -> None:
    with pytest.raises(mlodsl.ModelError, match="`sum` is a built-in function"):
        mlodsl.compile(MODEL, functions={"sum": lambda x: x})


@pytest.mark.parametrize("value", [None, "a", [[1.0], [1.0, 2.0]], [1j, 1.0], ["a", "b"]])
def test_a_choice_that_is_no_number_is_a_diagnostic(value: Any) -> None:
    model = mlodsl.compile(MODEL)
    for ask in (model.best_response, model.hypergradient):
        with pytest.raises(mlodsl.ModelError, match="the value of `x` is not a number"):
            ask({"x": value})


def test_choices_that_are_no_mapping_are_refused() -> None:
    choices: Any = [1.0, 2.0]
    with pytest.raises(TypeError, match="`choices` maps names to values"):
        mlodsl.compile(MODEL).best_response(choices)


UNBOUNDED = """
level a { var x : real minimize (x - 1)^2 + y }
level b { var y : real minimize x * y - y^2 }
"""
CALLS = [
    lambda model: model.hypergradient({"x": 1.0}),
    lambda model: model.best_response({"x": 1.0}),
    lambda model: model.solution(),
]


@pytest.mark.parametrize("call", CALLS, ids=["hypergradient", "best_response", "solution"])
def test_a_level_that_cannot_be_solved_is_a_plain_error(call: Any) -> None:
    model = mlodsl.compile(UNBOUNDED)
    with pytest.raises(RuntimeError, match=r"^level `b` could not be solved here") as found:
        call(model)
    assert found.type is RuntimeError
    # Inside of a transformation the numbers aren't known before it runs.
    with pytest.raises(RuntimeError, match="level `b` could not be solved here"):
        jax.jit(lambda: call(model))()


def test_a_top_level_that_cannot_be_solved_is_a_plain_error() -> None:
    model = mlodsl.compile(
        "level a { var x : real = 1 minimize y } level b { var y : real minimize (y - x^3)^2 }"
    )
    with pytest.raises(RuntimeError, match=r"^level `a` could not be solved to a minimum") as found:
        model.solution()
    assert found.type is RuntimeError


@pytest.mark.parametrize("call", [mlodsl.Model.hypergradient, mlodsl.Model.best_response])
def test_a_choice_that_is_not_finite_is_said_to_be(call: Any) -> None:
    model = mlodsl.compile(MODEL)
    with pytest.raises(RuntimeError, match="what level `a` chooses here is not a finite number"):
        call(model, {"x": [1.0, float("nan")]})
