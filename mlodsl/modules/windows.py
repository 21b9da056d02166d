"""Short sums over neighbours, written out: `sum(w[k] * x[i + k] for k in range(3))` for each `i`.

Written out, `x[i]`, `x[i + 1]` and `x[i + 2]` are three slices over all `i`. As it stands, each
entry would be looked up: both indices have a part in where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from mlodsl.syntax import nodes, walk

from .walks import bounds

Known = Callable[[str], object]
Line = tuple[dict[str, int], int]
"""A whole multiple of each name, and a whole number, to be added up."""

_LONGEST = 8


def written_out(node: nodes.Expression, known: Known) -> nodes.Expression:
    """An expression whose short sums over neighbours are sums of their terms.

    Arguments:
        known: what names stand for; None for the indices of `for`s.
    """
    found: nodes.Expression = _each(node, lambda part: _terms(part, known))
    return found


def _terms(node: nodes.Node, known: Known) -> nodes.Node:
    if not (isinstance(node, nodes.Call) and node.function.name == "sum" and node.arguments):
        return node
    generator = node.arguments[0]
    if not isinstance(generator, nodes.Generator) or len(generator.clauses) != 1:
        return node
    (clause,) = generator.clauses
    iterable = clause.iterable
    if not (isinstance(iterable, nodes.Call) and iterable.function.name == "range"):
        return node
    first, last, step = bounds(clause)
    start = ({}, 0) if first is None else _line(first, known)
    stop = _line(last, known)
    if start is None or stop is None or not step or start[0] != stop[0]:
        return node
    numbers = range(start[1], stop[1], step)
    name = clause.names[0].name
    if not 0 < len(numbers) <= _LONGEST or not (start[0] or _is_neighbour(generator, name, known)):
        return node
    # From a start that other indices are part of, or from 0.
    begin, offset = (first, start[1]) if start[0] else (None, 0)
    terms = [_term(generator.body, name, begin, number - offset, known) for number in numbers]
    if len(terms) == 1:
        return terms[0]
    return nodes.Chain(terms[0], tuple(("+", term) for term in terms[1:]), span=node.span)


def _is_neighbour(generator: nodes.Generator, name: str, known: Known) -> bool:
    """Whether an index picks entries beside those that another index picks."""
    for node in walk(generator.body):
        if isinstance(node, nodes.Index):
            for item in node.items:
                line = None if isinstance(item, nodes.Slice) else _line(item, known)
                if line is not None and name in line[0] and len(line[0]) > 1:
                    return True
    return False


def _term(
    body: nodes.Expression,
    name: str,
    start: nodes.Expression | None,
    number: int,
    known: Known,
) -> nodes.Expression:
    """The body where an index is a number, counted from a start."""
    value: nodes.Expression = _number(number, body)
    if start is not None:
        value = nodes.Chain(start, (("+", value),), span=body.span)

    def change(node: nodes.Node) -> nodes.Node:
        if isinstance(node, nodes.Name) and node.name == name:
            return value
        if isinstance(node, nodes.Index):
            return replace(node, items=tuple(_simple(item, known) for item in node.items))
        return node

    found: nodes.Expression = _each(body, change)
    return found


def _simple(item: nodes.Expression | nodes.Slice, known: Known) -> nodes.Expression | nodes.Slice:
    """An index in which nothing is left but a number, as that number."""
    line = None if isinstance(item, nodes.Slice | nodes.Name) else _line(item, known)
    return item if line is None or line[0] else _number(line[1], item)


def _number(number: int, at: nodes.Node) -> nodes.Expression:
    literal = nodes.Number(abs(number), str(abs(number)), span=at.span)
    return literal if number >= 0 else nodes.Negation(literal, span=at.span)


def _line(node: nodes.Node, known: Known) -> Line | None:
    match node:
        case nodes.Number(value=value) if isinstance(value, int):
            return {}, value
        case nodes.Name(name):
            number = known(name)
            if number is None:
                return {name: 1}, 0
            is_whole = isinstance(number, int) and not isinstance(number, bool)
            return ({}, int(number)) if is_whole else None  # type: ignore[call-overload]
        case nodes.Negation(operand):
            inner = _line(operand, known)
            return None if inner is None else _sum(({}, 0), inner, -1)
        case nodes.Chain(first, rest):
            found = _line(first, known)
            for operator, operand in rest:
                other = _line(operand, known)
                if found is None or other is None or operator not in "+-":
                    return None
                found = _sum(found, other, 1 if operator == "+" else -1)
            return found
    return None


def _sum(left: Line, right: Line, sign: int) -> Line:
    factors = dict(left[0])
    for name, factor in right[0].items():
        factors[name] = factors.get(name, 0) + sign * factor
    return {name: factor for name, factor in factors.items() if factor}, left[1] + sign * right[1]


def _each(value: Any, change: Callable[[nodes.Node], nodes.Node]) -> Any:
    """A tree with a change made to each node, from the leaves up; itself where there is none."""
    if isinstance(value, tuple):
        items = tuple(_each(item, change) for item in value)
        return items if any(map(_differ, items, value)) else value
    if not isinstance(value, nodes.Node):
        return value
    changed = {}
    for field in fields(value):
        old = getattr(value, field.name)
        new = _each(old, change)
        if new is not old:
            changed[field.name] = new
    return change(replace(value, **changed) if changed else value)


def _differ(left: object, right: object) -> bool:
    return left is not right
