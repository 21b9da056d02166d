"""Reads the keywords of `model.solve(strategy="auto", tolerance=1e-8)` into a layer.

The keywords are written out as a text of their own, so that diagnostics can point into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral, Real

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span
from mlodsl.syntax.nodes import (
    Call,
    Constant,
    Expression,
    Identifier,
    Keyword,
    LevelOptions,
    Option,
)

from .embedded import embedded_expression, number_at
from .read import Layer

_EXPECTED = "give a number, a bool, a text, or a dict with a `name`"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One `key=value`, and where key and value stand in the text that was written."""

    key: str
    key_start: int
    value: object
    start: int
    end: int
    entries: tuple[_Entry, ...] = ()


def layer_of_keywords(keywords: Mapping[str, object], function: str = "solve") -> Layer:
    """The layer that Python keywords say.

    Arguments:
        keywords: options by name. A value is a number, a bool, a text read as in a `solve`
            block (`"adam(0.1, b1 = 0.5)"`), or a dict with a `name` and arguments
            (`{"name": "implicit", "linear_solver": "cg"}`). `level` is a dict from the levels'
            names to dicts of options. None means "not given".
        function: what was called, for messages.

    Raises:
        ModelError: where a value is of no such type or a text can't be read.
    """
    pieces: list[str] = []
    entries = tuple(_write(keywords, pieces, "", "="))
    reader = _Reader(Source(f"{function}(…)", "".join(pieces)))
    layer = reader.layer(entries)
    if reader.diagnostics:
        raise ModelError(reader.diagnostics)
    return layer


def _write(
    mapping: Mapping[str, object], pieces: list[str], quote: str, equals: str
) -> Iterator[_Entry]:
    """Write a mapping's entries to `pieces`, and say where each stands."""
    first = True
    for key, value in mapping.items():
        if value is None:
            continue
        if not first:
            pieces.append(", ")
        first = False
        key_start = _length(pieces) + len(quote)
        pieces.append(f"{quote}{key}{quote}{equals}")
        entries: tuple[_Entry, ...] = ()
        start = _length(pieces)
        if isinstance(value, Mapping):
            pieces.append("{")
            entries = tuple(_write(value, pieces, '"', ": "))
            pieces.append("}")
            end = _length(pieces)
        elif isinstance(value, str):
            pieces.append(f'"{value}"')
            start += 1
            end = start + len(value)
        else:
            pieces.append(_shown(value))
            end = _length(pieces)
        yield _Entry(str(key), key_start, value, start, end, entries)


def _length(pieces: list[str]) -> int:
    return sum(len(piece) for piece in pieces)


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, Real) else f"<{type(value).__name__}>"


class _Reader:
    """Turns entries into nodes with spans in `source`; what is wrong goes to `diagnostics`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def layer(self, entries: tuple[_Entry, ...]) -> Layer:
        items: list[Option | LevelOptions] = []
        for entry in entries:
            if entry.key == "level" and isinstance(entry.value, Mapping):
                items.extend(self._levels(entry.entries))
            else:
                items.extend(self._options((entry,)))
        return tuple(items)

    def _levels(self, entries: tuple[_Entry, ...]) -> Iterator[LevelOptions]:
        for entry in entries:
            if isinstance(entry.value, Mapping):
                yield LevelOptions(
                    name=self._key(entry),
                    options=tuple(self._options(entry.entries)),
                    span=self._span(entry),
                )
            else:
                message = f"the options of level `{entry.key}` must be a dict"
                hint = f'write {{"{entry.key}": {{"steps": 3}}}}'
                self.diagnostics.append(Diagnostic("E504", message, self._span(entry), hint))

    def _options(self, entries: tuple[_Entry, ...]) -> Iterator[Option]:
        for entry in entries:
            value = self._value(entry)
            if value is not None:
                key = self._key(entry)
                yield Option(key=key, value=value, span=key.span.to(value.span))

    def _value(self, entry: _Entry) -> Expression | None:
        span = self._span(entry)
        match entry.value:
            case bool(value):
                return Constant(name="true" if value else "false", span=span)
            case str(value):
                try:
                    return embedded_expression(span, value)
                except ModelError as error:
                    self.diagnostics.extend(error.diagnostics)
                    return None
            case Integral():
                return number_at(span, int(entry.value))
            case Real():
                return number_at(span, float(entry.value))
            case Mapping():
                return self._call(entry)
            case _:
                message = (
                    f"`{entry.key}` can't be given as a value of type "
                    f"`{type(entry.value).__name__}`"
                )
                self.diagnostics.append(Diagnostic("E504", message, span, _EXPECTED))
                return None

    def _call(self, entry: _Entry) -> Expression | None:
        names = [item for item in entry.entries if item.key == "name"]
        if not names or not isinstance(names[0].value, str):
            message = f"the dict of `{entry.key}` has no `name`"
            self.diagnostics.append(Diagnostic("E504", message, self._span(entry), _EXPECTED))
            return None
        keywords: list[Keyword] = []
        for item in entry.entries:
            if item.key != "name" and (value := self._value(item)) is not None:
                key = self._key(item)
                keywords.append(Keyword(name=key, value=value, span=key.span.to(value.span)))
        function = Identifier(name=names[0].value, span=self._span(names[0]))
        return Call(
            function=function, arguments=(), keywords=tuple(keywords), span=self._span(entry)
        )

    def _key(self, entry: _Entry) -> Identifier:
        end = entry.key_start + len(entry.key)
        return Identifier(name=entry.key, span=Span(self.source, entry.key_start, end))

    def _span(self, entry: _Entry) -> Span:
        return Span(self.source, entry.start, entry.end)
