"""Sizes: whole numbers known before solving, bound by data, or not known yet."""

import pytest

from mlodsl.check import GivenParam

from .checking import checked, errors, findings, given, in_level


def shapes(text: str, **options: object) -> list[tuple[int | str | None, ...]]:
    model = checked(text, **options)
    return [variable.shape for level in model.levels for variable in level.variables]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("3", 3),
        ("n", 4),
        ("2 * n - 1", 7),
        ("n / 2", 2),
        ("floor(n / 3)", 1),
        ("n^2", 16),
        ("rows(X)", 5),
        ("cols(X) + m", 8),
        ("size(X)", 15),
        ("half", 2),
        ("rows(y)", 2),
    ],
)
def test_a_size_is_worked_out_before_solving(size: str, expected: int) -> None:
    text = (
        "param n : int = 4\ndata X : real[m, k]\nlet half = floor(m / 2)\n"
        f"level l {{ var x : real[{size}] var y : real[half] minimize sumsq(x) + sumsq(y) }}"
    )
    assert shapes(text, data_shapes={"X": (5, 3)})[0] == (expected,)


def test_an_int_param_from_the_caller_changes_shapes() -> None:
    text = "param n : int = 4\nlevel l { var x : real[n] minimize sumsq(x) }"
    assert shapes(text, given_params=given(n="2 + 1")) == [(3,)]
    assert shapes(text, given_params={"n": GivenParam(shape=(), static=6)}) == [(6,)]


def test_the_whole_numbers_of_a_model_are_listed() -> None:
    text = "param n : int = 4\ndata X : real[m, 2]\nlet k = n + m\n"
    text += "level l { var x : real[k] minimize sumsq(x) + sum(X) }"
    assert checked(text, data_shapes={"X": (3, 2)}).statics == {"n": 4, "m": 3}


def test_sizes_without_data_are_names_and_fit_everything() -> None:
    text = "data X : real[n, d]\nlevel l { var w : real[d] var v : real[2 * d]\n"
    text += "minimize mean((X @ w - v)^2) + sum(X[:40, :-1]) + sum(X[i] @ w for i in range(n)) }"
    model = checked(text)
    assert [variable.shape for variable in model.levels[0].variables] == [("d",), (None,)]
    assert findings(text) == [("W901", "X")]


def test_sizes_that_differ_for_certain_are_errors_without_data_too() -> None:
    text = "data X : real[n, 3]\nlevel l { var w : real[4] minimize sumsq(X @ w) }"
    assert errors(text) == [("E201", "X @ w")]


def test_data_without_a_type_has_any_shape() -> None:
    text = "data X\nlevel l { var w : real[4] minimize sumsq(X[:, 0] @ w) + sum(X, axis = 2) }"
    assert errors(text) == []


def test_data_of_another_shape_than_declared_is_an_error() -> None:
    text = "data X : real[n, 3]\ndata t : real[n]\nlevel l { var x : real minimize x * sum(X) }"
    assert errors(text, data_shapes={"X": (5, 3), "t": (4,)}) == [("E603", "real[n]")]


def test_a_size_that_a_param_declares_is_not_bound_but_compared() -> None:
    text = "param n : int = 2\ndata X : real[n]\nlevel l { var x : real minimize x * sum(X) }"
    assert errors(text, data_shapes={"X": (3,)}) == [("E603", "real[n]")]


def test_a_real_param_is_no_size_and_the_hint_says_what_mends_it() -> None:
    assert errors("param c = 3\nlevel l { var x : real[c] minimize sumsq(x) }") == [("E208", "c")]


def test_enormous_numbers_are_no_sizes() -> None:
    for size in ("1e30", "10^12", "9^9^9^9", "inf", "1e308 * 10", "inf - inf"):
        assert errors(f"level l {{ var x : real[{size}] minimize sumsq(x) }}") in (
            [("E208", size)],
            [],
        )


def test_a_param_without_default_is_needed_to_solve_and_not_to_check() -> None:
    text = "param c : real[2]\nlevel l { var x : real[2] minimize c @ x }"
    assert errors(text) == []
    assert errors(text, require_values=True) == [("E604", "c")]
    assert errors(text, require_values=True, given_params=given(c="[1, 2]")) == []


def test_a_param_takes_the_shape_of_the_callers_value() -> None:
    text = "param c = 1\nlevel l { var x : real[2] minimize c @ x }"
    assert errors(text, given_params=given(c="[1, 2]")) == []
    assert [code for code, _ in errors(text)] == ["E201"]


def test_a_value_that_does_not_fit_a_declared_param_is_an_error_in_the_value() -> None:
    text = "param c : real[2] = 1\nlevel l { var x : real[2] minimize c @ x }"
    assert errors(text, given_params=given(c="[1, 2, 3]")) == [("E606", "[1, 2, 3]")]
    assert errors(text, given_params={"c": GivenParam(shape=(3,))}) == [("E606", None)]


def test_a_param_that_the_model_lacks_is_an_error_in_the_flag() -> None:
    text = "param scale = 1\nlevel l { var x : real minimize scale * x^2 }"
    assert errors(text, given_params=given(scael="2")) == [("E605", "2")]


def test_a_param_may_use_other_params() -> None:
    text = "param a : real[n] = 2 * b\nparam b = [1, 2, 3]\nparam n : int = rows(b)\n"
    model = checked(text + in_level("a @ x"))
    assert [param.name for param in model.params] == ["b", "n", "a"]
