"""Names: one namespace, what is seen where, what needs what."""

import time

from .checking import checked, diagnose, errors, findings, in_level


def test_a_let_may_use_what_is_declared_further_down() -> None:
    assert errors("let a = b + 1\nlet b = 2\nlevel l { var x : real minimize a * x^2 }") == []


def test_lets_are_ordered_by_need() -> None:
    model = checked("let a = b + c\nlet b = c\nlet c = 1\nlevel l { var x : real minimize a*x }")
    assert [let.name for let in model.lets] == ["c", "b", "a"]


def test_a_let_of_a_level_is_seen_in_it_only() -> None:
    text = "level u { var x : real let p = x^2 minimize p }\nlevel l { var y : real minimize p }"
    assert errors(text) == [("E105", "p")]


def test_a_let_of_a_player_is_hidden_from_the_other_player() -> None:
    text = """level market {
  let both = a + b
  player one { var a : real let own = a^2 minimize own + both }
  player two { var b : real minimize b^2 + own }
}"""
    assert errors(text) == [("E105", "own")]


def test_a_misspelt_name_is_the_only_finding() -> None:
    text = "level l { var lam : real var x : real minimize x^2 + exp(lamda) * x }"
    _, (finding,) = diagnose(text)
    assert (finding.code, finding.hint) == ("E102", "did you mean `lam`?")


def test_what_follows_from_an_unknown_name_is_not_reported() -> None:
    text = in_level("x + bad + x[9]", "let bad = nowhere + [1, 2]")
    assert [code for code, _ in errors(text)] == ["E102", "E206"]


def test_a_name_declared_twice_spoils_no_expression() -> None:
    assert errors("let x = 1\n" + in_level("x[0] + x")) == [("E101", "x")]


def test_a_for_name_is_seen_in_its_body_only() -> None:
    assert errors(in_level("sum(x[i] for i in range(3)) + i")) == [("E102", "i")]


def test_two_loops_may_use_one_name_after_the_other() -> None:
    assert errors(in_level("sum(x[i] for i in range(3)) + sum(w[i] for i in range(4))")) == []


def test_functions_may_share_the_names_of_parameters() -> None:
    assert errors(in_level("f(1) + g(2)", "let f(u) = u\nlet g(u) = 2 * u")) == []


def test_a_python_function_takes_its_name() -> None:
    text = "let loss = 1\nlevel l { var x : real minimize x^2 + loss }"
    assert errors(text, python_functions={"loss"}) == [("E103", "loss")]


def test_a_python_function_may_be_called() -> None:
    text = "level l { var x : real minimize loss(x, 2) }"
    assert errors(text, python_functions={"loss"}) == []


def test_the_model_may_be_named_as_a_variable() -> None:
    assert errors("model x\nlevel l { var x : real minimize x^2 }") == []


def test_the_lets_that_depend_on_variables_say_so() -> None:
    model = checked(
        "let a = x + b\nlet b = 2\nlet f(z) = z * y\nlet c = f(b)\n"
        "level u { var x : real minimize a + c }\nlevel l { var y : real minimize y^2 }"
    )
    assert {let.name: set(let.variables) for let in model.lets} == {
        "a": {"x"},
        "b": set(),
        "c": {"y"},
    }


def test_thousands_of_lets_in_a_row_are_fine() -> None:
    lets = "".join(f"let a{i} = a{i + 1} + 1\n" for i in range(3000)) + "let a3000 = 1\n"
    assert errors(lets + "level l { var x : real minimize a0 * x^2 }") == []


def test_thousands_of_unknown_names_are_told_fast() -> None:
    text = in_level(" + ".join(f"unknown{i}" for i in range(3000)))
    started = time.perf_counter()
    assert len(findings(text)) == 3000
    assert time.perf_counter() - started < 2


def test_an_unused_name_is_a_warning() -> None:
    text = "param c = 1\nlevel l { var x : real minimize x^2 }"
    assert findings(text) == [("W902", "c")]


def test_unused_functions_and_used_parts_are_no_warning() -> None:
    text = "let f(u) = u\nlet (a, b) = split([1, 2], 1, 1)\n"
    assert findings(text + "level l { var x : real minimize x^2 + b[0] }") == []


def test_data_is_used_where_a_size_that_it_binds_is() -> None:
    text = "data X : real[n, 2]\nlevel l { var x : real[n] minimize sumsq(x) }"
    assert findings(text, data_shapes={"X": (3, 2)}) == []
