"""Which indices of `for` must be Python integers, so that their `for` is unrolled.

Those that bound a slice or another range, or are a size, an axis or a seed: they shape what
is computed. An index that only picks entries or counts in formulas isn't one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlodsl.check.builtins import BUILTINS, Role, bind_arguments
from mlodsl.check.model import FunctionInfo
from mlodsl.syntax import nodes, walk

from .dependencies import references


def must_be_static(
    generator: nodes.Generator, names: frozenset[str], functions: Mapping[str, FunctionInfo]
) -> bool:
    """Whether one of the indices must be a Python integer in the generator."""
    waiting: list[tuple[nodes.Node, frozenset[str]]] = [(generator, names)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        tree, wanted = waiting.pop()
        for node in walk(tree):
            if isinstance(node, nodes.Slice):
                if not wanted.isdisjoint(references(node)):
                    return True
            elif isinstance(node, nodes.Call):
                function = functions.get(node.function.name)
                if function is None:
                    if any(not wanted.isdisjoint(references(it)) for it in _whole_arguments(node)):
                        return True
                    continue
                key = (function.name, _touched_parameters(function, node, wanted))
                if key[1] and key not in seen:
                    seen.add(key)
                    waiting.append((function.body, key[1]))
    return False


def _touched_parameters(
    function: FunctionInfo, call: nodes.Call, names: frozenset[str]
) -> frozenset[str]:
    """The parameters whose arguments use one of the names."""
    given = [*zip(function.parameters, call.arguments, strict=False)]
    given += [(keyword.name.name, keyword.value) for keyword in call.keywords]
    return frozenset(
        parameter for parameter, argument in given if not names.isdisjoint(references(argument))
    )


def _whole_arguments(call: nodes.Call) -> Iterator[nodes.Expression]:
    """The arguments that a built-in takes as whole numbers known before solving."""
    name = call.function.name
    if name == "range":
        for argument in call.arguments:
            assert not isinstance(argument, nodes.Generator)
            yield argument
        return
    builtin = BUILTINS.get(name)
    if builtin is None or any(isinstance(item, nodes.Generator) for item in call.arguments):
        return
    bound = bind_arguments(name, builtin.parameters, call)
    for parameter in builtin.parameters:
        if parameter.role is Role.WHOLE and parameter.name in bound:
            given = bound[parameter.name]
            yield from given if isinstance(given, tuple) else (given,)
