"""Where long lines break: a small pretty-printer after Wadler, "A prettier printer" (2003).

A document is a text, a place where a line may break, or documents in a row. A `Group` breaks
only where it doesn't fit on the rest of its line, up to the next place that may break.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Break:
    """A space, or the end of a line where the group around it is broken."""


@dataclass(frozen=True, slots=True)
class Group:
    """Parts whose breaks are taken all together or not at all."""

    parts: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Nest:
    """Parts whose broken lines are indented by `by` more columns."""

    by: int
    parts: tuple[Document, ...]


Document: TypeAlias = str | Break | Group | Nest | tuple["Document", ...]


def lay_out(document: Document, indent: int, width: int = WIDTH) -> list[str]:
    """The document's lines, each with its indentation; the first starts at column `indent`."""
    lines: list[str] = []
    pieces = [" " * indent]
    column = indent
    # What is still to print, last first: its indentation, whether it is broken, and itself.
    waiting: list[tuple[int, bool, Document]] = [(indent, False, document)]
    while waiting:
        nesting, is_broken, current = waiting.pop()
        match current:
            case str():
                pieces.append(current)
                column += len(current)
            case Break():
                if is_broken:
                    lines.append("".join(pieces))
                    pieces = [" " * nesting]
                    column = nesting
                else:
                    pieces.append(" ")
                    column += 1
            case Group(parts):
                is_broken = not _fits(parts, waiting, width - column)
                waiting.extend((nesting, is_broken, part) for part in reversed(parts))
            case Nest(by, parts):
                waiting.extend((nesting + by, is_broken, part) for part in reversed(parts))
            case _:
                waiting.extend((nesting, is_broken, part) for part in reversed(current))
    lines.append("".join(pieces))
    return lines


def _fits(
    parts: tuple[Document, ...], following: list[tuple[int, bool, Document]], room: int
) -> bool:
    """Whether the parts on one line, and what follows them up to a break, take at most `room`."""
    waiting: list[tuple[bool, Document]] = [(False, part) for part in reversed(parts)]
    position = len(following)
    while room >= 0:
        if not waiting:
            if position == 0:
                return True
            position -= 1
            waiting.append((True, following[position][2]))
            continue
        may_break, current = waiting.pop()
        match current:
            case str():
                room -= len(current)
            case Break():
                if may_break:
                    return True
                room -= 1
            case Group(inner) | Nest(_, inner):
                waiting.extend((may_break, part) for part in reversed(inner))
            case _:
                waiting.extend((may_break, part) for part in reversed(current))
    return False
