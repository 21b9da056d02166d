"""Reads the source of a `data` statement: `csv(…)`, `npy(…)`, `npz(…)`, a list of numbers.

No file is opened here. The arguments must be literals, so reading them runs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from mlodsl.diagnostics import Diagnostic, did_you_mean
from mlodsl.settings.constants import NotConstant, evaluate_number
from mlodsl.syntax.nodes import (
    Call,
    Constant,
    Expression,
    Generator,
    ListLiteral,
    Name,
    Text,
)

from .structure import Column, CsvSource, DataSource, NpySource, NpzSource, Unreadable

SIGNATURES: dict[str, str] = {
    "csv": "csv(path, delimiter = auto, header = auto, columns = [...])",
    "npy": "npy(path)",
    "npz": 'npz(path, "key")',
}
_PARAMETERS: dict[str, tuple[str, ...]] = {
    "csv": ("path", "delimiter", "header", "columns"),
    "npy": ("path",),
    "npz": ("path", "key"),
}
_ENDINGS: dict[str, str] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".npy": "npy",
    ".npz": "npz",
}
_DELIMITERS = {"\\t": "\t", "tab": "\t", "space": " "}


def read_source(call: Call, path: str | None = None) -> tuple[DataSource | None, list[Diagnostic]]:
    """The source that a call says, or None and what is wrong with it.

    Arguments:
        call: the call in the `data` statement.
        path: what replaces the call's own path, from `--data NAME=PATH`.
    """
    name = call.function.name
    if name not in _PARAMETERS:
        message = f"unknown data source `{name}`; there are `csv`, `npy` and `npz`"
        hint = did_you_mean(name, _PARAMETERS)
        return None, [Diagnostic("E102", message, call.function.span, hint)]
    diagnostics: list[Diagnostic] = []
    arguments = _bind(call, path is not None, diagnostics)
    values: dict[str, Any] = {}
    for parameter, expression in arguments.items():
        try:
            values |= _READERS[parameter](expression)
        except Unreadable as problem:
            span = problem.span or expression.span
            diagnostics.append(Diagnostic(problem.code, problem.message, span, problem.hint))
    if diagnostics:
        return None, diagnostics
    if path is not None:
        values["path"] = path
    makers: dict[str, Callable[..., DataSource]] = {
        "csv": CsvSource,
        "npy": NpySource,
        "npz": NpzSource,
    }
    return makers[name](**values), []


def source_of_path(path: str) -> DataSource:
    """The source that a file's ending says.

    Raises:
        Unreadable: where the ending says nothing.
    """
    ending = PurePath(path).suffix.lower()
    match _ENDINGS.get(ending):
        case "csv":
            return CsvSource(path)
        case "npy":
            return NpySource(path)
        case "npz":
            return NpzSource(path)
    known = ", ".join(f"`{item}`" for item in _ENDINGS)
    shown = f"the ending `{ending}`" if ending else "a name without an ending"
    raise Unreadable(
        f"`{path}` has {shown}, which says no kind of file; known are {known}",
        "name the source in the model: `data … = csv(…)`",
    )


def read_list(expression: ListLiteral) -> list[Any]:
    """A list of numbers, or of lists of numbers and so on, as Python lists.

    Raises:
        Unreadable: E601 at the item that is no number.
    """
    items: list[Any] = []
    for item in expression.items:
        if isinstance(item, ListLiteral):
            items.append(read_list(item))
            continue
        try:
            items.append(float(evaluate_number(item)))
        except NotConstant as problem:
            message = f"a data list holds numbers only, found `{problem.span.text}`"
            hint = "write `let` instead of `data`"
            raise Unreadable(message, hint, span=problem.span) from None
        except OverflowError:
            message = f"`{item.span.text}` is too large"
            raise Unreadable(message, span=item.span) from None
    return items


def _bind(call: Call, has_path: bool, diagnostics: list[Diagnostic]) -> dict[str, Expression]:
    """The arguments by name; too many, unknown, repeated and missing ones are reported."""
    name = call.function.name
    parameters = _PARAMETERS[name]
    shown = f"`{SIGNATURES[name]}`"
    arguments: dict[str, Expression] = {}
    for position, argument in enumerate(call.arguments):
        if position >= len(parameters):
            message = f"`{name}` takes at most {len(parameters)} arguments: {shown}"
            if len(parameters) == 1:
                message = f"`{name}` takes one argument: {shown}"
            diagnostics.append(Diagnostic("E202", message, argument.span))
            break
        if isinstance(argument, Generator):
            message = f"a `for` stands in sums only, not in `{name}`"
            diagnostics.append(Diagnostic("E204", message, argument.span))
            continue
        arguments[parameters[position]] = argument
    for keyword in call.keywords:
        key = keyword.name.name
        if key not in parameters:
            message = f"unknown argument `{key}` of `{name}`: {shown}"
            hint = did_you_mean(key, parameters)
            diagnostics.append(Diagnostic("E203", message, keyword.name.span, hint))
        elif key in arguments:
            message = f"the argument `{key}` of `{name}` is given twice"
            diagnostics.append(Diagnostic("E202", message, keyword.name.span))
        else:
            arguments[key] = keyword.value
    if not diagnostics and "path" not in arguments and not has_path:
        message = f"`{name}` needs a path: {shown}"
        diagnostics.append(Diagnostic("E202", message, call.span))
    return arguments


def _wrong(expected: str, expression: Expression, hint: str | None = None) -> Unreadable:
    message = f"{expected}, found `{expression.span.text}`"
    return Unreadable(message, hint, code="E204", span=expression.span)


def _read_path(expression: Expression) -> dict[str, Any]:
    if not isinstance(expression, Text):
        hint = None
        if isinstance(expression, Name):
            hint = f'put it in quotes: `"{expression.name}"`'
        raise _wrong("a path is a text in quotes", expression, hint)
    return {"path": expression.value}


def _read_delimiter(expression: Expression) -> dict[str, Any]:
    match expression:
        case Name(name="auto"):
            return {"delimiter": "auto"}
        case Text(value=value):
            delimiter = _DELIMITERS.get(value, value)
            if len(delimiter) == 1 and not (delimiter.isalnum() or delimiter in '."+-\r\n'):
                return {"delimiter": delimiter}
    raise _wrong('`delimiter` is `auto` or one character in quotes, as in `";"`', expression)


def _read_header(expression: Expression) -> dict[str, Any]:
    match expression:
        case Name(name="auto"):
            return {"header": "auto"}
        case Constant(name="true" | "false" as name):
            return {"header": name == "true"}
    raise _wrong("`header` is `auto`, `true` or `false`", expression)


def _read_columns(expression: Expression) -> dict[str, Any]:
    expected = "`columns` is a list of column names in quotes or of indices from 0"
    if not isinstance(expression, ListLiteral) or not expression.items:
        raise _wrong(expected, expression)
    columns: list[Column] = []
    for item in expression.items:
        if isinstance(item, Text):
            columns.append(item.value)
            continue
        try:
            index = evaluate_number(item)
        except NotConstant:
            raise _wrong(expected, item) from None
        if not isinstance(index, int):
            raise _wrong(expected, item)
        columns.append(index)
    spans = tuple(item.span for item in expression.items)
    return {"columns": tuple(columns), "column_spans": spans}


def _read_key(expression: Expression) -> dict[str, Any]:
    if not isinstance(expression, Text):
        raise _wrong("the key of an array is a text in quotes", expression)
    return {"key": expression.value, "key_span": expression.span}


_READERS: dict[str, Callable[[Expression], dict[str, Any]]] = {
    "path": _read_path,
    "delimiter": _read_delimiter,
    "header": _read_header,
    "columns": _read_columns,
    "key": _read_key,
}
