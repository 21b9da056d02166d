"""The lines that the formatter writes, and the comments it still has to place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .nodes import Comment

# A line that ends further right keeps its comment to itself.
_FURTHEST_ALIGNED_COLUMN = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One line of output: its code, the comment after it, and whether a blank line precedes."""

    code: str
    comment: str = ""
    follows_blank: bool = False


def write_rows(rows: Sequence[Row]) -> str:
    """The rows as text; comments of neighbouring lines begin in the same column."""
    lines: list[str] = []
    for row, column in zip(rows, _comment_columns(rows), strict=True):
        if row.follows_blank and lines:
            lines.append("")
        lines.append(f"{row.code.ljust(column)}{row.comment}" if row.comment else row.code)
    return "".join(f"{line}\n" for line in lines)


def _comment_columns(rows: Sequence[Row]) -> list[int]:
    columns: list[int] = []
    for position, row in enumerate(rows):
        is_aligned = _takes_part(row)
        if position and is_aligned and _takes_part(rows[position - 1]) and not row.follows_blank:
            columns.append(columns[-1])
            continue
        end = len(row.code)
        if is_aligned:
            for neighbour in rows[position + 1 :]:
                if not _takes_part(neighbour) or neighbour.follows_blank:
                    break
                end = max(end, len(neighbour.code))
        columns.append(end + 2 if row.code.strip() else end)
    return columns


def _takes_part(row: Row) -> bool:
    code = row.code
    return bool(row.comment and code.strip()) and len(code) <= _FURTHEST_ALIGNED_COLUMN


class CommentCursor:
    """The comments of a program in their order, each handed out once."""

    def __init__(self, comments: Iterable[Comment]) -> None:
        self._comments = sorted(comments, key=lambda comment: comment.span.start)
        self._next = 0

    def peek(self) -> Comment | None:
        """The next comment, if any is left."""
        return self._comments[self._next] if self._next < len(self._comments) else None

    def take_before(self, offset: int) -> list[Comment]:
        """The comments that begin before `offset`."""
        begin = self._next
        while self._next < len(self._comments) and (self._comments[self._next].span.start < offset):
            self._next += 1
        return self._comments[begin : self._next]


class RowWriter:
    """Collects rows in the order of the document, with the comments between them.

    `end` is where the last thing written ended in the source: what stands between it and
    the next thing says whether a comment trails it and whether a blank line follows.
    """

    def __init__(self, source_text: str, comments: CommentCursor) -> None:
        self.rows: list[Row] = []
        self.end = 0
        self._text = source_text
        self._comments = comments
        self._is_blank_due = False

    def write(self, lines: Sequence[str], start: int, end: int, comment: str = "") -> None:
        """Writes the lines of what stands at `start` to `end`; `comment` trails the last."""
        blank = self._takes_blank(start)
        for position, line in enumerate(lines):
            is_last = position == len(lines) - 1
            self.rows.append(Row(line, comment if is_last else "", blank and position == 0))
        self.end = end

    def close(self, line: str, end: int) -> None:
        """Writes the closing line of a block, without a blank line before it."""
        self.rows.append(Row(line))
        self.end = end

    def require_blank(self) -> None:
        """Whatever comes next is set off by a blank line, unless it trails the last line."""
        self._is_blank_due = True

    def write_comments_before(self, offset: int, indent: int) -> None:
        """Writes the comments before `offset`: one on the last row's line trails that row."""
        for comment in self._comments.take_before(offset):
            start = comment.span.start
            is_trailing = self._is_on_line_of(self.end, comment) and self.rows
            if is_trailing and self.rows[-1].code.strip() and not self.rows[-1].comment:
                self.rows[-1] = replace(self.rows[-1], comment=comment.text)
            else:
                self.rows.append(Row(" " * indent, comment.text, self._takes_blank(start)))
            self.end = comment.span.end

    def take_comments_inside(self, start: int, end: int, indent: int) -> str:
        """Deals with the comments inside of what stands at `start` to `end`, not yet written.

        Returns:
            The only one, to trail it; several are written on lines of their own, before it.
        """
        inside = self._comments.take_before(end)
        following = self._comments.peek()
        trails = following is not None and self._is_on_line_of(end, following)
        if not inside or (len(inside) == 1 and not trails):
            return inside[0].text if inside else ""
        for comment in inside:
            self.rows.append(Row(" " * indent, comment.text, self._takes_blank(start)))
            self.end = start
        return ""

    def _is_on_line_of(self, end: int, comment: Comment) -> bool:
        return "\n" not in self._text[end : comment.span.start]

    def _takes_blank(self, start: int) -> bool:
        is_due, self._is_blank_due = self._is_blank_due, False
        if not self.rows or self.rows[-1].code.endswith("{"):
            return False
        return is_due or self._text.count("\n", self.end, start) > 1
