"""How deep and how large expressions become once functions are put in place of their calls.

Compiling a model unfolds its functions. Ten functions that each call the one before twice
unfold a thousandfold, and a chain of calls is as deep as all its bodies together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlodsl.syntax import nodes
from mlodsl.syntax.walk import children

from .order import Order
from .outline import ItemKind, Outline
from .reports import Reports

MAXIMUM_DEPTH = 150
"""Nodes inside of nodes, functions unfolded; later passes recurse over them."""

MAXIMUM_CALLS = 50
"""Functions that call functions."""

MAXIMUM_SIZE = 1_000_000
"""Nodes of one statement, functions unfolded."""


@dataclass(frozen=True, slots=True)
class _Extent:
    depth: int = 0
    calls: int = 0
    size: int = 0


def verify_unfolding(
    outline: Outline, order: Order, circular: set[int], reports: Reports
) -> set[int]:
    """Reports what unfolds beyond the limits.

    Returns:
        The items that do: they aren't looked into.
    """
    functions: dict[str, _Extent] = {}
    broken: set[int] = set()
    too_large: set[str] = set()
    for index in order.sequence:
        item = outline.items[index]
        if index in circular:
            continue
        extent = _measure(item.roots, functions, too_large)
        if extent is None:  # it calls one that is too large, which was reported
            broken.add(index)
            too_large.update(name.name for name in item.names)
            continue
        if extent.calls > MAXIMUM_CALLS:
            reason = f"functions that call functions, more than {MAXIMUM_CALLS} deep"
        elif extent.depth > MAXIMUM_DEPTH:
            reason = f"nested more than {MAXIMUM_DEPTH} deep once its functions are unfolded"
        elif extent.size > MAXIMUM_SIZE:
            reason = f"has over {MAXIMUM_SIZE:,} operations once its functions are unfolded"
        else:
            if item.kind is ItemKind.FUNCTION:
                functions[item.names[0].name] = extent
            continue
        broken.add(index)
        too_large.update(name.name for name in item.names)
        place = item.names[0].span if item.names else item.node.span
        shown = f"`{item.names[0].name}`" if item.names else "this"
        reports.add("E004", f"{shown}: {reason}", place, "name parts of it with `let`")
    return broken


def _measure(
    roots: Sequence[nodes.Node], functions: dict[str, _Extent], too_large: set[str]
) -> _Extent | None:
    depth = calls = size = 0
    pending: list[tuple[nodes.Node, int]] = [(root, 1) for root in roots]
    while pending:
        node, level = pending.pop()
        size += 1
        depth = max(depth, level)
        if isinstance(node, nodes.Call) and node.function.name in too_large:
            return None
        if isinstance(node, nodes.Call) and node.function.name in functions:
            body = functions[node.function.name]
            depth = max(depth, level + body.depth)
            calls = max(calls, body.calls)
            size += body.size
        pending.extend((child, level + 1) for child in children(node))
    return _Extent(depth, calls + 1, size)
