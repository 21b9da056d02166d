"""Text to tokens. A place where no token can begin becomes a token too, of the kind `BAD`."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from mlodsl.diagnostics import Source

from .table import load_table

BAD = "BAD"
UNTERMINATED = "UNTERMINATED"
END = "$END"


class Token(NamedTuple):
    """A terminal of the grammar and the code points it covers.

    `BAD` covers characters that begin no token, `UNTERMINATED` a text whose closing quote is
    missing on its line, `END` nothing, at the end of the text.
    """

    kind: str
    start: int
    end: int
    text: str


@cache
def _pattern() -> re.Pattern[str]:
    parts = [f"(?P<{name}>{pattern})" for name, pattern in load_table().patterns]
    # After a text that is closed on its line; before the catch-all, a character at a time.
    parts.append(f'(?P<{UNTERMINATED}>"[^"\\n]*)')
    parts.append(f"(?P<{BAD}>.)")
    return re.compile("|".join(parts), re.DOTALL)


def tokenize(source: Source, start: int = 0) -> tuple[list[Token], list[Token]]:
    """The tokens from offset `start` on, the last of the kind `END`, and the comments."""
    table = load_table()
    keywords = table.keywords
    ignored = table.ignored
    tokens: list[Token] = []
    comments: list[Token] = []
    for match in _pattern().finditer(source.text, start):
        kind = match.lastgroup
        assert kind is not None  # one of the alternatives matched, and each has a name
        if kind in ignored:
            if kind == "COMMENT":
                comments.append(Token(kind, match.start(), match.end(), match.group()))
            continue
        text = match.group()
        if kind == "NAME":
            kind = keywords.get(text, kind)
        elif kind == BAD and tokens and tokens[-1].kind == BAD and tokens[-1].end == match.start():
            # A run of odd characters is one mistake.
            previous = tokens.pop()
            tokens.append(Token(BAD, previous.start, match.end(), previous.text + text))
            continue
        tokens.append(Token(kind, match.start(), match.end(), text))
    # The place of what is missing at the end: behind the last token, not below the text.
    end = tokens[-1].end if tokens else start
    tokens.append(Token(END, end, end, ""))
    return tokens, comments
