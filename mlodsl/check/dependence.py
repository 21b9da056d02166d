"""Which variables and multipliers each item depends on, through `let`s and functions too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate
from operator import or_

from mlodsl.diagnostics import Span

from .order import Order
from .outline import ItemKind, Outline
from .reports import Reports
from .resolve import References
from .symbols import Kind, Symbol


@dataclass(frozen=True, slots=True, eq=False)
class VariableNames(Set[str]):
    """A set of names of variables; as bits, since a model has as many of these sets as `let`s.

    Arguments:
        bits: one for each item; those that are set are members.
        names: of all items, shared by all sets.
    """

    bits: int
    names: tuple[str, ...]

    def __contains__(self, name: object) -> bool:
        return any(member == name for member in self)

    def __iter__(self) -> Iterator[str]:
        return (self.names[index] for index in _members(self.bits))

    def __len__(self) -> int:
        return self.bits.bit_count()

    __hash__ = Set._hash


class Dependence:
    """Sets of variables and of constraints (under `dual`), as bits of whole numbers.

    With thousands of `let`s that each use those before them, sets of names would take
    quadratic time and space.
    """

    def __init__(self, outline: Outline, references: Sequence[References], order: Order) -> None:
        self._items = outline.items
        self._references = references
        self.variables = [0] * len(outline.items)
        self.duals = [0] * len(outline.items)
        self._of_level = [0] * len(outline.levels)
        constraints = [0] * len(outline.levels)
        for index, item in enumerate(outline.items):
            if item.kind is ItemKind.CONSTRAINT and item.names:
                assert item.level is not None
                constraints[item.level] |= 1 << index
            if item.kind is ItemKind.VARIABLE:
                assert item.level is not None
                self.variables[index] = 1 << index
                self._of_level[item.level] |= 1 << index
        for index in order.sequence:
            if outline.items[index].kind is ItemKind.VARIABLE:
                continue  # its type may use sizes of other variables, never their values
            for _, symbol in references[index].symbols:
                if symbol.item is not None:
                    self.variables[index] |= self.variables[symbol.item]
                    self.duals[index] |= self.duals[symbol.item]
            for _, symbol in references[index].duals:
                assert symbol.item is not None and symbol.level is not None
                self.duals[index] |= 1 << symbol.item
                self.variables[index] |= self._of_level[symbol.level]
        # For each level, the constraints whose multipliers it may not use.
        self._out_of_reach = list(accumulate(constraints, or_))

    def names(self) -> list[VariableNames]:
        """The names of the variables that each item depends on, by item."""
        first = tuple(item.names[0].name if item.names else "" for item in self._items)
        return [VariableNames(bits, first) for bits in self.variables]

    def report(self, reports: Reports) -> None:
        """Reports variables where only constants may stand, and multipliers out of reach."""
        allowed = [0]
        for bits in self._of_level:
            allowed.append(allowed[-1] | bits)
        for index, item in enumerate(self._items):
            if item.kind in (ItemKind.PARAM, ItemKind.DATA, ItemKind.START):
                self._report_variables(index, 0, reports)
            elif item.kind is ItemKind.DOMAIN:
                assert item.level is not None
                self._report_variables(index, allowed[item.level], reports)
            elif item.level is not None:
                self._report_duals(index, item.level, reports)

    def _uses(self, index: int) -> list[tuple[Span, Symbol, int, int]]:
        """Each use in an item, with the variables and constraints that it brings in."""
        references = self._references[index]
        found = []
        for span, symbol in references.symbols:
            if symbol.item is not None:
                bits = self.variables[symbol.item], self.duals[symbol.item]
                found.append((span, symbol, *bits))
        for call, symbol in references.duals:
            assert symbol.item is not None and symbol.level is not None
            found.append((call.span, symbol, self._of_level[symbol.level], 1 << symbol.item))
        return found

    def _report_variables(self, index: int, allowed: int, reports: Reports) -> None:
        item = self._items[index]
        what, may = {
            ItemKind.PARAM: ("the default of a param", "params and data"),
            ItemKind.DATA: ("the shape of data", "params and data"),
            ItemKind.START: ("a start", "params and data"),
            ItemKind.DOMAIN: ("a domain", "params, data and variables of the levels above"),
        }[item.kind]
        for span, symbol, variables, _ in self._uses(index):
            forbidden = variables & ~allowed
            if not forbidden:
                continue
            first = self._items[next(_members(forbidden))].names[0].name
            reason = (
                f"`{symbol.name}` is a variable"
                if symbol.kind is Kind.VARIABLE
                else f"`{span.text}` depends on the variable `{first}`"
            )
            reports.add("E106", f"{reason}; {what} may use only {may}", span)

    def _report_duals(self, index: int, level: int, reports: Reports) -> None:
        for span, symbol, _, duals in self._uses(index):
            forbidden = duals & self._out_of_reach[level]
            if not forbidden:
                continue
            name = self._items[next(_members(forbidden))].names[0].name
            owner = f"stands only in the levels above the one of `{name}`"
            reason = f"`dual({name})` {owner}"
            if symbol.kind is not Kind.CONSTRAINT:
                reason = f"`{symbol.name}` uses `dual({name})`, which {owner}"
            reports.add("E306", reason, span)


def _members(bits: int) -> Iterator[int]:
    """The positions of the bits that are set."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def report_circles(outline: Outline, order: Order, reports: Reports) -> set[int]:
    """Reports definitions in terms of themselves.

    Returns:
        The items in circles: what they are is unknown.
    """
    broken: set[int] = set()
    for circle in order.circles:
        broken.update(circle)
        names = [outline.items[index].names[0] for index in circle]
        first = names.index(min(names, key=lambda name: name.span.start))
        turned = names[first:] + names[:first]
        path = " → ".join(f"`{name.name}`" for name in (*turned, turned[0]))
        if len(path) > 120:
            path = f"`{turned[0].name}` → `{turned[1].name}` → … → `{turned[0].name}`"
        message = f"`{turned[0].name}` is defined in terms of itself: {path}"
        reports.add("E104", message, turned[0].span, "break the circle")
    return broken
