"""Which names must be whole numbers known before solving, judged from the text alone.

An index of `for i in range(n)` can stay a traced number while it only computes or picks
entries. Where it is a slice bound, a size, or an argument of another `range`, also through
functions, the loop has to be unrolled: then each of its values is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from mlodsl.syntax import nodes
from mlodsl.syntax.walk import children

from .builtins import BUILTINS, Role, bind_arguments
from .misfit import Misfit


class UsedAs(IntEnum):
    """How a name is used, at its strictest."""

    VALUE = 0
    INDEX = 1
    STATIC = 2


@dataclass(frozen=True, slots=True)
class IndexUse:
    """How the functions of a model use their parameters: by function, then parameter.

    Parameters that are used as plain values only are left out.
    """

    parameters: Mapping[str, Mapping[str, UsedAs]]

    def used_as(self, name: str, *roots: nodes.Node) -> UsedAs:
        """The strictest use of a name in some expressions (or `for` clauses)."""
        return max((self.of(root).get(name, UsedAs.VALUE) for root in roots), default=UsedAs.VALUE)

    def of(self, root: nodes.Node) -> dict[str, UsedAs]:
        """The strictest use of each name that is used as more than a value."""
        found: dict[str, UsedAs] = {}
        pending: list[tuple[nodes.Node, UsedAs]] = [(root, UsedAs.VALUE)]
        while pending:
            node, role = pending.pop()
            match node:
                case nodes.Name(name):
                    if role > found.get(name, UsedAs.VALUE):
                        found[name] = role
                case nodes.Slice():
                    pending.extend((child, UsedAs.STATIC) for child in children(node))
                case nodes.Index(base, items):
                    pending.append((base, role))
                    pending.extend((item, max(role, UsedAs.INDEX)) for item in items)
                case nodes.Call():
                    pending.extend(self._arguments(node, role))
                case _:
                    pending.extend((child, role) for child in children(node))
        return found

    def _arguments(self, call: nodes.Call, role: UsedAs) -> list[tuple[nodes.Node, UsedAs]]:
        everything: list[nodes.Node] = [
            *call.arguments,
            *(keyword.value for keyword in call.keywords),
        ]
        builtin = BUILTINS.get(call.function.name)
        if builtin is not None:
            if not any(parameter.role is Role.WHOLE for parameter in builtin.parameters):
                return [(argument, role) for argument in everything]
            roles = {
                parameter.name: UsedAs.STATIC
                for parameter in builtin.parameters
                if parameter.role is Role.WHOLE
            }
            parameters = builtin.parameters
            if call.arguments and isinstance(call.arguments[0], nodes.Generator):
                return [(argument, role) for argument in everything]
            try:
                bound = bind_arguments(builtin.name, parameters, call)
            except Misfit:
                return [(argument, UsedAs.STATIC) for argument in everything]
            return [
                (argument, max(role, roles.get(name, UsedAs.VALUE)))
                for name, value in bound.items()
                for argument in (value if isinstance(value, tuple) else (value,))
            ]
        uses = self.parameters.get(call.function.name)
        if not uses:
            return [(argument, role) for argument in everything]
        # Which argument is which parameter hardly matters: unrolling is never wrong.
        strictest = max(role, *uses.values())
        return [(argument, strictest) for argument in everything]


def index_use(functions: Mapping[str, nodes.LetFunction], order: tuple[str, ...]) -> IndexUse:
    """How each function uses its parameters.

    Arguments:
        functions: the model's functions by name.
        order: their names, each after those that it calls.
    """
    result: dict[str, dict[str, UsedAs]] = {}
    for name in order:
        found = IndexUse(result).of(functions[name].body)
        own = {parameter.name for parameter in functions[name].parameters}
        result[name] = {parameter: role for parameter, role in found.items() if parameter in own}
    return IndexUse(result)
