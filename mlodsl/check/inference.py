"""What every rule of the type checker shares: known types, the findings, where calls stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mlodsl.diagnostics import Span
from mlodsl.syntax import nodes

from .misfit import Misfit, quote
from .reports import Reports
from .static_indices import IndexUse
from .symbols import Kind, SymbolTable
from .types import UNKNOWN, ArrayType, Type, UnknownType, show_type

Local: TypeAlias = Mapping[str, Type]
"""The types of the names that parameters and `for`s bind."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the model, as calls need it; `broken` where its definition is unusable."""

    node: nodes.LetFunction
    broken: bool = False


_MOST_REPEATED = 5_000


class Inference:
    """Works out the type of each expression, and reports what doesn't fit.

    An operand whose type is `UNKNOWN` was reported already: whatever is made of it is
    unknown too and reported no more.
    """

    def __init__(
        self, handlers: Mapping[type, Handler], table: SymbolTable, reports: Reports
    ) -> None:
        self._handlers = handlers
        self.table = table
        self.reports = reports
        self.types: dict[str, Type] = {}
        """Types of params, data, sizes, lets and variables, by name."""
        self.duals: dict[str, Type] = {}
        """Types of the multipliers of named constraints."""
        self.functions: dict[str, Function] = {}
        self.index_use = IndexUse({})
        self.results: dict[tuple[str, tuple[Type, ...]], Type] = {}
        """Results of functions by the types of their arguments."""
        self.calls: list[tuple[str, Span]] = []
        """The calls whose bodies are being checked, outermost first."""
        self.indices: list[str] = []
        """The values of `for` indices for which a body is being checked, as messages say it."""
        self._repeated = 0

    def type_of(self, node: nodes.Expression, local: Local) -> Type:
        """The type of an expression; reports what is wrong in it."""
        try:
            return self._handlers[type(node)](self, node, local)
        except Misfit as misfit:
            self.report_misfit(misfit, node)
            return UNKNOWN

    def numbers(self, node: nodes.Expression, local: Local) -> ArrayType | UnknownType:
        """The type of an expression that must be an array of numbers."""
        # `type_of` isn't called: expressions are nested, and Python's stack is not deep.
        try:
            found = self._handlers[type(node)](self, node, local)
        except Misfit as misfit:
            self.report_misfit(misfit, node)
            return UNKNOWN
        if isinstance(found, ArrayType):
            if found.kind != "bool":
                return found
        elif isinstance(found, UnknownType):
            return found
        self.report("E204", f"{quote(node)} is {show_type(found)}, expected numbers", node.span)
        return UNKNOWN

    def may_repeat(self, times: int) -> bool:
        """Whether a body may be checked that many times more, without taking long."""
        may = self._repeated + times <= _MOST_REPEATED
        self._repeated += times if may else 0
        return may

    def report(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        """Notes a finding; in a function's body, says which call it comes from."""
        if self.calls:
            name, place = self.calls[-1]
            line = place.source.position(place.start)[0]
            message += f" (in `{name}` as called in line {line})"
        if self.indices:
            message += f" (for {', '.join(self.indices)})"
        self.reports.add(code, message, span, hint)

    def report_misfit(self, misfit: Misfit, node: nodes.Node, span: Span | None = None) -> None:
        """Notes that an operation doesn't fit its operands, quoting the operation."""
        place = span or node.span
        shown = quote(node) if span is None else quote(nodes.Node(span=span))
        where = place if misfit.node is None else misfit.node.span
        hint = self._int_hint(misfit.node) if misfit.code == "E208" else None
        self.report(misfit.code, f"{shown}: {misfit.message}", where, hint or misfit.hint)

    def _int_hint(self, node: nodes.Node | None) -> str | None:
        """What mends a real param where a whole number must stand."""
        symbol = self.table.symbols.get(node.name) if isinstance(node, nodes.Name) else None
        if symbol is None or symbol.kind is not Kind.PARAM:
            return None
        return f"declare it whole: `param {symbol.name} : int = …`"


Handler: TypeAlias = Callable[[Inference, nodes.Expression, Local], Type]
