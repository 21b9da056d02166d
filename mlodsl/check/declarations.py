"""Types of params, data, sizes, lets and variables."""

from __future__ import annotations

from collections.abc import Mapping

from mlodsl.syntax import nodes

from .builtins import as_size
from .given import GivenParam
from .inference import Inference
from .misfit import Misfit, quote
from .networks import network_type
from .shapes import agree, fits_into, merge
from .symbols import Kind
from .types import (
    UNKNOWN,
    ArrayType,
    Dimension,
    Shape,
    TupleType,
    Type,
    UnknownType,
    show_shape,
    show_type,
    size_type,
)


def declared_shape(inference: Inference, kind: nodes.RealType) -> Shape | None:
    """The shape that `real[n, d]` says; None (and reported) where a size is none."""
    sizes: list[Dimension] = []
    for dimension in kind.dimensions:
        found = inference.numbers(dimension, {})
        if isinstance(found, UnknownType):
            return None
        try:
            sizes.append(as_size(found, dimension))
        except Misfit as misfit:
            inference.report_misfit(misfit, kind)
            return None
    return tuple(sizes)


# ---------------------------------------------------------------- params


def param_type(inference: Inference, node: nodes.Param, given: GivenParam | None) -> Type:
    """The type of a param: as declared, else as its value has it."""
    if isinstance(node.type, nodes.NetworkType):
        message = f"a param can't be {quote(node.type)}: it is `real`, `real[…]` or `int`"
        inference.report("E403", message, node.type.span)
        return UNKNOWN
    default = None if node.default is None else inference.numbers(node.default, {})
    found = _given_type(inference, node, given) if given is not None else default
    if isinstance(node.type, nodes.IntType):
        return _whole_param(inference, node, found, given)
    declared = None
    if node.type is not None:
        declared = declared_shape(inference, node.type)
        if declared is None:
            return UNKNOWN
        for value, expression in ((default, node.default), (found, None)):
            if isinstance(value, ArrayType) and not fits_into(value.shape, declared):
                _report_misfit(inference, node, value, declared, expression, given)
                return UNKNOWN if expression is None else ArrayType(declared)
        return ArrayType(declared)
    if found is None:
        return ArrayType(None)
    return ArrayType(found.shape) if isinstance(found, ArrayType) else UNKNOWN


def _given_type(
    inference: Inference, node: nodes.Param, given: GivenParam
) -> ArrayType | UnknownType:
    if given.expression is not None:
        return inference.numbers(given.expression, {})
    static = given.static
    kind = "int" if static is not None else "real"
    return ArrayType(given.shape, "int" if kind == "int" else "real", static is not None, static)


def _report_misfit(
    inference: Inference,
    node: nodes.Param,
    value: ArrayType,
    declared: Shape,
    expression: nodes.Expression | None,
    given: GivenParam | None,
) -> None:
    name = node.name.name
    shown = f"shapes {show_shape(declared)} and {show_shape(value.shape)} do not fit"
    if expression is not None:
        message = f"`{name}` is declared {show_shape(declared)}, its default: {shown}"
        inference.report("E201", message, expression.span)
        return
    assert given is not None
    place = given.span or (given.expression.span if given.expression is not None else None)
    message = f"the param `{name}` is {show_shape(declared)}, its value: {shown}"
    inference.reports.add("E606", message, place)


def _whole_param(
    inference: Inference,
    node: nodes.Param,
    found: ArrayType | UnknownType | None,
    given: GivenParam | None,
) -> Type:
    if found is None:
        return ArrayType((), "int", known=True)
    if isinstance(found, UnknownType):
        return UNKNOWN
    static = found.static
    if isinstance(static, float) and static.is_integer() and abs(static) < 2**63:
        static = int(static)
    if found.shape == () and (isinstance(static, int) or (found.known and static is None)):
        return ArrayType((), "int", known=True, static=static, symbol=found.symbol)
    name = node.name.name
    if given is None:
        assert node.default is not None
        shown = quote(node.default)
        message = f"`{name}` is an `int` param, and {shown} is not a whole number"
        inference.report("E204", message, node.default.span)
    else:
        place = given.span or (given.expression.span if given.expression is not None else None)
        message = f"`{name}` is an `int` param, its value must be a whole number"
        inference.reports.add("E606", message, place)
    return UNKNOWN


# ---------------------------------------------------------------- data


def data_type(
    inference: Inference, node: nodes.Data, item: int, shapes: Mapping[str, Shape]
) -> Type:
    """The type of data: its shape as read, else as declared; binds the sizes it names.

    Arguments:
        item: index of the statement among the items.
        shapes: of the data that has been read.
    """
    name = node.name.name
    read = shapes.get(name)
    if node.type is None:
        return ArrayType(read)
    if not isinstance(node.type, nodes.RealType):
        message = f"data can't be {quote(node.type)}: it is `real` or `real[…]`"
        inference.report("E403", message, node.type.span)
        return ArrayType(read)
    dimensions = node.type.dimensions
    fits = read is not None and len(read) == len(dimensions)
    sizes: list[Dimension] = []
    for axis, dimension in enumerate(dimensions):
        size = read[axis] if read is not None and fits else None
        if isinstance(dimension, nodes.Name) and _binds(inference, item, dimension.name):
            inference.types.setdefault(
                dimension.name, size_type(dimension.name if size is None else size)
            )
        found = inference.numbers(dimension, {})
        if isinstance(found, UnknownType):
            return ArrayType(read)
        try:
            sizes.append(as_size(found, dimension))
        except Misfit as misfit:
            inference.report_misfit(misfit, node.type)
            return ArrayType(read)
    if read is None:
        return ArrayType(tuple(sizes))
    if not fits or not all(map(agree, sizes, read)):
        declared = show_shape(tuple(sizes))
        written = quote(node.type)
        meaning = "" if written == f"`{declared}`" else f" ({declared})"
        message = f"data `{name}` is declared {written}{meaning} and holds {show_shape(read)}"
        inference.report("E603", message, node.type.span)
        return ArrayType(tuple(sizes))
    return ArrayType(tuple(map(merge, sizes, read)))


def _binds(inference: Inference, item: int, name: str) -> bool:
    """Whether a data statement is the first to name a size."""
    symbol = inference.table.symbols.get(name)
    return symbol is not None and symbol.kind is Kind.SIZE and symbol.item == item


# ---------------------------------------------------------------- lets


def let_types(inference: Inference, node: nodes.LetValue | nodes.LetParts) -> tuple[Type, ...]:
    """The types of the names that a `let` declares."""
    found = inference.type_of(node.value, {})
    if isinstance(node, nodes.LetValue):
        if isinstance(found, TupleType):
            parts = ", ".join(f"{node.name.name}_{part}" for part in range(len(found.items)))
            message = f"{quote(node.value)} is {show_type(found)}, and `let` names one value"
            inference.report("E204", message, node.value.span, f"write `let ({parts}) = …`")
            return (UNKNOWN,)
        if isinstance(found, ArrayType) and found.kind == "bool":
            message = f"{quote(node.value)} is a truth value, expected numbers"
            inference.report("E204", message, node.value.span)
            return (UNKNOWN,)
        return (found,)
    unknown = (UNKNOWN,) * len(node.names)
    if isinstance(found, UnknownType):
        return unknown
    count = len(node.names)
    if not isinstance(found, TupleType):
        message = f"{quote(node.value)} is {show_type(found)}, expected {count} parts"
        inference.report("E204", message, node.value.span, "`split` gives parts")
        return unknown
    if len(found.items) != count:
        message = f"{quote(node.value)} gives {len(found.items)} parts for {count} names"
        inference.report("E204", message, node.value.span)
        return unknown
    return found.items


# ---------------------------------------------------------------- variables


def variable_type(inference: Inference, node: nodes.Var) -> Type:
    """The type of a variable."""
    match node.type:
        case nodes.IntType():
            message = "integer variables are not supported"
            inference.report("E402", message, node.type.span, "write `real`")
            return UNKNOWN
        case nodes.RealType():
            shape = declared_shape(inference, node.type)
            return UNKNOWN if shape is None else ArrayType(shape)
        case nodes.NetworkType():
            return network_type(inference, node.type)
