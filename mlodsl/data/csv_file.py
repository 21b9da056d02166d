"""Reads a csv file into a table of numbers.

NumPy's reader is fast and says little; where it stumbles, or where what it read isn't finite,
the text is read again cell by cell, to say which cell is wrong.
"""

from __future__ import annotations

import warnings
from io import StringIO
from pathlib import Path

import numpy as np

from .csv_text import NUMBER, Layout, Row, layout_of, rows_of
from .files import read_bytes
from .structure import CsvSource, Unreadable


def read_csv(path: Path, source: CsvSource) -> np.ndarray:
    """The table in a csv file: two axes always, rows by columns.

    Raises:
        Unreadable: E601 for the file as a whole, E602 for a bad cell or a line that is too
            long or too short, with line and column counted from 1.
    """
    text = _decoded(path)
    layout = layout_of(text, source)
    table = _read_fast(text, layout)
    return _read_slowly(text, layout) if table is None else table


def _decoded(path: Path) -> str:
    raw = read_bytes(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"`{path.name}` is not a text in UTF-8: see line {line}"
        raise Unreadable(message) from None
    if "\0" in text:
        raise Unreadable(f"`{path.name}` is not a text: it holds a zero byte")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_fast(text: str, layout: Layout) -> np.ndarray | None:
    """The table by NumPy's reader, or None in any doubt."""
    if layout.columns != tuple(range(layout.width)):
        # The columns that aren't asked for may hold text.
        return None
    if text.count('"') % 2 or (layout.delimiter == " " and '"' in text):
        # NumPy forgives quotes that are never closed.
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            table = np.loadtxt(
                StringIO(text),
                delimiter=None if layout.delimiter == " " else layout.delimiter,
                comments=None,
                skiprows=layout.first_line - 1,
                quotechar='"',
                ndmin=2,
                dtype=np.float64,
            )
    except (ValueError, UserWarning):
        return None
    if table.shape[1] != layout.width or not np.isfinite(table).all():
        return None
    return table


def _read_slowly(text: str, layout: Layout) -> np.ndarray:
    """The table cell by cell.

    Raises:
        Unreadable: E602 at the first line or cell that is wrong.
    """
    rows: list[list[float]] = []
    for row in rows_of(text, layout.delimiter, layout.first_line):
        if len(row.cells) != layout.width:
            raise _wrong_width(row, layout)
        rows.append([_number(row, column, layout) for column in layout.columns])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(layout.columns))


def _wrong_width(row: Row, layout: Layout) -> Unreadable:
    cells = "cell" if len(row.cells) == 1 else "cells"
    message = f"line {row.line} has {len(row.cells)} {cells}, the lines above have {layout.width}"
    hint = None
    if len(row.cells) == layout.width + 1 and not row.cells[-1]:
        hint = "remove the delimiter at the end of the line"
    return Unreadable(message, hint, code="E602")


def _number(row: Row, column: int, layout: Layout) -> float:
    cell = row.cells[column]
    if NUMBER.fullmatch(cell):
        value = float(cell)
        if np.isfinite(value):
            return value
    named = f" (`{layout.names[column]}`)" if layout.names else ""
    found = f"found `{_cut(cell)}`" if cell else "found an empty cell"
    hint = None
    if NUMBER.fullmatch(cell.replace(",", ".", 1)):
        hint = "write the decimal point as `.`"
    elif not layout.names and row.line == layout.first_line:
        hint = "where the first line is a header, say `header = true`"
    message = f"line {row.line}, column {column + 1}{named}: expected a number, {found}"
    raise Unreadable(message, hint, code="E602")


def _cut(cell: str) -> str:
    return cell if len(cell) <= 30 else f"{cell[:29]}…"
