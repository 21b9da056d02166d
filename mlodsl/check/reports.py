"""Collects what the checker finds, each finding once."""

from __future__ import annotations

from mlodsl.diagnostics import CODES, Diagnostic, Severity, Span, did_you_mean, sort_by_place

_MOST_COMPARISONS = 20_000
"""Looking for similar names costs time: a text full of unknown names gets no more hints."""


class Reports:
    """The findings of one run of the checker.

    Two findings with the same code at the same place are one: the body of a function is
    checked at each call of it, and says what is wrong once.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span | None], Diagnostic] = {}
        self._comparisons = 0

    def add(self, code: str, message: str, span: Span | None, hint: str | None = None) -> None:
        """Notes a finding, unless the same was found at this place before."""
        self._found.setdefault((code, span), Diagnostic(code, message, span, hint))

    def take(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        """Notes the findings of another room."""
        for diagnostic in diagnostics:
            self._found.setdefault((diagnostic.code, diagnostic.span), diagnostic)

    def similar(self, word: str, *candidates: frozenset[str]) -> str | None:
        """A hint naming the candidate most like the word, unless hints have cost too much."""
        self._comparisons += sum(map(len, candidates))
        if self._comparisons >= _MOST_COMPARISONS:
            return None  # before the sets are put together, which costs time for each word
        return did_you_mean(word, frozenset().union(*candidates))

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(CODES[code].severity is Severity.ERROR for code, _ in self._found)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All findings by place."""
        return sort_by_place(self._found.values())
