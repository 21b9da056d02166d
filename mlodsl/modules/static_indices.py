"""Which indices of `for` must be Python integers, so that their `for` is unrolled.

Those that bound a slice or another range, or are a size, an axis or a seed: they shape what
is computed. An index that only picks entries or counts in formulas isn't one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlodsl.check import BUILTINS, FunctionInfo, IndexUse, Role, UsedAs, bind_arguments
from mlodsl.syntax import nodes, walk

from .dependencies import references
from .scope import bound_arguments

Functions = Mapping[str, FunctionInfo]


def must_be_static(
    generator: nodes.Generator, name: str, functions: Functions, index_use: IndexUse
) -> bool:
    """Whether an index stands where a whole number known before solving must.

    Arguments:
        functions: the model's own.
        index_use: how these use their parameters.
    """
    return any(
        name in references(place)
        for node in walk(generator)
        for place in _static_places(node, functions, index_use)
    )


def _static_places(
    node: nodes.Node, functions: Functions, index_use: IndexUse
) -> Iterator[nodes.Node]:
    if isinstance(node, nodes.Slice):
        yield node
    elif isinstance(node, nodes.Call) and node.function.name in functions:
        yield from _static_in_own(node, functions[node.function.name], index_use)
    elif isinstance(node, nodes.Call) and node.function.name in BUILTINS:
        yield from _static_in_builtin(node)


def _static_in_own(
    call: nodes.Call, function: FunctionInfo, index_use: IndexUse
) -> Iterator[nodes.Node]:
    uses = index_use.parameters.get(function.name, {})
    for parameter, argument in bound_arguments(function, call):
        if uses.get(parameter) is UsedAs.STATIC:
            yield argument


def _static_in_builtin(call: nodes.Call) -> Iterator[nodes.Node]:
    if any(isinstance(item, nodes.Generator) for item in call.arguments):
        return
    parameters = BUILTINS[call.function.name].parameters
    bound = bind_arguments(call.function.name, parameters, call)
    for parameter in parameters:
        if parameter.role is Role.WHOLE and parameter.name in bound:
            argument = bound[parameter.name]
            yield from argument if isinstance(argument, tuple) else (argument,)
