"""Which keyword a word was meant to be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from types import MappingProxyType

from mlodsl.diagnostics import did_you_mean

from .table import load_table

# Words of other languages for what a keyword says.
_SYNONYMS = MappingProxyType(
    {
        "min": "minimize",
        "minimum": "minimize",
        "max": "maximize",
        "maximum": "maximize",
        "variable": "var",
        "variables": "var",
        "const": "param",
        "constant": "param",
        "def": "let",
        "function": "let",
        "options": "solve",
    }
)
_SUBJECT_TO = ("subjectto", "st", "suchthat")


@dataclass(frozen=True, slots=True)
class MeantKeyword:
    """What a word was likely meant to be.

    Arguments:
        kind: the keyword's terminal.
        text: what should have been written.
        is_followed_by_to: whether the word stands for `subject to`, both words.
    """

    kind: str
    text: str
    is_followed_by_to: bool = False


def find_meant_keyword(word: str, kinds: Collection[str]) -> MeantKeyword | None:
    """The keyword among `kinds` that a misspelt word stands for, if one is close."""
    keywords = {text: kind for text, kind in load_table().keywords.items() if kind in kinds}
    folded = word.lower().replace("_", "")
    if folded in _SUBJECT_TO and "SUBJECT" in kinds:
        return MeantKeyword("SUBJECT", "subject to", is_followed_by_to=True)
    if _SYNONYMS.get(folded) in keywords:
        meant = _SYNONYMS[folded]
    else:
        hint = did_you_mean(word, keywords)
        if hint is None:
            return None
        meant = hint.split("`")[1]
    return MeantKeyword(keywords[meant], meant)
