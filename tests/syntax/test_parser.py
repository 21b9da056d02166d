"""What text means: precedence, literals, statements, and the words that stay ordinary names."""

import gc

import pytest

from mlodsl.diagnostics import ModelError, Source
from mlodsl.syntax import nodes, parse_expression, parse_program


def expression(text: str) -> nodes.Expression:
    return parse_expression(Source("expression", text))


def program(text: str) -> nodes.Program:
    parsed, diagnostics = parse_program(Source("test.mlo", text))
    assert parsed is not None, diagnostics
    return parsed


def level(text: str) -> tuple[nodes.Statement, ...]:
    (found,) = program(f"level a {{ {text} }}").statements
    assert isinstance(found, nodes.Level)
    return found.statements


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("-x^2", "-(x^2)"),
        ("2^-1", "2^(-1)"),
        ("2^-x^2", "2^(-(x^2))"),
        ("a^b^c", "a^(b^c)"),
        ("a**b", "a^b"),
        ("-a*b", "(-a)*b"),
        ("a*-b", "a*(-b)"),
        ("a - -b", "a - (-b)"),
        ("a + b*c", "a + (b*c)"),
        ("a*b^2", "a*(b^2)"),
        ("a + b <= c*d", "(a + b) <= (c*d)"),
        ("A.T @ x", "(A.T) @ x"),
        ("-A.T[0]", "-((A.T)[0])"),
        ("x[0]^2", "(x[0])^2"),
        ("f(a, b,)", "f(a, b)"),
        ("[1, 2,]", "[1, 2]"),
        ("((((x))))", "x"),
    ],
)
def test_an_expression_groups_as_its_parenthesised_form(text: str, same: str) -> None:
    assert expression(text) == expression(same)


@pytest.mark.parametrize(
    ("text", "other"),
    [("(a + b) + c", "a + b + c"), ("a - (b - c)", "a - b - c"), ("(-x)^2", "-x^2")],
)
def test_parentheses_that_change_the_tree_are_kept(text: str, other: str) -> None:
    assert expression(text) != expression(other)


def test_a_sum_is_one_flat_chain() -> None:
    chain = expression("a + b - c")
    assert isinstance(chain, nodes.Chain)
    assert [operator for operator, _ in chain.rest] == ["+", "-"]


def test_a_sum_of_5000_terms_is_read() -> None:
    chain = expression(" + ".join(["x"] * 5000))
    assert isinstance(chain, nodes.Chain)
    assert len(chain.rest) == 4999


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), (".5", 0.5), ("1.", 1.0), ("1e-3", 1e-3), ("2.5E+2", 250.0), ("007", 7)],
)
def test_a_number_has_its_value(text: str, value: int | float) -> None:
    number = expression(text)
    assert isinstance(number, nodes.Number)
    assert (number.value, type(number.value)) == (value, type(value))


@pytest.mark.parametrize("text", ["1", "10000000000000000000000"])
def test_a_number_without_point_and_exponent_is_whole(text: str) -> None:
    number = expression(text)
    assert isinstance(number, nodes.Number)
    assert isinstance(number.value, int)


def test_a_backslash_in_a_text_is_an_ordinary_character() -> None:
    text = expression(r'"C:\new\table.csv"')
    assert isinstance(text, nodes.Text)
    assert text.value == r"C:\new\table.csv"


@pytest.mark.parametrize(
    "word", ["real", "int", "csv", "range", "axis", "nonnegative", "auto", "T", "minimizer", "to_x"]
)
def test_a_word_that_is_not_reserved_is_a_name(word: str) -> None:
    (let,) = program(f"let {word} = {word}").statements
    assert isinstance(let, nodes.LetValue)
    assert let.name.name == word


def test_a_comparison_parses_as_an_argument() -> None:
    call = expression("where(a <= b, x, y)")
    assert isinstance(call, nodes.Call)
    assert isinstance(call.arguments[0], nodes.Comparison)


@pytest.mark.parametrize("operator", ["<=", ">=", "==", "<", ">"])
def test_every_comparison_parses_in_a_constraint(operator: str) -> None:
    (subject_to,) = level(f"subject to a {operator} b")
    assert isinstance(subject_to, nodes.SubjectTo)
    comparison = subject_to.constraints[0].comparison
    assert isinstance(comparison, nodes.Comparison)
    assert comparison.rest[0][0] == operator


def test_a_range_of_bounds_is_one_comparison() -> None:
    (subject_to,) = level("subject to c : 0 <= x[i] <= 1 for i in range(n), y == 2")
    assert isinstance(subject_to, nodes.SubjectTo)
    first, second = subject_to.constraints
    assert first.name is not None
    assert isinstance(first.comparison, nodes.Comparison)
    assert (first.name.name, len(first.comparison.rest), len(first.clauses)) == ("c", 2, 1)
    assert (second.name, second.clauses) == (None, ())


def test_a_tuple_is_what_a_for_walks() -> None:
    call = expression("mean(loss(a @ w, b) for a, b in (X, t))")
    assert isinstance(call, nodes.Call)
    (generator,) = call.arguments
    assert isinstance(generator, nodes.Generator)
    assert isinstance(generator.clauses[0].iterable, nodes.TupleLiteral)


def test_a_tuple_stands_nowhere_else() -> None:
    with pytest.raises(ModelError):
        expression("(a, b)")


def test_each_part_of_a_slice_may_be_missing() -> None:
    index = expression("x[:, 1:, :-1, ::2]")
    assert isinstance(index, nodes.Index)
    parts = [
        (item.start is not None, item.stop is not None, item.step is not None)
        for item in index.items
        if isinstance(item, nodes.Slice)
    ]
    assert parts == [
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def test_dual_is_called_like_a_function() -> None:
    call = expression("dual(c)")
    assert isinstance(call, nodes.Call)
    assert call.function.name == "dual"


@pytest.mark.parametrize("separator", [" ", "\n", ";", "\n;\n"])
def test_statements_need_no_separator_and_allow_a_semicolon(separator: str) -> None:
    assert len(program(f"let a = 1{separator}let b = 2").statements) == 2


@pytest.mark.parametrize("separator", [" ", "\n", ";", ",", " , "])
def test_options_separate_by_space_comma_or_semicolon(separator: str) -> None:
    (solve,) = program(f"solve {{ seed = 1{separator}starts = auto }}").statements
    assert isinstance(solve, nodes.Solve)
    assert len(solve.options) == 2


def test_a_level_in_solve_has_options_of_its_own() -> None:
    text = "solve { level a { optimizer = sgd(0.01), steps = 3 } level b { } seed = 1 }"
    (solve,) = program(text).statements
    assert isinstance(solve, nodes.Solve)
    assert [type(option) for option in solve.options] == [
        nodes.LevelOptions,
        nodes.LevelOptions,
        nodes.Option,
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("real", nodes.RealType),
        ("real[n, 3]", nodes.RealType),
        ("int", nodes.IntType),
        ("mlp(4, 32, activation = tanh)", nodes.NetworkType),
        ("module", nodes.NetworkType),
    ],
)
def test_a_variable_has_a_type(text: str, kind: type) -> None:
    (variable,) = level(f"var x : {text}")
    assert isinstance(variable, nodes.Var)
    assert isinstance(variable.type, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[0, inf]", nodes.IntervalDomain),
        ("simplex", nodes.NamedDomain),
        ("ball(2)", nodes.NamedDomain),
    ],
)
def test_a_variable_may_have_a_domain_and_a_start(text: str, kind: type) -> None:
    (variable,) = level(f"var x : real in {text} = 1")
    assert isinstance(variable, nodes.Var)
    assert isinstance(variable.domain, kind)
    assert isinstance(variable.start, nodes.Number)


def test_a_start_may_be_drawn() -> None:
    (variable,) = level("var x : real[3] ~ normal(0, 1)")
    assert isinstance(variable, nodes.Var)
    assert isinstance(variable.start, nodes.Draw)


def test_a_player_stands_in_a_level() -> None:
    (player,) = level('player p "first" { var x : real minimize x^2 }')
    assert isinstance(player, nodes.Player)
    assert len(player.statements) == 2


def test_an_empty_text_is_an_empty_program() -> None:
    assert program(" \n# only a comment\n").statements == ()


def test_comments_lose_their_trailing_space() -> None:
    (comment,) = program("# spaces follow   \nlet a = 1").comments
    assert comment.text == "# spaces follow"


def test_an_expression_may_start_inside_of_a_text() -> None:
    number = parse_expression(Source("--set c=10", "c=10"), start=2)
    assert (number.span.start, number.span.end) == (2, 4)


def test_equal_trees_from_different_places_are_equal() -> None:
    assert expression("a+b") == expression("  a  +  b  # the same")


def test_reading_leaves_the_collector_of_garbage_as_it_was() -> None:
    text = Source("model.mlo", "level l { var x : real minimize x^2 }")
    assert gc.isenabled()
    parse_program(text)
    assert gc.isenabled()
    gc.disable()
    try:
        parse_program(text)
        assert not gc.isenabled()
    finally:
        gc.enable()
