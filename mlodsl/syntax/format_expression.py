"""Expressions, types and domains as text, with the fewest parentheses that keep the meaning."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from . import nodes
from .layout import Break, Document, Group, Nest, lay_out

# How tightly an expression holds together; in parentheses everything is an atom.
_COMPARISON, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(6)

CONTINUATION = 2
"""Columns by which a broken line is indented, once for each nesting of arguments."""


def format_expression(expression: nodes.Expression) -> str:
    """An expression on one line, in the canonical layout."""
    (line,) = lay_out(document(expression), 0, width=sys.maxsize)
    return line


def document(node: nodes.Expression | nodes.Generator | nodes.Slice) -> Document:
    """An expression with the places where its line may break."""
    match node:
        case nodes.Number():
            return node.text or repr(node.value)
        case nodes.Constant(name) | nodes.Name(name):
            return name
        case nodes.Text(value):
            return f'"{value}"'
        case nodes.ListLiteral(items):
            return _bracketed("[", [document(item) for item in items], "]")
        case nodes.TupleLiteral(items):
            return _bracketed("(", [document(item) for item in items], ")")
        case nodes.Negation(operand):
            return ("-", _operand(operand, _UNARY))
        case nodes.Chain(first, rest):
            tighter = _PRODUCT if _precedence(node) == _SUM else _UNARY
            return _operators(first, rest, tighter)
        case nodes.Comparison(first, rest):
            return _operators(first, rest, _SUM)
        case nodes.Power(base, exponent):
            return (_operand(base, _ATOM), "^", _operand(exponent, _UNARY))
        case nodes.Index(base, indices):
            return (_operand(base, _ATOM), _bracketed("[", [document(i) for i in indices], "]"))
        case nodes.Slice(start, stop, step):
            return _slice(start, stop, step)
        case nodes.Transpose(operand):
            # `1.T` would read as the number `1.` and the name `T`.
            is_number = isinstance(operand, nodes.Number)
            inner = ("(", document(operand), ")") if is_number else _operand(operand, _ATOM)
            return (inner, ".T")
        case nodes.Call(function, arguments, keywords):
            return (function.name, _bracketed("(", _arguments(arguments, keywords), ")"))
        case nodes.Generator(body, clauses):
            return (document(body), *for_clauses(clauses))


def for_clauses(clauses: Iterable[nodes.ForClause]) -> tuple[Document, ...]:
    """` for i in range(n)`, for each clause."""
    return tuple(
        Group(
            (
                Break(),
                f"for {', '.join(name.name for name in clause.names)} in ",
                document(clause.iterable),
            )
        )
        for clause in clauses
    )


def type_document(kind: nodes.Type) -> Document:
    """`real`, `real[n, m]`, `int`, `mlp(…)`."""
    match kind:
        case nodes.RealType(dimensions):
            return _sizes("real", dimensions)
        case nodes.IntType(dimensions):
            return _sizes("int", dimensions)
        case nodes.NetworkType(name, arguments, keywords):
            inside = _arguments(arguments, keywords)
            return (name.name, _bracketed("(", inside, ")")) if inside else name.name


def domain_document(domain: nodes.Domain) -> Document:
    """`[a, b]`, `nonnegative`, `ball(r)`."""
    match domain:
        case nodes.IntervalDomain(minimum, maximum):
            return _bracketed("[", [document(minimum), document(maximum)], "]")
        case nodes.NamedDomain(name, arguments):
            inside = [document(argument) for argument in arguments]
            return (name.name, _bracketed("(", inside, ")")) if inside else name.name


def _sizes(name: str, dimensions: Sequence[nodes.Expression]) -> Document:
    if not dimensions:
        return name
    return (name, _bracketed("[", [document(dimension) for dimension in dimensions], "]"))


def _precedence(node: nodes.Expression) -> int:
    match node:
        case nodes.Comparison():
            return _COMPARISON
        case nodes.Chain(_, rest):
            return _SUM if rest[0][0] in ("+", "-") else _PRODUCT
        case nodes.Negation():
            return _UNARY
        case nodes.Power():
            return _POWER
        case _:
            return _ATOM


def _operand(node: nodes.Expression, at_least: int) -> Document:
    inner = document(node)
    return inner if _precedence(node) >= at_least else ("(", Nest(CONTINUATION, (inner,)), ")")


def _operators(
    first: nodes.Expression, rest: Iterable[tuple[str, nodes.Expression]], tighter: int
) -> Document:
    return (
        _operand(first, tighter),
        *(
            Group((Break(), operator, " ", Nest(CONTINUATION, (_operand(operand, tighter),))))
            for operator, operand in rest
        ),
    )


def _slice(
    start: nodes.Expression | None, stop: nodes.Expression | None, step: nodes.Expression | None
) -> Document:
    parts = [start, stop] if step is None else [start, stop, step]
    documents: list[Document] = ["" if part is None else document(part) for part in parts]
    return tuple(piece for inner in documents for piece in (":", inner))[1:]


def _arguments(
    arguments: Iterable[nodes.Expression | nodes.Generator], keywords: Iterable[nodes.Keyword]
) -> list[Document]:
    named: list[Document] = [(f"{k.name.name} = ", document(k.value)) for k in keywords]
    return [*(document(argument) for argument in arguments), *named]


def _bracketed(opening: str, items: list[Document], closing: str) -> Document:
    inside: list[Document] = []
    for position, item in enumerate(items):
        is_last = position == len(items) - 1
        # The comma belongs to the item: it must still fit on its line.
        item_and_comma: Document = item if is_last else (item, ",")
        inside.append(Group((Break(), item_and_comma)) if position else item_and_comma)
    return (opening, Nest(CONTINUATION, tuple(inside)), closing)
