"""What a csv text looks like before its numbers are read: delimiter, header, columns.

Blank lines are skipped. Lines that begin with `#` at the top are comments, unless the model says
`header = true`.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlodsl.diagnostics import did_you_mean

from .structure import CsvSource, Unreadable

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MISSING = re.compile(r"[+-]?(?:nan|inf|infinity)|na|n/a|null|none", re.IGNORECASE)
_CANDIDATES = ("\t", ";", ",")
_SAMPLE_LINES = 50


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a line, without the white space around them; `line` counts from 1."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a csv text is to be read.

    Arguments:
        delimiter: one character; `" "` stands for any white space.
        names: the header's names; None without a header.
        first_line: the line of the first row of numbers, from 1.
        width: how many cells a line has.
        columns: the indices of the columns to read, all from 0.
    """

    delimiter: str
    names: tuple[str, ...] | None
    first_line: int
    width: int
    columns: tuple[int, ...]


def rows_of(text: str, delimiter: str, first_line: int = 1) -> Iterator[Row]:
    """The rows of a text from a line on, blank lines left out.

    Raises:
        Unreadable: where quotes are never closed.
    """
    lines = text.split("\n")[first_line - 1 :]
    if delimiter == " ":
        for number, line in enumerate(lines, first_line):
            words = tuple(word.strip('"') for word in line.split())
            if words:
                yield Row(number, words)
        return
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True)
    start = first_line
    try:
        for raw in reader:
            cells = tuple(cell.strip() for cell in raw)
            if any(cells) or len(cells) > 1:
                yield Row(start, cells)
            # A cell in quotes may go over several lines, so lines are the reader's to count.
            start = first_line + reader.line_num
    except csv.Error as error:
        raise Unreadable(f"line {start} cannot be read: {error}", code="E602") from None


def layout_of(text: str, source: CsvSource) -> Layout:
    """The layout of a text, as far as the model leaves it open.

    Raises:
        Unreadable: for an empty text, a mixed first line, and columns that don't exist.
    """
    skipped = 0 if source.header is True else _leading_comments(text)
    delimiter = source.delimiter
    if delimiter == "auto":
        delimiter = _detect_delimiter(text, skipped)
    rows = rows_of(text, delimiter, skipped + 1)
    first = next(rows, None)
    if first is None:
        raise Unreadable("the file is empty")
    has_header = _has_header(first, source)
    names = first.cells if has_header else None
    columns = _resolve_columns(source, names, len(first.cells))
    start = first
    if has_header:
        second = next(rows, None)
        if second is None:
            raise Unreadable("the file has a header and no rows below it")
        start = second
    return Layout(delimiter, names, start.line, len(first.cells), columns)


def _leading_comments(text: str) -> int:
    """How many lines at the top are comments or blank."""
    position = count = 0
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end].strip()
        if line and not line.startswith("#"):
            break
        position = end + 1
        count += 1
    return count


def _sample(text: str, skipped: int) -> list[str]:
    """The first lines that aren't blank, texts in quotes removed."""
    lines: list[str] = []
    for line in text.split("\n", skipped + 2 * _SAMPLE_LINES)[skipped:]:
        if line.strip():
            lines.append(re.sub(r'"[^"]*"', "", line))
        if len(lines) == _SAMPLE_LINES:
            break
    return lines


def _detect_delimiter(text: str, skipped: int) -> str:
    """The delimiter that splits most lines into the same number of cells.

    Of several the first of tab, semicolon, comma: a semicolon beside commas means that the
    commas are decimal.
    """
    lines = _sample(text, skipped)
    scores: dict[str, int] = {}
    for candidate in _CANDIDATES:
        counts = Counter(line.strip().count(candidate) for line in lines)
        counts.pop(0, None)
        scores[candidate] = max(counts.values(), default=0)
    best = max(_CANDIDATES, key=lambda candidate: scores[candidate])
    if scores[best]:
        return best
    if any(len(line.split()) > 1 for line in lines):
        return " "
    return ","


def _has_header(first: Row, source: CsvSource) -> bool:
    if source.header != "auto":
        return source.header
    columns = source.columns
    if columns is not None and any(isinstance(column, str) for column in columns):
        return True
    cells: Sequence[str] = first.cells
    if columns is not None:
        chosen = [column for column in columns if isinstance(column, int)]
        width = len(first.cells)
        cells = [first.cells[column] for column in chosen if -width <= column < width]
    # A first line with numbers is data: a text in it is a bad cell and no reason to drop the row.
    if any(NUMBER.fullmatch(cell) for cell in cells):
        return False
    return any(cell and not _MISSING.fullmatch(cell) for cell in cells)


def _resolve_columns(
    source: CsvSource, names: tuple[str, ...] | None, width: int
) -> tuple[int, ...]:
    if source.columns is None:
        return tuple(range(width))
    resolved: list[int] = []
    for column, span in zip(source.columns, source.column_spans, strict=True):
        if isinstance(column, int):
            if not -width <= column < width:
                message = f"there is no column {column}: the file has {width}, from 0"
                raise Unreadable(message, span=span)
            resolved.append(column % width)
        elif names is None:
            message = f"there is no column `{column}`: the file has no header"
            raise Unreadable(message, "name columns by index, from 0", span=span)
        elif names.count(column) > 1:
            message = f"{names.count(column)} columns are named `{column}`"
            raise Unreadable(message, "name columns by index, from 0", span=span)
        elif column in names:
            resolved.append(names.index(column))
        else:
            shown = ", ".join(f"`{name}`" for name in names[:20])
            rest = ", …" if len(names) > 20 else ""
            message = f"there is no column `{column}`; there are {shown}{rest}"
            raise Unreadable(message, did_you_mean(column, names), span=span)
    return tuple(resolved)
