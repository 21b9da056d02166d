"""Building: what is refused, with which code and at which characters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.diagnostics import ModelError
from mlodsl.modules import build, with_params

from .building import built, checked_model

SIMPLE = "level l { var x : real minimize x^2 }"


def refused(text: str, **given: object) -> list[tuple[str, str | None]]:
    """Codes and characters of the diagnostics of a build."""
    with pytest.raises(ModelError) as caught:
        built(text, **given)  # type: ignore[arg-type]
    return [
        (found.code, None if found.span is None else found.span.text)
        for found in caught.value.diagnostics
    ]


# ---------------------------------------------------------------- not built yet


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("level l { var net : mlp(1, 2) minimize sumsq(net) }", [("E803", "net")]),
        (SIMPLE + " solve { batch_size = 3 }", [("E804", "batch_size = 3")]),
    ],
)
def test_what_cannot_be_solved_yet_is_refused_at_its_place(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert sorted(refused(text)) == expected


def test_a_refusal_names_the_variable_and_a_way_out() -> None:
    with pytest.raises(ModelError) as caught:
        built("level l { var net : mlp(1, 2) minimize sumsq(net) }")
    (found,) = caught.value.diagnostics
    assert "`net`" in found.message and "tanh(X @ A + b) @ c" in (found.hint or "")


# ---------------------------------------------------------------- values


def test_data_with_a_hole_is_refused_at_its_place() -> None:
    table = np.ones((3, 2))
    table[2, 1] = np.nan
    text = "data T : real[n, 2] level l { var x : real minimize x * sum(T) }"
    with pytest.raises(ModelError, match=r"`T` is not a number \(nan\) at \[2, 1\]"):
        built(text, data={"T": table})


def test_data_that_are_no_numbers_are_refused() -> None:
    checked = checked_model(
        "data T : real[2] level l { var x : real minimize x * sum(T) }", data={"T": np.ones(2)}
    )
    with pytest.raises(ModelError, match="E601"):
        build(checked, {}, {"T": np.array(["a", "b"])}, {}, "float64")


def test_data_of_another_shape_are_refused() -> None:
    checked = checked_model(
        "data T : real[2] level l { var x : real minimize x * sum(T) }", data={"T": np.ones(2)}
    )
    with pytest.raises(ModelError, match="E603"):
        build(checked, {}, {"T": np.ones(3)}, {}, "float64")


def test_missing_data_are_refused() -> None:
    checked = checked_model(
        "data T : real[2] level l { var x : real minimize x * sum(T) }", data={"T": np.ones(2)}
    )
    with pytest.raises(ModelError, match="E604"):
        build(checked, {}, {}, {}, "float64")


PARAM = "param c = 1.0 level l { var x : real minimize c * x^2 }"


@pytest.mark.parametrize("value", [np.nan, "text", 1j, object(), [[1.0], [2.0, 3.0]]])
def test_a_param_that_is_no_real_number_is_refused(value: object) -> None:
    checked = checked_model(PARAM)
    with pytest.raises(ModelError, match="E606"):
        build(checked, {"c": value}, {}, {}, "float64")


def test_a_param_of_another_shape_is_refused() -> None:
    with pytest.raises(ModelError, match="E606"):
        with_params(built(PARAM), {"c": np.ones(3)})


def test_changing_a_param_that_there_is_not_suggests_one_that_there_is() -> None:
    problem = built("param weight = 1.0 level l { var x : real minimize weight * x^2 }")
    with pytest.raises(ModelError, match="did you mean `weight`"):
        with_params(problem, {"wieght": 2.0})


def test_changing_a_whole_number_param_without_compiling_is_refused() -> None:
    problem = built("param k : int = 1 level l { var x : real[k] minimize sumsq(x) }")
    with pytest.raises(ModelError, match="E606"):
        with_params(problem, {"k": 2})


def test_a_default_that_is_not_a_number_is_refused_at_its_expression() -> None:
    text = "param c = 0 / 0 level l { var x : real minimize c * x^2 }"
    assert refused(text) == [("E606", "0 / 0")]


def test_an_infinite_param_may_bound_a_domain() -> None:
    problem = built("param u = inf level l { var x : real in [0, u] minimize x^2 }")
    assert float(problem.project(0, jnp.asarray([7.0]))[0]) == 7


def test_every_wrong_param_is_reported() -> None:
    params = "param a = 0 / 0 param b = a + 1 param c = inf - inf"
    text = params + " level l { var x : real minimize a + b + c + x }"
    assert [code for code, _ in refused(text)] == ["E606", "E606"]


@pytest.mark.parametrize("domain", ["[lo, 1]", "ball(1 - lo)"])
def test_a_domain_that_a_param_empties_is_refused(domain: str) -> None:
    text = f"param lo = 2 level l {{ var x : real[2] in {domain} minimize sum(x) }}"
    assert refused(text) == [("E401", domain)]


# ---------------------------------------------------------------- Python functions


def test_a_python_function_that_fails_is_reported_at_its_call() -> None:
    def broken(x: jax.Array) -> jax.Array:
        raise KeyError("weights")

    text = "level l { var x : real minimize 1 + broken(x) }"
    assert refused(text, functions={"broken": broken}) == [("E607", "broken(x)")]


def test_a_python_function_that_branches_on_a_variable_is_reported() -> None:
    def branching(x: jax.Array) -> jax.Array:
        return x if x > 0 else -x

    text = "level l { var x : real minimize branching(x) }"
    assert refused(text, functions={"branching": branching}) == [("E607", "branching(x)")]


def test_an_objective_that_a_python_function_makes_an_array_is_reported() -> None:
    text = "level l { var x : real minimize both(x) }"
    found = refused(text, functions={"both": lambda x: jnp.stack([x, x])})
    assert found == [("E205", "both(x)")]


def test_a_python_function_that_returns_no_array_is_reported() -> None:
    text = "level l { var x : real minimize text(x) }"
    assert refused(text, functions={"text": lambda x: "no"}) == [("E607", "text(x)")]


def test_shapes_that_a_python_function_gets_wrong_are_reported() -> None:
    text = "level l { var x : real[3] minimize sum(two(x) * x) }"
    (found,) = refused(text, functions={"two": lambda x: jnp.ones(2)})
    assert found == ("E201", "sum(two(x) * x)")
