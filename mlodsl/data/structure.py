"""What the data room gives back, and how a data source is said once its arguments are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from mlodsl.diagnostics import Diagnostic, Span

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class LoadedData:
    """The arrays that a model's `data` statements name.

    Arguments:
        shapes: each array's shape by name; names without a source are missing.
        arrays: the arrays: float64, C order, read-only.
        hashes: a SHA-256 in hexadecimal of each array's shape and bytes.
        diagnostics: what is wrong with the sources and the files.
    """

    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()


Column: TypeAlias = int | str
"""A column by its index from 0 (from the end if negative), or by its name in the header."""


@dataclass(frozen=True, slots=True)
class CsvSource:
    """`csv(path, delimiter = auto, header = auto, columns = […])`.

    `delimiter` is one character, or `" "` for any white space. `column_spans` are the places of
    the entries of `columns`.
    """

    path: str
    delimiter: str | Literal["auto"] = "auto"
    header: bool | Literal["auto"] = "auto"
    columns: tuple[Column, ...] | None = None
    column_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class NpySource:
    """`npy(path)`."""

    path: str


@dataclass(frozen=True, slots=True)
class NpzSource:
    """`npz(path, "key")`; without a key the file must hold one array."""

    path: str
    key: str | None = None
    key_span: Span | None = None


DataSource: TypeAlias = CsvSource | NpySource | NpzSource


class Unreadable(Exception):
    """A file or an array can't be read.

    Arguments:
        message: the diagnostic's message.
        hint: the diagnostic's hint.
        code: the diagnostic's code.
        span: the diagnostic's place; None for the place of the source as a whole.
    """

    def __init__(
        self, message: str, hint: str | None = None, code: str = "E601", span: Span | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.span = span
