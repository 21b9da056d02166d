"""Which names an expression needs: only those are ever evaluated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from mlodsl.check import CheckedModel, LetInfo
from mlodsl.check.types import ArrayType
from mlodsl.syntax import nodes, walk


def references(expression: nodes.Node) -> frozenset[str]:
    """All names used in an expression, those of called functions too."""
    found = set()
    for node in walk(expression):
        if isinstance(node, nodes.Name):
            found.add(node.name)
        elif isinstance(node, nodes.Call):
            found.add(node.function.name)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Needs:
    """What some expressions need: all names, and the lets in an order to evaluate them."""

    names: frozenset[str]
    lets: tuple[LetInfo, ...]


def visible_lets(
    checked: CheckedModel, level: int | None, player: str | None = None
) -> dict[str, LetInfo]:
    """The lets that an expression of a level, or of a player in it, sees, by name.

    Arguments:
        level: None: outside of levels.
        player: by name; None: outside of players.
    """
    return {
        let.name: let
        for let in checked.lets
        if let.level is None or (let.level == level and let.player in (None, player))
    }


def needs(
    checked: CheckedModel,
    expressions: Iterable[nodes.Node],
    level: int | None,
    without: frozenset[str] = frozenset(),
    player: str | None = None,
) -> Needs:
    """What the expressions of a level, or of a player in it, need, through lets and functions.

    Arguments:
        without: lets whose values are there already, and whose own needs don't count.
    """
    lets = visible_lets(checked, level, player)
    waiting = [name for expression in expressions for name in references(expression)]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in checked.functions:
            waiting.extend(references(checked.functions[name].body))
        elif name in lets and name not in without and static_value(lets[name]) is None:
            waiting.extend(references(lets[name].value))
    ordered = tuple(let for let in checked.lets if let.name in found and lets.get(let.name) is let)
    return Needs(frozenset(found), ordered)


def static_value(let: LetInfo) -> int | float | None:
    """The value of a let that is a number known before solving."""
    return let.type.static if isinstance(let.type, ArrayType) else None


def order_of_params(checked: CheckedModel) -> tuple[str, ...]:
    """All params, and the lets that their values need, each after what it needs itself."""
    return tuple(TopologicalSorter(_graph_of_params(checked)).static_order())


def params_that_follow(checked: CheckedModel, changed: Collection[str]) -> frozenset[str]:
    """The params whose values name a changed one, through lets and other params too."""
    graph = _graph_of_params(checked)
    following: set[str] = set()
    for name in TopologicalSorter(graph).static_order():
        if any(used in changed or used in following for used in graph[name]):
            following.add(name)
    return frozenset(info.name for info in checked.params if info.name in following)


def _graph_of_params(checked: CheckedModel) -> dict[str, frozenset[str]]:
    """For each param, and each let that a param's value needs, what it uses directly."""
    values: dict[str, nodes.Expression | None] = {
        **{name: let.value for name, let in visible_lets(checked, None).items()},
        **{param.name: param.value for param in checked.params},
    }
    graph: dict[str, frozenset[str]] = {}
    waiting = [param.name for param in checked.params]
    while waiting:
        name = waiting.pop()
        if name in graph:
            continue
        value = values[name]
        graph[name] = _direct(checked, value, values) if value is not None else frozenset()
        waiting.extend(graph[name])
    return graph


def _direct(
    checked: CheckedModel, expression: nodes.Expression, among: Mapping[str, object]
) -> frozenset[str]:
    """The names among those given that an expression uses, through functions too."""
    waiting, found = list(references(expression)), set()
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name in checked.functions:
            waiting.extend(references(checked.functions[name].body))
    return frozenset(name for name in found if name in among)
