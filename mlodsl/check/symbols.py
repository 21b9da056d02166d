"""The names a model declares: one namespace with the built-in functions, each name once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from mlodsl.syntax import nodes

from .builtins import BUILTINS
from .outline import Item, ItemKind, Outline
from .reports import Reports

TYPE_WORDS = frozenset({"real", "int"})
"""Words of the language that aren't reserved but can't be declared either."""


class Kind(Enum):
    """What a name stands for; the value says it in messages."""

    PARAM = "a param"
    DATA = "data"
    LET = "a `let`"
    FUNCTION = "a function"
    VARIABLE = "a variable"
    CONSTRAINT = "a constraint"
    LEVEL = "a level"
    PLAYER = "a player"
    SIZE = "a size"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A declared name.

    Arguments:
        item: index of the item that declares it, None for levels and players.
        level, player: where a `let` or constraint is seen; None: everywhere, in all players.
    """

    name: str
    kind: Kind
    identifier: nodes.Identifier
    item: int | None
    level: int | None = None
    player: int | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is seen in its own level only."""
        return self.level is not None and self.kind in (Kind.LET, Kind.FUNCTION)

    def is_visible(self, level: int | None, player: int | None) -> bool:
        """Whether it is seen in that level and player."""
        if not self.is_local:
            return True
        return self.level == level and self.player in (None, player)


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """All names of a model.

    Arguments:
        symbols: by name; of two with one name the first.
        spoiled: names declared twice or wrongly: what they mean is unsure, so nothing that
            follows from them is reported.
    """

    symbols: dict[str, Symbol]
    spoiled: frozenset[str]
    python_functions: frozenset[str]


_KINDS = {
    ItemKind.PARAM: Kind.PARAM,
    ItemKind.DATA: Kind.DATA,
    ItemKind.LET: Kind.LET,
    ItemKind.FUNCTION: Kind.FUNCTION,
    ItemKind.VARIABLE: Kind.VARIABLE,
    ItemKind.CONSTRAINT: Kind.CONSTRAINT,
}


def declare(outline: Outline, python_functions: Collection[str], reports: Reports) -> SymbolTable:
    """The names that a program declares; reports those that are taken already."""
    found: list[Symbol] = []
    for index, item in enumerate(outline.items):
        for name in item.names:
            found.append(Symbol(name.name, _KINDS[item.kind], name, index, item.level, item.player))
    for level_index, level in enumerate(outline.levels):
        found.append(Symbol(level.node.name.name, Kind.LEVEL, level.node.name, None, level_index))
        for player in level.players if level.has_players else ():
            name = player.node.name
            found.append(Symbol(name.name, Kind.PLAYER, name, None, level_index, player.index))
    symbols: dict[str, Symbol] = {}
    spoiled: set[str] = set()
    # By place, so that the second of two is the one further down. Names from outside of
    # levels come first: a `let` in a level is the one that shadows, wherever it stands.
    for symbol in sorted(found, key=lambda one: (one.is_local, one.identifier.span.start)):
        if _is_free(symbol, symbols, python_functions, reports):
            symbols[symbol.name] = symbol
        else:
            spoiled.add(symbol.name)
    for index, item in enumerate(outline.items):
        if item.kind is ItemKind.DATA:
            _declare_sizes(index, item, symbols, python_functions)
    return SymbolTable(symbols, frozenset(spoiled), frozenset(python_functions))


def _is_free(
    symbol: Symbol,
    symbols: dict[str, Symbol],
    python_functions: Collection[str],
    reports: Reports,
) -> bool:
    name, span = symbol.name, symbol.identifier.span
    taken = taken_by_language(name, python_functions)
    if taken is not None:
        reports.add("E103", f"`{name}` is {taken}", span, "choose another name")
        return False
    first = symbols.get(name)
    if first is None:
        return True
    line = first.identifier.span.source.position(first.identifier.span.start)[0]
    if symbol.is_local and not first.is_local:
        message = f"`{name}` is already {first.kind.value}, declared in line {line}"
        reports.add("E103", message, span, "shadowing is not allowed: choose another name")
    else:
        message = f"`{name}` is declared twice, first as {first.kind.value} in line {line}"
        reports.add("E101", message, span, "rename one of the two")
    return False


def taken_by_language(name: str, python_functions: Collection[str]) -> str | None:
    """What holds a name that no model may declare, in words; None where it is free."""
    if name in BUILTINS:
        return "a built-in function"
    if name in TYPE_WORDS:
        return "the name of a type"
    return "a function that the Python caller gives" if name in python_functions else None


def _declare_sizes(
    index: int, item: Item, symbols: dict[str, Symbol], python_functions: Collection[str]
) -> None:
    """Names in the shape of data that nothing else declares are bound to its sizes."""
    assert isinstance(item.node, nodes.Data)
    if not isinstance(item.node.type, nodes.RealType):
        return
    for dimension in item.node.type.dimensions:
        if not isinstance(dimension, nodes.Name):
            continue
        name = dimension.name
        if name not in symbols and taken_by_language(name, python_functions) is None:
            identifier = nodes.Identifier(name, span=dimension.span)
            symbols[name] = Symbol(name, Kind.SIZE, identifier, index)
