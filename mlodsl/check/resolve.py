"""Names to what they stand for: unknown ones, hidden ones, and what each item needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlodsl.diagnostics import Span
from mlodsl.syntax import nodes

from .builtins import BUILTINS
from .outline import Item, Outline
from .reports import Reports
from .symbols import Kind, Symbol, SymbolTable, taken_by_language
from .uses import Binding, Use, uses


@dataclass(slots=True)
class References:
    """What an item uses: declared names where they stand, and constraints under `dual`."""

    symbols: list[tuple[Span, Symbol]] = field(default_factory=list)
    duals: list[tuple[nodes.Call, Symbol]] = field(default_factory=list)

    @property
    def needs(self) -> tuple[int, ...]:
        """The items that declare what it uses."""
        both = [symbol for _, symbol in self.symbols] + [symbol for _, symbol in self.duals]
        found = (symbol.item for symbol in both)
        return tuple(dict.fromkeys(item for item in found if item is not None))


def resolve(outline: Outline, table: SymbolTable, reports: Reports) -> list[References]:
    """What each item of the outline uses; reports names that can't be used there."""
    resolver = _Resolver(table, reports)
    return [resolver.references(index, item) for index, item in enumerate(outline.items)]


class _Resolver:
    def __init__(self, table: SymbolTable, reports: Reports) -> None:
        self._table = table
        self._reports = reports
        self._visible: dict[tuple[int | None, int | None], frozenset[str]] = {}
        self._constraints = frozenset(
            one.name for one in table.symbols.values() if one.kind is Kind.CONSTRAINT
        )

    def references(self, index: int, item: Item) -> References:
        """What one item uses."""
        found = References()
        local: frozenset[str] = frozenset()
        if item.parameters:
            self._bind(Binding(item.parameters, local), item, "a parameter")
            local = frozenset(parameter.name for parameter in item.parameters)
        named_by_dual: set[int] = set()
        for root in item.roots:
            for use in uses(root, local):
                if isinstance(use, Binding):
                    self._bind(use, item, "a `for` name")
                elif use.call is not None and use.name == "dual":
                    named_by_dual.update(map(id, use.call.arguments))
                    self._resolve_dual(use.call, item, found)
                elif id(use.node) not in named_by_dual:
                    self._resolve_use(use, item, found)
        # Data doesn't need itself for the sizes that it binds.
        found.symbols = [
            (span, symbol)
            for span, symbol in found.symbols
            if symbol.kind is not Kind.SIZE or symbol.item != index
        ]
        return found

    def _bind(self, binding: Binding, item: Item, what: str) -> None:
        seen: set[str] = set()
        for identifier in binding.names:
            name, span = identifier.name, identifier.span
            taken = taken_by_language(name, self._table.python_functions)
            symbol = self._table.symbols.get(name)
            if name in seen:
                message = f"`{name}` is declared twice in one place"
                self._reports.add("E101", message, span, "rename one of the two")
            elif name in binding.local:
                taken = "a name bound around it"
            elif symbol is not None and symbol.is_visible(item.level, item.player):
                taken = f"{symbol.kind.value} of the model"
            if taken is not None:
                message = f"{what} can't be called `{name}`: that is {taken}"
                self._reports.add("E103", message, span, "shadowing is not allowed: rename it")
            seen.add(name)

    def _resolve_use(self, use: Use, item: Item, found: References) -> None:
        name, span = use.name, use.node.span
        table = self._table
        if name in use.local or name in table.spoiled:
            return
        symbol = table.symbols.get(name)
        if symbol is None:
            if name not in BUILTINS and name not in table.python_functions:
                self._unknown(use, item)
            elif not use.called:
                message = f"`{name}` is a function, not a value"
                self._reports.add("E107", message, span, f"call it: `{name}(…)`")
            return
        found.symbols.append((span, symbol))
        if not symbol.is_visible(item.level, item.player):
            message = f"`{name}` is declared inside of another level and seen only there"
            self._reports.add("E105", message, span, "declare it outside of the levels")
        elif symbol.kind is Kind.FUNCTION and not use.called:
            message = f"`{name}` is a function, not a value"
            self._reports.add("E107", message, span, f"call it: `{name}(…)`")
        elif symbol.kind is Kind.CONSTRAINT:
            message = f"`{name}` is a constraint, not a value"
            self._reports.add("E107", message, span, f"its multiplier is `dual({name})`")
        elif symbol.kind in (Kind.LEVEL, Kind.PLAYER):
            self._reports.add("E107", f"`{name}` is {symbol.kind.value}, not a value", span)

    def _unknown(self, use: Use, item: Item) -> None:
        name = use.name
        if name in ("real", "int"):
            message = f"`{name}` is a type, not a value"
            self._reports.add("E107", message, use.node.span)
            return
        key = (item.level, item.player)
        if key not in self._visible:
            self._visible[key] = frozenset(
                symbol.name for symbol in self._table.symbols.values() if symbol.is_visible(*key)
            ).union(BUILTINS, self._table.python_functions)
        hint = self._reports.similar(name, self._visible[key], use.local)
        self._reports.add("E102", f"unknown name `{name}`", use.node.span, hint)

    def _resolve_dual(self, call: nodes.Call, item: Item, found: References) -> None:
        argument = call.arguments[0] if len(call.arguments) == 1 else None
        if not isinstance(argument, nodes.Name) or call.keywords:
            message = "`dual` takes the name of one constraint"
            self._reports.add("E306", message, call.span, "write `subject to c: …` and `dual(c)`")
            return
        name = argument.name
        symbol = self._table.symbols.get(name)
        if name in self._table.spoiled:
            return
        if symbol is None:
            hint = self._reports.similar(name, self._constraints)
            self._reports.add("E102", f"unknown constraint `{name}`", argument.span, hint)
        elif symbol.kind is not Kind.CONSTRAINT:
            message = f"`dual` takes the name of a constraint, and `{name}` is {symbol.kind.value}"
            self._reports.add("E306", message, argument.span)
        else:
            found.duals.append((call, symbol))
