"""Which names an expression uses, and which of them its own `for`s and parameters bind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlodsl.syntax import nodes
from mlodsl.syntax.walk import children


@dataclass(frozen=True, slots=True)
class Use:
    """A name where it is used.

    Arguments:
        node: a `Name`, or the `Identifier` that a call calls.
        called: whether it is called.
        local: the names that `for`s and parameters bind there.
        call: the call, where it is called.
    """

    node: nodes.Name | nodes.Identifier
    called: bool
    local: frozenset[str]
    call: nodes.Call | None = None

    @property
    def name(self) -> str:
        """The name itself."""
        return self.node.name


@dataclass(frozen=True, slots=True)
class Binding:
    """The names that a `for` binds, and those bound around it."""

    names: tuple[nodes.Identifier, ...]
    local: frozenset[str]


def uses(root: nodes.Node, local: frozenset[str] = frozenset()) -> Iterator[Use | Binding]:
    """Every use of a name in an expression, domain, type or constraint, in document order.

    Arguments:
        root: what to look into; keys of keyword arguments are no uses.
        local: names that are bound around it.
    """
    pending: list[tuple[nodes.Node | Binding, frozenset[str]]] = [(root, local)]
    while pending:
        node, bound = pending.pop()
        match node:
            case Binding():
                yield node
            case nodes.Name():
                yield Use(node, False, bound)
            case nodes.Call():
                yield Use(node.function, True, bound, node)
                below = (*node.arguments, *(keyword.value for keyword in node.keywords))
                pending.extend((child, bound) for child in reversed(below))
            case nodes.Generator():
                pending.extend(reversed(_below_clauses(node.clauses, node.body, bound)))
            case nodes.Constraint():
                pending.extend(reversed(_below_clauses(node.clauses, node.comparison, bound)))
            case _:
                pending.extend((child, bound) for child in reversed(children(node)))


def _below_clauses(
    clauses: tuple[nodes.ForClause, ...], body: nodes.Node, bound: frozenset[str]
) -> list[tuple[nodes.Node | Binding, frozenset[str]]]:
    result: list[tuple[nodes.Node | Binding, frozenset[str]]] = []
    for clause in clauses:
        result.append((clause.iterable, bound))
        result.append((Binding(clause.names, bound), bound))
        bound = bound | {name.name for name in clause.names}
    result.append((body, bound))
    return result
