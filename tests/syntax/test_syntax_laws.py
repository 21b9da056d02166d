"""What holds of every program: formatting keeps the tree and the comments, spans point right."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mlodsl.diagnostics import Source
from mlodsl.syntax import (
    decode,
    format_expression,
    format_program,
    nodes,
    parse_expression,
    parse_program,
    walk,
)
from mlodsl.syntax.lexer import tokenize

from .mlo_programs import EXPRESSIONS, programs

ROOT = Path(__file__).parents[2]
CASES = ROOT.parent / "shared" / "cases"
MODELS = sorted([*CASES.rglob("*.mlo"), *(ROOT / "models").rglob("*.mlo")])
GOLDEN = sorted((ROOT / "tests" / "golden" / "good").glob("*.mlo"))

law = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def read(text: str) -> nodes.Program:
    program, diagnostics = parse_program(Source("test.mlo", text))
    assert program is not None, diagnostics
    return program


@law
@given(programs())
def test_a_formatted_program_reads_as_the_same_program(program: nodes.Program) -> None:
    assert read(format_program(program)) == program


@law
@given(programs())
def test_formatting_twice_changes_nothing(program: nodes.Program) -> None:
    text = format_program(program)
    assert format_program(read(text)) == text


@law
@given(EXPRESSIONS)
def test_a_formatted_expression_reads_as_the_same_expression(
    expression: nodes.Expression,
) -> None:
    text = format_expression(expression)
    assert parse_expression(Source("expression", text)) == expression


GAPS = st.sampled_from(
    [" ", "\n", "\n\n\n", "\t", " # aside\n", "\n# alone\n", "\n\n  # set off\n\n"]
)


@law
@given(programs(), st.data())
def test_every_comment_survives_formatting(program: nodes.Program, data: st.DataObject) -> None:
    tokens, _ = tokenize(Source("test.mlo", format_program(program)))
    text = "".join(token.text + data.draw(GAPS) for token in tokens)
    commented = read(text)
    formatted = read(format_program(commented))
    assert commented.statements == program.statements
    assert formatted.statements == program.statements
    assert Counter(c.text for c in formatted.comments) == Counter(
        c.text for c in commented.comments
    )
    assert format_program(formatted) == format_program(commented)


@law
@given(programs())
def test_each_span_slices_back_to_its_node(program: nodes.Program) -> None:
    assert_spans_slice_back(read(format_program(program)))


def assert_spans_slice_back(program: nodes.Program) -> None:
    for node in walk(program):
        text = node.span.text
        match node:
            case nodes.Identifier(name):
                assert text == name
            case nodes.Level() | nodes.Param() | nodes.Data() | nodes.Solve():
                assert read(text).statements == (node,)
            case nodes.Var() | nodes.Objective() | nodes.SubjectTo() | nodes.Player():
                (level,) = read(f"level a {{ {text} }}").statements
                assert isinstance(level, nodes.Level)
                assert level.statements == (node,)
            case nodes.RealType() | nodes.IntType() | nodes.NetworkType():
                (level,) = read(f"level a {{ var v : {text} }}").statements
                assert isinstance(level, nodes.Level)
                (variable,) = level.statements
                assert isinstance(variable, nodes.Var)
                assert variable.type == node
            case (
                nodes.Number()
                | nodes.Name()
                | nodes.Chain()
                | nodes.Comparison()
                | nodes.Power()
                | nodes.Negation()
                | nodes.Index()
                | nodes.Call()
                | nodes.ListLiteral()
            ):
                assert parse_expression(Source("slice", text)) == node
    for comment in program.comments:
        assert comment.span.text == comment.text


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not in this checkout")
def test_there_are_shared_cases() -> None:
    assert list(CASES.rglob("*.mlo"))


@pytest.mark.parametrize("path", [*MODELS, *GOLDEN], ids=lambda path: path.stem)
def test_the_laws_hold_for_a_model(path: Path) -> None:
    program, diagnostics = parse_program(decode(path.name, path.read_bytes()))
    assert program is not None, diagnostics
    formatted = read(format_program(program))
    assert formatted.statements == program.statements
    assert Counter(c.text for c in formatted.comments) == Counter(c.text for c in program.comments)
    assert format_program(formatted) == format_program(program)
    assert_spans_slice_back(program)
