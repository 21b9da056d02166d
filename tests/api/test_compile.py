"""From texts, paths, params, data and functions to a model."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mlodsl

from .curved import MODEL

SMALL = "param c = 1.0 level only { var x : real minimize (x - c)^2 }"


def codes(error: pytest.ExceptionInfo[mlodsl.ModelError]) -> list[str]:
    return [diagnostic.code for diagnostic in error.value.diagnostics]


def test_a_text_is_compiled() -> None:
    assert mlodsl.compile(MODEL).name == "curved"


def test_a_path_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "game.mlo").write_text(SMALL)
    assert mlodsl.compile(tmp_path / "game.mlo").name == "game"


def test_a_line_that_ends_in_mlo_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "game.mlo").write_text(SMALL)
    assert mlodsl.compile(str(tmp_path / "game.mlo")).name == "game"


def test_data_is_found_next_to_the_model(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("1,2\n3,4\n")
    path = tmp_path / "game.mlo"
    path.write_text('data A = csv("table.csv") level only { var x : real[2] minimize sumsq(x) }')
    np.testing.assert_array_equal(mlodsl.compile(path).problem.data["A"], [[1, 2], [3, 4]])


def test_a_missing_file_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(mlodsl.ModelError, match=r"nowhere\.mlo"):
        mlodsl.compile(tmp_path / "nowhere.mlo")


def test_levels_say_what_is_declared() -> None:
    leader, second, third = mlodsl.compile(MODEL).levels
    assert (leader.name, leader.title) == ("leader", "pays for what the others do")
    assert (second.sense, third.sense) == ("minimize", "maximize")
    assert (leader.variables, third.variables) == ({"x": (2,)}, {"z": ()})


@pytest.mark.parametrize("value", [3, 3.0, np.float32(3), jnp.asarray(3.0)], ids=repr)
def test_a_param_is_a_float64_leaf(value: object) -> None:
    param = mlodsl.compile(SMALL, params={"c": value}).problem.params["c"]
    assert (float(param), str(param.dtype)) == (3.0, "float64")


def test_an_array_param_takes_a_nested_list() -> None:
    model = mlodsl.compile(MODEL, params={"c": [5, 6]})
    np.testing.assert_array_equal(model.problem.params["c"], [5, 6])


def test_data_from_the_caller_binds_its_sizes() -> None:
    text = "data A : real[n, d] level only { var x : real[d] minimize sumsq(A @ x - 1) + n }"
    model = mlodsl.compile(text, data={"A": np.eye(3)[:, :2]})
    assert model.levels[0].variables == {"x": (2,)}


def test_a_python_function_is_called_by_its_name() -> None:
    text = "level only { var x : real minimize well(x, 2) }"
    model = mlodsl.compile(text, functions={"well": lambda x, at: jnp.cosh(x - at)})
    np.testing.assert_allclose(model.solve()["x"], 2, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("level only { var x : real minimize x + w }", {}, ["E102"]),
        ("level a { var x : real minimize u } level b { var y : real minimize w }", {}, 2),
        (SMALL, {"params": {"d": 1.0}}, ["E605"]),
        (SMALL, {"params": {"c": [1.0, 2.0]}}, 1),
        (SMALL, {"data": {"A": np.eye(2)}}, ["E605"]),
        ("param c level only { var x : real minimize x^2 + c }", {}, ["E604"]),
        ("data A : real[n] level only { var x : real[n] minimize sumsq(x - A) }", {}, ["E604"]),
    ],
)
def test_what_is_wrong_is_a_model_error_with_diagnostics(
    text: str, arguments: dict[str, object], expected: list[str] | int
) -> None:
    with pytest.raises(mlodsl.ModelError) as error:
        mlodsl.compile(text, **arguments)
    found = codes(error)
    assert (len(found) if isinstance(expected, int) else found) == expected


def test_a_model_errors_text_points_at_the_place() -> None:
    with pytest.raises(mlodsl.ModelError, match=r"<string>:2:12[\s\S]*\^"):
        mlodsl.compile("level only { var x : real\n  minimize nothing }")


def test_compiling_again_gives_an_equal_structure() -> None:
    """So that compiled code is shared."""
    assert mlodsl.compile(MODEL).problem.structure == mlodsl.compile(MODEL).problem.structure


def test_a_models_leaves_are_its_params_and_data() -> None:
    model = mlodsl.compile(MODEL)
    shapes = sorted(leaf.shape for leaf in jax.tree.leaves(model))
    assert shapes == [(), (2,)]
