"""Text to tree."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span, sort_by_place

from .builders import BUILDERS
from .engine import Engine, Misuse, Unexpected
from .lexer import BAD, UNTERMINATED, Token, tokenize
from .nodes import Comment, Expression, Program
from .recovery import Reader
from .table import load_table
from .wording import describe_character, describe_reserved, describe_token


def parse_program(source: Source) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """The tree of a whole model, or what is wrong with its syntax.

    Returns:
        The program and no diagnostics, or None and every syntax error that doesn't merely
        follow from another one, sorted by place.
    """
    tokens, comment_tokens = tokenize(source)
    engine = Engine(load_table(), BUILDERS, source, "program")
    reader = Reader(engine, source, tokens)
    with _no_garbage():
        reader.read()
    if reader.diagnostics:
        return None, sort_by_place(reader.diagnostics)
    (program,) = engine.values
    comments = tuple(_comment(source, token) for token in comment_tokens)
    return replace(program, comments=comments), ()


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Trees have no circles: Python need not look for any in all that is there, again and again,
    which would take a third of the time of a long text."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def parse_expression(source: Source, start: int = 0) -> Expression:
    """The expression that the source's text from offset `start` on is.

    Raises:
        ModelError: it is none.
    """
    tokens, _ = tokenize(source, start)
    engine = Engine(load_table(), BUILDERS, source, "expression")
    previous: Token | None = None
    for token in tokens:
        try:
            engine.feed(token)
        except Misuse as misuse:
            raise ModelError([misuse.diagnostic]) from None
        except Unexpected as problem:
            raise ModelError([_describe(source, engine, problem, previous)]) from None
        previous = token
    expression: Expression
    (expression,) = engine.values
    return expression


def _describe(
    source: Source, engine: Engine, problem: Unexpected, previous: Token | None
) -> Diagnostic:
    token = problem.token
    if token.kind in (BAD, UNTERMINATED):
        return describe_character(source, token)
    expected = engine.expected(problem.states)
    if token.text in load_table().keywords and "NAME" in expected:
        return describe_reserved(source, token)
    return describe_token(source, token, previous, expected, engine.open_brackets())


def _comment(source: Source, token: Token) -> Comment:
    text = token.text.rstrip()
    return Comment(text, span=Span(source, token.start, token.start + len(text)))
