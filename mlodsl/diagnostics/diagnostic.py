"""One finding about what a user wrote, and the exception that carries several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .codes import CODES, Severity
from .source import Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding: what was found, what was expected, where, and one way out.

    Arguments:
        code: a key of `CODES`, e.g. `E102`; its severity is looked up there.
        message: one sentence in the user's own words, quoting what they typed in backticks.
        span: the characters that are wrong; None where there is no text to point at.
        hint: one way out, printed beside the carets, e.g. "did you mean `lam`?".
    """

    code: str
    message: str
    span: Span | None = None
    hint: str | None = None

    def __post_init__(self) -> None:
        assert self.code in CODES, f"{self.code} has no entry in the table of codes"

    @property
    def severity(self) -> Severity:
        """Error or warning, as the table of codes says."""
        return CODES[self.code].severity


class ModelError(ValueError):
    """What a user wrote is wrong; `diagnostics` says what and where.

    Arguments:
        diagnostics: at least one; kept sorted by place.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        from .render import render_text

        self.diagnostics = sort_by_place(diagnostics)
        super().__init__("\n" + render_text(self.diagnostics))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of the diagnostics is an error and not only a warning."""
    return any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)


def sort_by_place(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics by source name and place, duplicates dropped, placeless ones first."""

    def place(diagnostic: Diagnostic) -> tuple[str, int, int]:
        span = diagnostic.span
        return ("", 0, 0) if span is None else (span.source.name, span.start, span.end)

    return tuple(sorted(dict.fromkeys(diagnostics), key=place))
