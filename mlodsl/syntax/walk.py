"""Every node of a tree, without recursion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from .nodes import Node, Program


@cache
def _child_fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name != "span")


def children(node: Node) -> list[Node]:
    """The nodes directly below, in the document's order; a program's comments aside."""
    found: list[Node] = []
    kind: Any = type(node)
    for name in _child_fields(kind):
        if name == "comments" and isinstance(node, Program):
            continue
        _collect(getattr(node, name), found)
    return found


def _collect(value: Any, found: list[Node]) -> None:
    # Fields nest two deep at most: `rest` is a tuple of pairs.
    if isinstance(value, Node):
        found.append(value)
    elif isinstance(value, tuple):
        for item in value:
            _collect(item, found)


def walk(node: Node) -> Iterator[Node]:
    """The node itself and every node below it, in the document's order."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))
