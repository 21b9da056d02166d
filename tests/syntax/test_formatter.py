"""The canonical layout, a rule at a time."""

import pytest

from mlodsl.diagnostics import Source
from mlodsl.syntax import format_expression, format_program, parse_expression, parse_program


def formatted(text: str) -> str:
    program, diagnostics = parse_program(Source("test.mlo", text))
    assert program is not None, diagnostics
    return format_program(program)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a+b*c", "a + b * c"),
        ("a*(b)", "a * b"),
        ("(a*b)+c", "a * b + c"),
        ("(a+b)*c", "(a + b) * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a+b)+c", "(a + b) + c"),
        ("(-x)^2", "(-x)^2"),
        ("-(x^2)", "-x^2"),
        ("2**-1", "2^-1"),
        ("(a^b)^c", "(a^b)^c"),
        ("a^(b^c)", "a^b^c"),
        ("a ^ (b+1)", "a^(b + 1)"),
        ("-(a*b)", "-(a * b)"),
        ("x [ 1 : 3 ]", "x[1:3]"),
        ("X[ : , : - 1 ]", "X[:, :-1]"),
        ("x[::2]", "x[::2]"),
        ("(1).T", "(1).T"),
        ("( A @ B ).T", "(A @ B).T"),
        ("f( a,b ,k=1 , )", "f(a, b, k = 1)"),
        ("[1,2 , ]", "[1, 2]"),
        ("sum( x[i] for i in range(n) )", "sum(x[i] for i in range(n))"),
        ("where(a<=b,x,y)", "where(a <= b, x, y)"),
        ("(a<=b)<=c", "(a <= b) <= c"),
        ("1E-3 + .5 + 1.", "1E-3 + .5 + 1."),
    ],
)
def test_an_expression_has_one_layout(text: str, canonical: str) -> None:
    assert format_expression(parse_expression(Source("expression", text))) == canonical


def test_blank_lines_shrink_to_one() -> None:
    assert formatted("\n\nlet a = 1\n\n\n\nlet b = 2\n\n") == "let a = 1\n\nlet b = 2\n"


def test_levels_are_set_off_by_blank_lines() -> None:
    text = "let a = 1 level b { } level c { } let d = 1"
    assert formatted(text) == "let a = 1\n\nlevel b {\n}\n\nlevel c {\n}\n\nlet d = 1\n"


def test_no_blank_line_stands_inside_of_the_braces() -> None:
    assert formatted("level a {\n\n  var x : real\n\n}") == "level a {\n  var x : real\n}\n"


def test_each_constraint_has_its_line() -> None:
    text = "level a { subject to x <= 1, c: y >= 2 }"
    assert formatted(text) == (
        "level a {\n"  # the second begins below the first
        "  subject to x <= 1,\n"
        "             c : y >= 2\n"
        "}\n"
    )


def test_short_options_of_levels_stand_on_one_line_each_aligned() -> None:
    text = "solve { level a { steps = 3, seed = 1 } level long { steps = 4 } }"
    assert formatted(text) == (
        "solve {\n"
        "  level a    { steps = 3  seed = 1 }\n"  # the braces begin in one column
        "  level long { steps = 4 }\n"
        "}\n"
    )


def test_long_options_of_levels_stand_on_lines_of_their_own() -> None:
    options = " ".join(f"option_number_{number} = {number}" for number in range(6))
    text = formatted(f"solve {{ level a {{ {options} }} }}")
    assert text.startswith("solve {\n  level a {\n    option_number_0 = 0\n")


@pytest.mark.parametrize("operator", ["+", "*", "<="])
def test_no_line_that_can_break_is_over_100_columns(operator: str) -> None:
    terms = f" {operator} ".join(f"some_function(argument_{n}, other_{n})" for n in range(30))
    numbers = ", ".join(["1.25"] * 80)
    text = formatted(f"level a {{ minimize f({terms}, [{numbers}]) }}")
    assert max(len(line) for line in text.splitlines()) <= 100


def test_a_sum_of_5000_terms_is_formatted() -> None:
    text = formatted("let a = " + " + ".join(["x"] * 5000))
    assert text.count("x") == 5000


def test_a_comment_in_an_expression_moves_to_its_end() -> None:
    assert formatted("let a = 1 + # why\n  2") == "let a = 1 + 2  # why\n"


def test_a_comment_in_an_expression_moves_before_it_where_its_end_is_taken() -> None:
    assert formatted("let a = 1 + # why\n  2 # end") == "# why\nlet a = 1 + 2  # end\n"


def test_comments_of_neighbouring_lines_begin_in_one_column() -> None:
    text = "let a = 1 # one\nlet long = 2 # two\n\nlet b = 3 # three"
    assert formatted(text) == ("let a = 1     # one\nlet long = 2  # two\n\nlet b = 3  # three\n")
