"""Diagnostics as people read them (carets under the text) and as programs do (dicts)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .diagnostic import Diagnostic

WIDEST_LINE = 200
"""Characters of a line that are shown: a model written by a program may be one line."""

_ELLIPSIS = "…"


def render_text(diagnostics: Iterable[Diagnostic]) -> str:
    """Each diagnostic with its place, the line and carets under the wrong characters."""
    return "\n\n".join(_render_one(diagnostic) for diagnostic in diagnostics)


def _render_one(diagnostic: Diagnostic) -> str:
    head = f"{diagnostic.severity.value}[{diagnostic.code}]: {diagnostic.message}"
    span = diagnostic.span
    if span is None:
        return head if diagnostic.hint is None else f"{head}\n  = {diagnostic.hint}"
    line, column = span.source.position(span.start)
    shown, before = _around(span.source.line(line), column - 1)
    gutter = " " * len(str(line))
    # A tab keeps its own width under the text, so the carets stay below what they mark.
    indent = "".join("\t" if character == "\t" else " " for character in shown[:before])
    carets = "^" * max(1, min(span.end - span.start, len(shown) - before))
    hint = f" {diagnostic.hint}" if diagnostic.hint else ""
    return (
        f"{head}\n{gutter}--> {span.source.name}:{line}:{column}\n{gutter} |\n"
        f"{line} | {shown}\n{gutter} | {indent}{carets}{hint}"
    )


def _around(line: str, offset: int) -> tuple[str, int]:
    """A line, or of a very long one the part around a place; and the place in what is shown."""
    if len(line) <= WIDEST_LINE:
        return line, offset
    start = min(max(0, offset - WIDEST_LINE // 2), len(line) - WIDEST_LINE)
    stop = start + WIDEST_LINE
    left = _ELLIPSIS if start > 0 else ""
    right = _ELLIPSIS if stop < len(line) else ""
    return f"{left}{line[start:stop]}{right}", offset - start + len(left)


def render_json(diagnostics: Sequence[Diagnostic]) -> list[dict[str, object]]:
    """The diagnostics as `check --json` prints them; lines and columns count from 1."""
    return [_as_dict(diagnostic) for diagnostic in diagnostics]


def _as_dict(diagnostic: Diagnostic) -> dict[str, object]:
    span = diagnostic.span
    file: str | None = None
    line = column = end_line = end_column = None
    if span is not None:
        file = span.source.name
        line, column = span.source.position(span.start)
        end_line, end_column = span.source.position(span.end)
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "file": file,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "hint": diagnostic.hint,
    }
