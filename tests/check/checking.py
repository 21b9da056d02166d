"""Helpers of the tests: from a text to what the checker says."""

from collections.abc import Mapping
from typing import Any

from mlodsl.check import CheckedModel, GivenParam, check
from mlodsl.diagnostics import Diagnostic, Source
from mlodsl.syntax import parse_expression, parse_program

Found = tuple[CheckedModel | None, tuple[Diagnostic, ...]]


def diagnose(text: str, **options: Any) -> Found:
    """The checked model of a text without syntax errors, and the findings."""
    program, diagnostics = parse_program(Source("test.mlo", text))
    assert program is not None, diagnostics
    return check(program, **options)


def checked(text: str, **options: Any) -> CheckedModel:
    """The checked model of a text without errors."""
    model, diagnostics = diagnose(text, **options)
    assert model is not None, diagnostics
    return model


def findings(text: str, **options: Any) -> list[tuple[str, str | None]]:
    """The codes of the findings, with the text they point at."""
    _, diagnostics = diagnose(text, **options)
    return [(one.code, one.span.text if one.span is not None else None) for one in diagnostics]


def errors(text: str, **options: Any) -> list[tuple[str, str | None]]:
    """As `findings`, without the warnings."""
    return [found for found in findings(text, **options) if found[0].startswith("E")]


def in_level(expression: str, before: str = "") -> str:
    """A model of one level with a few variables that minimises the sum of an expression."""
    declared = "var s : real\nvar x : real[3]\nvar w : real[4]\nvar A : real[3, 4]"
    return f"{before}\nlevel l {{\n{declared}\nminimize s^2 + sum({expression})\n}}"


def given(**texts: str) -> Mapping[str, GivenParam]:
    """Params as `--set NAME=VALUE` gives them."""
    return {
        name: GivenParam(expression=parse_expression(Source(f"--set {name}", text)))
        for name, text in texts.items()
    }
