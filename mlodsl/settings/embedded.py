"""Reads `.mlo` expressions that stand inside another text: a YAML scalar, a Python string.

The expression is parsed by itself; its spans are then moved to where it stands in the outer
text, so that a diagnostic points into the YAML file itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span
from mlodsl.syntax import parse_expression
from mlodsl.syntax.nodes import Constant, Expression, Name, Negation, Node, Number

_PLAIN_NUMBER = re.compile(r"(-?)((?:[0-9]{1,300}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?)")
_CONSTANTS = ("inf", "pi", "true", "false")


def embedded_expression(span: Span, value: str) -> Expression:
    """The expression that the text `value` is, with spans inside `span`.

    Arguments:
        span: where the value stands in the outer text, quotes not included.
        value: the value after the outer language's escapes; where it differs from the span's
            text, positions inside it can't be told and every span is the whole value's.

    Raises:
        ModelError: where the text is no expression; the diagnostics point into the outer text.
    """
    plain = plain_value(span, value)
    if plain is not None:
        return plain
    if span.text == value:

        def move(inner: Span) -> Span:
            return Span(span.source, span.start + inner.start, span.start + inner.end)
    else:

        def move(inner: Span) -> Span:
            return span

    try:
        parsed: Expression = _moved(parse_expression(Source(span.source.name, value)), move)
    except ModelError as error:
        raise ModelError(_moved_diagnostic(item, move) for item in error.diagnostics) from None
    return parsed


def plain_value(span: Span, value: str) -> Expression | None:
    """A number or a constant without the parser, for long lists; None for anything else."""
    if value in _CONSTANTS:
        return Constant(name=value, span=span)
    match = _PLAIN_NUMBER.fullmatch(value)
    if match is None:
        return None
    sign, digits = match.groups()
    number = Number(
        value=int(digits) if digits.isdigit() else float(digits),
        text=digits,
        span=replace(span, start=span.start + 1) if sign and span.text == value else span,
    )
    return Negation(operand=number, span=span) if sign else number


def number_at(span: Span, value: int | float) -> Expression:
    """The node of a number that Python code gave: `nan` is a word that no option takes."""
    if isinstance(value, float) and value != value:
        return Name(name="nan", span=span)
    size = abs(value)
    node: Expression
    if size == float("inf"):
        node = Constant(name="inf", span=span)
    else:
        node = Number(value=size, text=repr(size), span=span)
    return Negation(operand=node, span=span) if value < 0 else node


def _moved(value: Any, move: Callable[[Span], Span]) -> Any:
    """A copy of a node, or of a tuple of nodes, with every span moved."""
    match value:
        case Span():
            return move(value)
        case tuple():
            return tuple(_moved(item, move) for item in value)
        case Node():
            parts = {
                field.name: _moved(getattr(value, field.name), move) for field in fields(value)
            }
            return type(value)(**parts)
        case _:
            return value


def _moved_diagnostic(diagnostic: Diagnostic, move: Callable[[Span], Span]) -> Diagnostic:
    span = diagnostic.span
    return diagnostic if span is None else replace(diagnostic, span=move(span))
