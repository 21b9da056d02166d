"""Writing to the terminal: diagnostics, notes, colour only where it is welcome."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import IO

from mlodsl.diagnostics import Diagnostic, Severity, render_text

_RED, _YELLOW, _BLUE, _BOLD, _PLAIN = "\033[1;31m", "\033[1;33m", "\033[34m", "\033[1m", "\033[0m"
_GUTTER = re.compile(r"^( *(?:-->|\d* \|))")


def say(text: str = "") -> None:
    """Prints a line on standard output."""
    print(text)


def note(text: str) -> None:
    """Prints a line on standard error."""
    print(text, file=sys.stderr)


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Prints diagnostics on standard error, a blank line between two."""
    shown = list(diagnostics)
    if not shown:
        return
    if is_colourful(sys.stderr):
        note("\n\n".join(_coloured(diagnostic) for diagnostic in shown))
    else:
        note(render_text(shown))


def is_colourful(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal that wants colour."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and is_terminal(stream)


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a person sees a stream as it is written."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        # A closed stream.
        return False


def _coloured(diagnostic: Diagnostic) -> str:
    head, *rest = render_text([diagnostic]).split("\n")
    grave = _RED if diagnostic.severity is Severity.ERROR else _YELLOW
    kind, _, message = head.partition(": ")
    lines = [f"{grave}{kind}{_PLAIN}{_BOLD}: {message}{_PLAIN}"]
    for line in rest:
        match = _GUTTER.match(line)
        body = line if match is None else line[match.end() :]
        if line is rest[-1] and "^" in body:
            body = f"{grave}{body}{_PLAIN}"
        lines.append(body if match is None else f"{_BLUE}{match[1]}{_PLAIN}{body}")
    return "\n".join(lines)
