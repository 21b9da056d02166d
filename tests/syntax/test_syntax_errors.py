"""Syntax errors: where they are, what they say, and that reading goes on without cascades."""

import pytest

from mlodsl.diagnostics import Diagnostic, ModelError, Source
from mlodsl.syntax import parse_expression, parse_program
from mlodsl.syntax.table import load_table


def errors(text: str) -> tuple[Diagnostic, ...]:
    program, diagnostics = parse_program(Source("test.mlo", text))
    assert (program is None) == bool(diagnostics)
    return diagnostics


def only(text: str) -> Diagnostic:
    (diagnostic,) = errors(text)
    return diagnostic


def marked(diagnostic: Diagnostic) -> str:
    assert diagnostic.span is not None
    return diagnostic.span.text


def line(diagnostic: Diagnostic) -> int:
    assert diagnostic.span is not None
    return diagnostic.span.source.position(diagnostic.span.start)[0]


# ---------------------------------------------------------------- one mistake, one message


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("let a = = 2", "E002", "=", "expected an expression, found `=`"),
        ("let a = 1 +", "E002", "", "expected an expression, found the end of the text"),
        ("let = 1", "E002", "=", "expected a name or `(`, found `=`"),
        ("let a = f(1 2)", "E002", "2", "expected an operator, `,` or `)`, found `2`"),
        ("level a { x }", "E002", "x", "expected a statement or `}`, found `x`"),
        ("solve { 3 }", "E002", "3", "expected an option or `}`, found `3`"),
        ("solve { seed 3 }", "E002", "3", "expected `=`, found `3`"),
        ("level a var x : real }", "E002", "var", "expected `{`, found `var`"),
        ("level a { } }", "E002", "}", "`}` closes no block"),
        ("let a = x.shape", "E002", "shape", "expected `T` after the point, found `shape`"),
        ("let a = f(k = 1, 2)", "E002", "2", "positional argument after `k = …`"),
        ("level a { subject to x }", "E002", "x", "expected a comparison: `<=`, `>=` or `==`"),
        ("let a = $", "E001", "$", "unexpected character `$`"),
        ("let a = \x00", "E001", "\x00", "unexpected character U+0000"),
        ("let a =\u00a01", "E001", "\u00a0", "unexpected character U+00A0"),
        ("let λ = 1", "E001", "λ", "unexpected character `λ` (U+03BB)"),
        ("let a = ??? 1", "E001", "???", "unexpected character `?` and 2 more"),
        ('let a = csv("x', "E007", '"x', "the text is not closed on its line"),
        ("let a = 1e999", "E008", "1e999", "number too large for floating-point arithmetic"),
        ("level a { var x : reel[3] }", "E403", "reel", "unknown type `reel`"),
        ("param k : int[3]", "E403", "int[3]", "`int` is one whole number and has no sizes"),
        ("var x : real", "E305", "var", "`var` stands outside of levels"),
        ("level a { param c = 1 }", "E305", "param", "`param` stands inside of `level a`"),
        ("let a = 1 model b", "E305", "model", "`model` is not the first statement"),
    ],
)
def test_a_mistake_has_its_code_place_and_words(
    text: str, code: str, place: str, words: str
) -> None:
    diagnostic = only(text)
    assert (diagnostic.code, marked(diagnostic), diagnostic.message) == (code, place, words)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("level a { minimise x }", "did you mean `minimize`?"),
        ("lvl a { }", "did you mean `level`?"),
        ("LEVEL a { }", "did you mean `level`?"),
        ("parm c = 1", "did you mean `param`?"),
        ("level a { variable x : real }", "did you mean `var`?"),
        ("level a { x : real }", "declare it: `var x : …`"),
        ("level a { var w : real  x : real[2] = 1  minimize x }", "declare it: `var x : …`"),
        ("level a { minimize w  x : mlp(1, 2) }", "declare it: `var x : …`"),
        ("level a { max x }", "did you mean `maximize`?"),
        ("level a { subjectto x <= 1 }", "did you mean `subject to`?"),
        ("let s = sum(x[i] fro i in range(n))", "did you mean `for`?"),
        ("let a = 2x", "write `*` to multiply"),
        ("let a = [1 2]", "write `,` between the two"),
        ("let a = (b, c)", "lists are written `[a, b]`"),
        ("level a { subject to x = 1 }", "`==` compares"),
        ("level a { subject to x =< 1 }", "write `<=`"),
        ("level a { var x = 1 }", "a variable has a type: `var x : real`"),
        ("level a { var x, y : real }", "each variable has a `var` of its own"),
        ("level a { subject to x <= 1\n y <= 2 }", "write `,` between two constraints"),
        ("a = 1", "write `let a = …` to name an expression"),
        ("let a = +1", "a number needs no `+`"),
        ("// a comment", "comments begin with `#`"),
        ("let a = “x”", 'texts stand in `"`'),
        ("level a { subject to x ≤ 1 }", "write `<=`"),
        ("level a { var x : rael[3] }", "did you mean `real`?"),
        ("let a = f(x\nlet b = 1", "`(` in line 1, column 10 is open"),
    ],
)
def test_a_mistake_has_a_likely_fix(text: str, hint: str) -> None:
    assert only(text).hint == hint


@pytest.mark.parametrize("word", load_table().keywords)
@pytest.mark.parametrize(
    "text", ["let {} = 1", "level a {{ var {} : real }}", "let f({}) = 1", "param {}"]
)
def test_a_reserved_word_is_no_name(word: str, text: str) -> None:
    diagnostic = only(text.format(word))
    assert (diagnostic.code, marked(diagnostic)) == ("E005", word)


def test_the_reserved_words_are_those_of_the_language_reference() -> None:
    listed = (
        "model param data let level player var in minimize maximize subject to solve for "
        "true false inf pi import dual"
    )
    assert set(load_table().keywords) == set(listed.split())


def test_a_reserved_word_in_an_expression_is_no_name() -> None:
    diagnostic = only("let a = data + 1")
    assert (diagnostic.code, marked(diagnostic)) == ("E005", "data")


def test_an_expression_that_is_missing_before_a_statement_is_no_reserved_word() -> None:
    diagnostic = only("let a =\nlet b = 1")
    assert diagnostic.message == "expected an expression, found `let`"


# ---------------------------------------------------------------- blocks


def test_a_brace_left_open_before_a_level_is_named() -> None:
    diagnostic = only("level a {\n var x : real\n\nlevel b { var y : real }")
    assert (line(diagnostic), marked(diagnostic)) == (4, "level")
    assert "the `{` of `level a` is open" in diagnostic.message
    assert diagnostic.hint == "close the `{` of line 1"


def test_a_brace_left_open_at_the_end_is_named() -> None:
    diagnostic = only("level a { }\nlevel b {\n player p {\n var y : real }\n")
    assert (line(diagnostic), diagnostic.hint) == (4, "close the `{` of line 2")


def test_a_level_inside_of_a_level_is_one_mistake() -> None:
    assert line(only("level a {\n level b { var x : real }\n minimize x\n}")) == 2


def test_statements_of_a_level_that_is_closed_too_early_are_one_mistake() -> None:
    assert line(only("level a { var x : real }\n var y : real\n minimize x\n}")) == 2


# ---------------------------------------------------------------- several mistakes

FULL_OF_MISTAKES = """param c = 1 +
data wine = csv("a.csv"
let a = 2x
level one {
  var x : real[3
  minimize (x + ]
  subject to x <= , y
  minimise x $ 2
}
lvl two {
  var data : real
}
solve { seed = = 3, starts = }
"""


def test_every_statement_has_its_own_mistake_reported() -> None:
    lines = [line(diagnostic) for diagnostic in errors(FULL_OF_MISTAKES)]
    assert lines == [2, 3, 3, 6, 6, 7, 8, 8, 10, 11, 13, 13]


def test_errors_come_in_the_order_of_their_places() -> None:
    found = errors("level a {\n var x\n}\nlet b = $\nlet c = )")
    assert [line(diagnostic) for diagnostic in found] == [3, 4, 5]


def test_options_after_a_wrong_one_are_read() -> None:
    assert len(errors("solve { seed 3 starts = = 2\n level a { steps = } timeout = * }")) == 4


def test_a_keyword_argument_in_a_wrong_call_is_no_option() -> None:
    assert len(errors("solve { strategy = implicit(3 4, cg = 1) seed = 1 }")) == 1


def test_a_brace_in_a_wrong_expression_ends_its_level() -> None:
    assert len(errors("level a { minimize (x + }\nlevel b { var y : real minimize y }")) == 1


def test_a_text_that_is_no_model_has_a_bounded_number_of_errors() -> None:
    assert len(errors("let = 1\n" * 1000)) == 100


# ---------------------------------------------------------------- expressions by themselves


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E002"),
        ("1 +", "E002"),
        ("1 2", "E002"),
        ("$", "E001"),
        ('"a', "E007"),
        ("data", "E005"),
        ("1e999", "E008"),
    ],
)
def test_a_wrong_expression_raises_its_diagnostic(text: str, code: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_expression(Source("--set c", text))
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == [code]
