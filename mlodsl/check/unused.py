"""Warnings about what is declared and never used."""

from __future__ import annotations

from collections.abc import Sequence

from .outline import ItemKind, Outline
from .reports import Reports
from .resolve import References
from .symbols import SymbolTable

_WORDS = {
    ItemKind.PARAM: "the param",
    ItemKind.DATA: "the data",
    ItemKind.LET: "the `let`",
    ItemKind.VARIABLE: "the variable",
}


def warn_unused(
    outline: Outline, table: SymbolTable, references: Sequence[References], reports: Reports
) -> None:
    """Warns about params, data, lets and variables that no expression uses.

    Of the parts of a `let (A, B) = …` one has to be used; data is used where a size that it
    binds is.
    """
    used: set[int] = set()
    for index, found in enumerate(references):
        for _, symbol in found.symbols:
            if symbol.item is not None and symbol.item != index:
                used.add(symbol.item)
    for index, item in enumerate(outline.items):
        if item.kind not in _WORDS or index in used:
            continue
        name = item.names[0]
        if name.name not in table.spoiled:
            message = f"{_WORDS[item.kind]} `{name.name}` is never used"
            reports.add("W902", message, name.span, "remove it")
