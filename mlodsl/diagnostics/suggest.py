"""The likely fix for a misspelt word."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A hint naming the closest candidate, or None where none is close."""
    names = sorted(set(candidates))
    by_folded = {name.casefold(): name for name in names}
    folded = word.casefold()
    if folded in by_folded:
        return f"did you mean `{by_folded[folded]}`?"
    matches = get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return f"did you mean `{by_folded[matches[0]]}`?" if matches else None
