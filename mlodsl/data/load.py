"""Loads every array that a model's `data` statements name, from files and from the caller."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlodsl.diagnostics import Diagnostic, Span, did_you_mean
from mlodsl.syntax.nodes import Call, Data, ListLiteral, Param, Program, RealType

from .sources import read_list, read_source, source_of_path
from .structure import CsvSource, DataSource, LoadedData, NpySource, Unreadable

if TYPE_CHECKING:
    import numpy as np


def load_data(
    program: Program,
    *,
    base: Path | None = None,
    paths: Mapping[str, tuple[str, Span | None]] | None = None,
    arrays: Mapping[str, object] | None = None,
) -> LoadedData:
    """The arrays of all `data` statements that have a source, a path or an array.

    An array from the caller comes before a path, a path before the statement's own source. A
    csv file is a table of two axes, also with a single column; only where the statement
    declares one axis (`data t : real[n] = csv("t.csv")`) the single column is that vector.

    Arguments:
        program: the model; its `data` statements are read and nothing else.
        base: the model file's folder, to which its paths are relative; None: the current one.
        paths: paths by data name, from `--data NAME=PATH`, with the flags' places; relative to
            the current folder. A path replaces the one in the model, whose source keeps its
            other arguments.
        arrays: arrays by data name, from a Python caller: NumPy or JAX arrays, or lists.

    Returns:
        The arrays that could be read, and the diagnostics: E601 and E602 for files, E605 for
        names that no `data` statement declares, E102 and E202 to E204 for a source's call.
    """
    paths, arrays = paths or {}, arrays or {}
    statements: dict[str, Data] = {}
    for statement in program.statements:
        if isinstance(statement, Data):
            statements.setdefault(statement.name.name, statement)
    diagnostics = _unknown_names(program, statements, paths, arrays)
    loaded: dict[str, np.ndarray] = {}
    for name, statement in statements.items():
        source_span = statement.source.span if statement.source else statement.name.span
        span = paths[name][1] if name in paths and name not in arrays else source_span
        if name in arrays:
            span = statement.name.span
        try:
            array = _load(statement, base, paths.get(name), arrays, diagnostics)
        except Unreadable as problem:
            place = problem.span or span
            message = f"data `{name}`: {problem.message}"
            diagnostics.append(Diagnostic(problem.code, message, place, problem.hint))
            continue
        if array is not None:
            array.setflags(write=False)
            loaded[name] = array
    shapes = {name: tuple(array.shape) for name, array in loaded.items()}
    hashes = {name: content_hash(array) for name, array in loaded.items()}
    return LoadedData(shapes, loaded, hashes, tuple(diagnostics))


def content_hash(array: np.ndarray) -> str:
    """A SHA-256 in hexadecimal of an array's shape and bytes."""
    digest = hashlib.sha256(repr(tuple(array.shape)).encode())
    digest.update(array.tobytes())
    return digest.hexdigest()


def _load(
    statement: Data,
    base: Path | None,
    path: tuple[str, Span | None] | None,
    arrays: Mapping[str, object],
    diagnostics: list[Diagnostic],
) -> np.ndarray | None:
    """One statement's array; None where it has none, or where its source's call is wrong."""
    name = statement.name.name
    source = statement.source
    if isinstance(source, Call):
        read, wrong = read_source(source, path[0] if path else None)
        diagnostics.extend(wrong)
        if name in arrays:
            return _from_caller(arrays[name])
        if read is None:
            return None
        folder = Path() if path or base is None else base
        return _vector_if_declared(statement, _read_file(read, folder))
    if name in arrays:
        return _from_caller(arrays[name])
    if path is not None:
        return _vector_if_declared(statement, _read_file(source_of_path(path[0]), Path()))
    if source is None:
        return None
    if isinstance(source, ListLiteral):
        return _from_caller(read_list(source), "the list")
    message = f'a data source is `csv("…")`, `npy("…")` or `npz("…")`, found `{source.span.text}`'
    raise Unreadable(message, "write `let` instead of `data`")


def _from_caller(value: object, owner: str = "the value") -> np.ndarray:
    # NumPy takes 0.1 s to load, which a model without data needn't wait for.
    from .numpy_file import as_numbers

    return as_numbers(value, owner)


def _read_file(source: DataSource, folder: Path) -> np.ndarray:
    # As above: NumPy is loaded once there is a file to read.
    from .csv_file import read_csv
    from .numpy_file import read_npy, read_npz

    path = folder / source.path
    match source:
        case CsvSource():
            return read_csv(path, source)
        case NpySource():
            return read_npy(path, source)
        case _:
            return read_npz(path, source)


def _vector_if_declared(statement: Data, array: np.ndarray) -> np.ndarray:
    """A single csv column as a vector where `real[n]` declares one."""
    declared = statement.type
    is_vector = isinstance(declared, RealType) and len(declared.dimensions) == 1
    if is_vector and array.ndim == 2 and array.shape[1] == 1:
        return array.reshape(-1)
    return array


def _unknown_names(
    program: Program,
    statements: Mapping[str, Data],
    paths: Mapping[str, tuple[str, Span | None]],
    arrays: Mapping[str, object],
) -> list[Diagnostic]:
    """E605 for every path and array whose name no `data` statement declares."""
    params = {item.name.name for item in program.statements if isinstance(item, Param)}
    places = {name: None for name in arrays} | {name: span for name, (_, span) in paths.items()}
    diagnostics: list[Diagnostic] = []
    for name, span in places.items():
        if name in statements:
            continue
        known = ", ".join(f"`{item}`" for item in statements)
        message = f"the model has no data `{name}`; " + (
            f"it has {known}" if known else "it has no `data` statement"
        )
        hint = did_you_mean(name, statements)
        if name in params:
            hint = f"`{name}` is a param: give it with `--set {name}=…`, or in `params`"
        diagnostics.append(Diagnostic("E605", message, span, hint))
    return diagnostics
