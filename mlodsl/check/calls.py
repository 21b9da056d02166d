"""Types of calls: of built-in functions, the model's own, networks, and `dual`."""

from __future__ import annotations

from dataclasses import replace

from mlodsl.syntax import nodes

from .builtins import BUILTINS, Arguments, Builtin, Parameter, Place, Role, bind_arguments
from .comprehensions import reduction
from .inference import Function, Inference, Local
from .misfit import Misfit, quote
from .operators import condition
from .shapes import agree
from .static_indices import UsedAs
from .symbols import Kind
from .types import (
    UNKNOWN,
    ArrayType,
    NetworkType,
    TextType,
    TupleType,
    Type,
    UnknownType,
    show_shape,
    show_type,
)


def call(inference: Inference, node: nodes.Call, local: Local) -> Type:
    """The type of a call's result."""
    name = node.function.name
    table = inference.table
    if name not in local and name not in table.spoiled:
        symbol = table.symbols.get(name)
        if symbol is None:
            if name in BUILTINS:
                return _builtin(inference, BUILTINS[name], node, local)
            if name == "dual":
                return _dual(inference, node)
        elif symbol.kind is Kind.FUNCTION:
            function = inference.functions.get(name)
            if function is not None and not function.broken:
                return _own(inference, function, node, local)
        elif name in inference.types:
            return _network(inference, inference.types[name], node, local)
    elif name in local:
        return _network(inference, local[name], node, local)
    _argument_types(inference, node, local)
    return ArrayType(None) if name in table.python_functions else UNKNOWN


def _argument_types(inference: Inference, node: nodes.Call, local: Local) -> list[Type]:
    """The types of all arguments, whatever they are for."""
    found: list[Type] = []
    for argument in node.arguments:
        if isinstance(argument, nodes.Generator):
            found.append(reduction(inference, node, argument, local))
        else:
            found.append(inference.type_of(argument, local))
    for keyword in node.keywords:
        found.append(inference.type_of(keyword.value, local))
    return found


def _bind(
    inference: Inference,
    node: nodes.Call,
    parameters: tuple[Parameter, ...],
    local: Local,
) -> dict[str, nodes.Expression | tuple[nodes.Expression, ...]]:
    try:
        return bind_arguments(node.function.name, parameters, node)
    except Misfit:
        # What is wrong in the arguments themselves is reported all the same.
        _argument_types(inference, node, local)
        raise


def _builtin(inference: Inference, builtin: Builtin, node: nodes.Call, local: Local) -> Type:
    if builtin.place is not Place.EXPRESSION:
        reason = f"`{builtin.name}` stands only {builtin.place.value}"
        raise Misfit("E204", reason, None, node.function)
    if node.arguments and isinstance(node.arguments[0], nodes.Generator):
        return reduction(inference, node, node.arguments[0], local)
    bound = _bind(inference, node, builtin.parameters, local)
    return apply(inference, builtin, bound, local)


def apply(
    inference: Inference,
    builtin: Builtin,
    bound: dict[str, nodes.Expression | tuple[nodes.Expression, ...]],
    local: Local,
) -> Type:
    """The type of a built-in function's result for arguments bound to its parameters."""
    types: dict[str, Type | tuple[Type, ...]] = {}
    failed = False
    for parameter in builtin.parameters:
        value = bound.get(parameter.name)
        if value is None or parameter.role is Role.OPTION:
            continue
        if isinstance(value, tuple):
            several: list[Type] = []
            for item in value:  # a plain loop: a generator would take a frame of the stack
                several.append(inference.type_of(item, local))
            failed = failed or any(isinstance(one, UnknownType) for one in several)
            types[parameter.name] = tuple(several)
            continue
        read = condition if parameter.role is Role.CONDITION else Inference.type_of
        found = read(inference, value, local)
        failed = failed or isinstance(found, UnknownType)
        types[parameter.name] = found
    return UNKNOWN if failed else builtin.rule(Arguments(types, bound))


def _own(inference: Inference, function: Function, node: nodes.Call, local: Local) -> Type:
    """A function of the model: its body, with the arguments' types for the parameters."""
    name = node.function.name
    names = [parameter.name for parameter in function.node.parameters]
    if node.arguments and isinstance(node.arguments[0], nodes.Generator):
        reduction(inference, node, node.arguments[0], local)
    parameters = tuple(Parameter(parameter) for parameter in names)
    bound = _bind(inference, node, parameters, local)
    uses = inference.index_use.parameters.get(name, {})
    types: list[Type] = []
    for parameter in names:
        value = bound[parameter]
        assert not isinstance(value, tuple)
        found = inference.type_of(value, local)
        if isinstance(found, TupleType | TextType) or found == ArrayType((), "bool", known=True):
            inference.report("E204", f"{quote(value)} is {show_type(found)}", value.span)
            found = UNKNOWN
        if isinstance(found, ArrayType) and uses.get(parameter, UsedAs.VALUE) is UsedAs.VALUE:
            # Its value doesn't matter: calls with different values share one result.
            found = ArrayType(found.shape, found.kind)
        types.append(found)
    return result_of(inference, function, tuple(types), node)


def result_of(
    inference: Inference, function: Function, types: tuple[Type, ...], node: nodes.Call | None
) -> Type:
    """The type of a function's body for these types of its parameters.

    Arguments:
        node: the call; None where the body is checked for itself, its parameters unknown.
    """
    name = function.node.name.name
    key = (name, types)
    if key not in inference.results:
        names = (parameter.name for parameter in function.node.parameters)
        local = dict(zip(names, types, strict=True))
        if node is None:
            inference.results[key] = inference.type_of(function.node.body, local)
        else:
            inference.calls.append((name, node.span))
            inference.results[key] = inference.type_of(function.node.body, local)
            inference.calls.pop()
    found = inference.results[key]
    if isinstance(found, ArrayType) and found.interval is not None:
        found = replace(found, interval=None)
    return found


def _network(inference: Inference, callee: Type, node: nodes.Call, local: Local) -> Type:
    """A network called on the last axis of its one argument."""
    arguments = _argument_types(inference, node, local)
    name = node.function.name
    if isinstance(callee, UnknownType):
        return UNKNOWN
    if not isinstance(callee, NetworkType):
        hint = f"`{name}[…]` picks an entry, `{name} * …` multiplies"
        raise Misfit("E209", f"`{name}` is {show_type(callee)}, and functions are called", hint)
    if len(arguments) != 1 or node.keywords:
        raise Misfit("E202", f"the network `{name}` takes one argument")
    found = arguments[0]
    if isinstance(found, UnknownType):
        return UNKNOWN
    if not isinstance(found, ArrayType) or found.kind == "bool":
        raise Misfit("E204", f"the network `{name}` takes an array, not {show_type(found)}")
    if found.shape is None or (callee.inputs is None and callee.outputs is None):
        return ArrayType(None)
    if not found.shape or not agree(found.shape[-1], callee.inputs):
        shown = show_shape(found.shape)
        reason = f"the network `{name}` takes a last axis of size {callee.inputs}, not {shown}"
        raise Misfit("E201", reason)
    return ArrayType((*found.shape[:-1], callee.outputs))


def _dual(inference: Inference, node: nodes.Call) -> Type:
    argument = node.arguments[0] if node.arguments else None
    if not isinstance(argument, nodes.Name):
        return UNKNOWN
    return inference.duals.get(argument.name, UNKNOWN)
