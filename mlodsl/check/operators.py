"""Types of literals, names and operators."""

from __future__ import annotations

import math

from mlodsl.diagnostics import Span
from mlodsl.syntax import nodes

from . import constants
from .inference import Inference, Local
from .misfit import Misfit, quote
from .shapes import broadcast, matrix_product
from .types import (
    SCALAR,
    UNKNOWN,
    ArrayType,
    Interval,
    Shape,
    Type,
    UnknownType,
    show_shape,
    whole_number,
)


def number(inference: Inference, node: nodes.Number, local: Local) -> Type:
    """A literal."""
    if isinstance(node.value, int) and node.value < 2**63:
        return whole_number(node.value)
    return ArrayType((), known=True, static=float(node.value))


def constant(inference: Inference, node: nodes.Constant, local: Local) -> Type:
    """`pi`, `inf`, `true`, `false`."""
    if node.name in ("true", "false"):
        return ArrayType((), "bool", known=True)
    return ArrayType((), known=True, static=math.pi if node.name == "pi" else math.inf)


def text(inference: Inference, node: nodes.Text, local: Local) -> Type:
    """A text, which is no value."""
    raise Misfit("E204", "a text stands only in the source of a `data` statement")


def name(inference: Inference, node: nodes.Name, local: Local) -> Type:
    """A name; unknown ones were reported when names were resolved."""
    found = local.get(node.name)
    if found is None:
        found = inference.types.get(node.name)
    return UNKNOWN if found is None else found


def tuple_literal(inference: Inference, node: nodes.TupleLiteral, local: Local) -> Type:
    """`(X, t)`, which is no value."""
    for item in node.items:
        inference.type_of(item, local)
    raise Misfit("E204", "a tuple stands only after `for … in`", "an array is `[a, b]`")


def list_literal(inference: Inference, node: nodes.ListLiteral, local: Local) -> Type:
    """`[a, b, …]`: the items along a new first axis."""
    if not node.items:
        return ArrayType((0,))
    known: list[ArrayType] = []
    for item in node.items:
        found = inference.numbers(item, local)
        if isinstance(found, ArrayType):
            known.append(found)
    if len(known) < len(node.items):
        return UNKNOWN
    shapes = {item.shape for item in known}
    shape = known[0].shape
    if len(shapes) > 1:
        shape = _common_shape([item.shape for item in known])
    kind = "int" if all(item.kind == "int" for item in known) else "real"
    interval = None
    if kind == "int" and shape == ():
        values = [item.static for item in known]
        numbers = [value for value in values if isinstance(value, int)]
        if len(numbers) == len(values):
            interval = Interval(min(numbers), max(numbers))
    result = None if shape is None else (len(known), *shape)
    return ArrayType(result, "int" if kind == "int" else "real", interval=interval)


def _common_shape(shapes: list[Shape | None]) -> Shape | None:
    """The shape that all items of a list have, as far as it is known."""
    known = [shape for shape in shapes if shape is not None]
    first = known[0]
    for shape in known[1:]:
        fits = len(shape) == len(first) and all(
            one == other or not (isinstance(one, int) and isinstance(other, int))
            for one, other in zip(first, shape, strict=False)
        )
        if not fits:
            shown = f"{show_shape(first)} and {show_shape(shape)}"
            raise Misfit("E201", f"the items of a list have one shape, these {shown}")
    return first if len(known) == len(shapes) else None


def negation(inference: Inference, node: nodes.Negation, local: Local) -> Type:
    """`-a`."""
    found = inference.numbers(node.operand, local)
    return found if isinstance(found, UnknownType) else constants.negate(found)


def chain(inference: Inference, node: nodes.Chain, local: Local) -> Type:
    """`a + b - c`, `a * b / c @ d`: from the left, two operands at a time."""
    result = inference.numbers(node.first, local)
    before: nodes.Expression = node.first
    for operator, operand in node.rest:
        found = inference.numbers(operand, local)
        if isinstance(result, ArrayType) and isinstance(found, ArrayType):
            try:
                result = _operate(operator, result, found)
            except Misfit as misfit:
                span = _up_to(node, before, operand)
                inference.report_misfit(misfit, node, span)
                result = UNKNOWN
        else:
            result = UNKNOWN
        before = operand
    return result


def _operate(operator: str, first: ArrayType, second: ArrayType) -> ArrayType:
    if operator == "@":
        return ArrayType(matrix_product(first.shape, second.shape))
    if first.shape == () == second.shape:
        if first.known or second.known or first.kind == "int" or second.kind == "int":
            return constants.combine(operator, first, second)
        return SCALAR
    both_whole = first.kind == second.kind == "int" and operator in "+-*"
    return ArrayType(broadcast(first.shape, second.shape), "int" if both_whole else "real")


def _up_to(node: nodes.Chain, before: nodes.Expression, operand: nodes.Expression) -> Span:
    """The chain from its start through an operand, the parentheses around that included."""
    source = node.span.source
    if operand is node.rest[-1][1]:
        return node.span
    opened = source.text[before.span.end : operand.span.start].count("(")
    end = operand.span.end
    while opened and end < node.span.end:
        opened -= source.text[end] == ")"
        end += 1
    return Span(source, node.span.start, end)


def power(inference: Inference, node: nodes.Power, local: Local) -> Type:
    """`a ^ b`, elementwise."""
    base = inference.numbers(node.base, local)
    exponent = inference.numbers(node.exponent, local)
    if isinstance(base, UnknownType) or isinstance(exponent, UnknownType):
        return UNKNOWN
    if base.shape == () == exponent.shape:
        return constants.combine("^", base, exponent)
    return ArrayType(broadcast(base.shape, exponent.shape))


def comparison(inference: Inference, node: nodes.Comparison, local: Local) -> Type:
    """A comparison where none may stand."""
    condition(inference, node, local)
    reason = f"{quote(node)}: a comparison stands only in `where` and in constraints"
    inference.report("E210", reason, node.span, "use `where(a <= b, x, y)`")
    return UNKNOWN


def condition(inference: Inference, node: nodes.Expression, local: Local) -> Type:
    """The type of the first argument of `where`."""
    if isinstance(node, nodes.Constant) and node.name in ("true", "false"):
        return ArrayType((), "bool", known=True)
    if not isinstance(node, nodes.Comparison):
        if isinstance(inference.type_of(node, local), UnknownType):
            return UNKNOWN
        inference.report(
            "E204", f"{quote(node)} is no comparison", node.span, "write `where(a <= b, x, y)`"
        )
        return UNKNOWN
    operands = (node.first, *(right for _, right in node.rest))
    found = [inference.numbers(operand, local) for operand in operands]
    shapes = [item.shape for item in found if isinstance(item, ArrayType)]
    if len(shapes) < len(found):
        return UNKNOWN
    try:
        return ArrayType(broadcast(*shapes), "bool")
    except Misfit as misfit:
        inference.report_misfit(misfit, node)
        return UNKNOWN


def transpose(inference: Inference, node: nodes.Transpose, local: Local) -> Type:
    """`A.T`: the axes in reverse."""
    found = inference.numbers(node.operand, local)
    if isinstance(found, UnknownType):
        return UNKNOWN
    return ArrayType(None if found.shape is None else found.shape[::-1], found.kind)
