"""Reads a plain value: a number, a word, true or false."""

from __future__ import annotations

import re

from mlodsl.diagnostics import Diagnostic, Span, did_you_mean
from mlodsl.syntax.nodes import Expression, Generator, Name, Text

from .constants import NotConstant, evaluate_constant
from .kinds import Kind, accept, describe, words_of
from .structure import OptionValue

_LONGEST_QUOTE = 40


def found(span: Span) -> str:
    """What stands at the span, in backticks, on one line and cut where it is long."""
    text = re.sub(r"\s+", " ", span.text).strip()
    if len(text) > _LONGEST_QUOTE:
        text = text[: _LONGEST_QUOTE - 1] + "…"
    return f"`{text}`"


def read_value(
    owner: str, kind: Kind, expression: Expression | Generator, diagnostics: list[Diagnostic]
) -> OptionValue | None:
    """The value of the option `owner`, or None with a diagnostic E504."""
    try:
        value = accept(kind, evaluate_constant(expression))
        reason = ""
    except NotConstant as problem:
        value = None
        reason = f", {problem.reason}" if problem.reason else ""
    if value is None:
        diagnostics.append(
            Diagnostic(
                "E504",
                f"`{owner}` must be {describe(kind)}, found {found(expression.span)}{reason}",
                expression.span,
                _hint_for_value(kind, expression),
            )
        )
    return value


def _hint_for_value(kind: Kind, expression: Expression | Generator) -> str | None:
    words = words_of(kind)
    match expression:
        case Text(value=value) if value in words:
            return f"write `{value}` without quotes"
        case Name(name=name) | Text(value=name):
            return did_you_mean(name, words)
        case _:
            return None
