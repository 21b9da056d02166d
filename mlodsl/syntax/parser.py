"""Text to tree."""

from __future__ import annotations

from dataclasses import replace

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span

from .builders import BUILDERS
from .engine import Engine, Misuse, Unexpected
from .lexer import Token, tokenize
from .nodes import Comment, Expression, Program
from .table import load_table


def parse_program(source: Source) -> tuple[Program | None, tuple[Diagnostic, ...]]:
    """The tree of a whole model, or what is wrong with its syntax.

    Returns:
        The program and no diagnostics, or None and every syntax error that doesn't merely
        follow from another one.
    """
    tokens, comment_tokens = tokenize(source)
    engine = Engine(load_table(), BUILDERS, source, "program")
    try:
        for token in tokens:
            engine.feed(token)
    except Unexpected as problem:
        return None, (_describe(source, problem),)
    except Misuse as misuse:
        return None, (misuse.diagnostic,)
    (program,) = engine.values
    comments = tuple(_comment(source, token) for token in comment_tokens)
    return replace(program, comments=comments), ()


def parse_expression(source: Source, start: int = 0) -> Expression:
    """The expression that the source's text from `start` on is.

    Raises:
        ModelError: it is none.
    """
    tokens, _ = tokenize(source, start)
    engine = Engine(load_table(), BUILDERS, source, "expression")
    try:
        for token in tokens:
            engine.feed(token)
    except Unexpected as problem:
        raise ModelError([_describe(source, problem)]) from None
    except Misuse as misuse:
        raise ModelError([misuse.diagnostic]) from None
    expression: Expression
    (expression,) = engine.values
    return expression


def _describe(source: Source, problem: Unexpected) -> Diagnostic:
    token = problem.token
    return Diagnostic("E002", f"unexpected `{token.text}`", Span(source, token.start, token.end))


def _comment(source: Source, token: Token) -> Comment:
    text = token.text.rstrip()
    return Comment(text, span=Span(source, token.start, token.start + len(text)))
