"""What a level chooses and under which conditions: domains, starts, objectives, constraints."""

from __future__ import annotations

import re

from mlodsl.diagnostics import Span, did_you_mean
from mlodsl.syntax import nodes

from .builtins import BUILTINS, Place, bind_arguments
from .calls import apply
from .comprehensions import walk_clauses
from .inference import Inference
from .misfit import Misfit, quote
from .operators import condition
from .shapes import fits_into
from .types import UNKNOWN, ArrayType, NetworkType, Shape, Type, UnknownType, show_shape

DOMAINS = ("nonnegative", "simplex", "ball")

# ---------------------------------------------------------------- domains


def verify_domain(inference: Inference, domain: nodes.Domain, variable: nodes.Var) -> None:
    """Reports a domain that is empty, unknown, or doesn't fit its variable."""
    owner = inference.types.get(variable.name.name, UNKNOWN)
    if isinstance(owner, NetworkType):
        inference.report("E401", "a network has no domain", domain.span, "remove it")
        return
    shape = owner.shape if isinstance(owner, ArrayType) else None
    if isinstance(domain, nodes.IntervalDomain):
        _verify_interval(inference, domain, variable.name.name, shape)
    else:
        _verify_named(inference, domain, shape)


def _verify_interval(
    inference: Inference, domain: nodes.IntervalDomain, name: str, shape: Shape | None
) -> None:
    ends = []
    for end in (domain.minimum, domain.maximum):
        found = inference.numbers(end, {})
        if isinstance(found, ArrayType) and not fits_into(found.shape, shape):
            shown = f"shapes {show_shape(shape)} and {show_shape(found.shape)} do not fit"
            inference.report("E201", f"the bound {quote(end)} of `{name}`: {shown}", end.span)
        ends.append(found.static if isinstance(found, ArrayType) else None)
    least, largest = ends
    pair = _first_empty(_entries(domain.minimum, least), _entries(domain.maximum, largest))
    if pair is not None:
        message = f"the interval {quote(domain)} is empty: {pair[0]:g} is above {pair[1]:g}"
        inference.report("E401", message, domain.span, "exchange the two ends")
    elif least == float("inf") or largest == -float("inf"):
        message = f"the interval {quote(domain)} holds no number"
        inference.report("E401", message, domain.span)


def _entries(node: nodes.Expression, static: float | None) -> list[float | None]:
    """The values of a bound's entries, as far as they are literals."""
    if not isinstance(node, nodes.ListLiteral):
        return [static]
    values: list[float | None] = []
    for item in node.items:
        inner = item.operand if isinstance(item, nodes.Negation) else item
        value = inner.value if isinstance(inner, nodes.Number) else None
        values.append(-value if value is not None and inner is not item else value)
    return values


def _first_empty(
    lower: list[float | None], upper: list[float | None]
) -> tuple[float, float] | None:
    """The first pair of bounds between which there is no number."""
    count = max(len(lower), len(upper))
    if len(lower) not in (1, count) or len(upper) not in (1, count):
        return None
    for index in range(count):
        least, largest = lower[index % len(lower)], upper[index % len(upper)]
        if least is not None and largest is not None and not least <= largest:
            return least, largest
    return None


def _verify_named(inference: Inference, domain: nodes.NamedDomain, shape: Shape | None) -> None:
    name = domain.name.name
    types = [inference.numbers(argument, {}) for argument in domain.arguments]
    if name not in DOMAINS:
        hint = did_you_mean(name, DOMAINS) or "there are [a, b], nonnegative, simplex, ball(r)"
        inference.report("E401", f"unknown domain `{name}`", domain.name.span, hint)
        return
    wanted = 1 if name == "ball" else 0
    if len(types) != wanted:
        hint = "write `ball(r)`" if wanted else f"write `{name}`"
        given = f"{len(types)} argument{'s' if len(types) != 1 else ''}"
        inference.report("E401", f"`{name}` with {given}", domain.span, hint)
    elif name == "simplex" and shape == ():
        message = "a simplex needs at least one axis, and the variable is a scalar"
        inference.report("E401", message, domain.span, "use `[0, 1]`")
    elif name == "simplex" and shape is not None and shape[-1] == 0:
        inference.report("E401", "a simplex without entries is empty", domain.span)
    elif name == "ball" and isinstance(types[0], ArrayType):
        radius = types[0]
        if radius.shape not in ((), None):
            message = f"the radius of a ball is a scalar, not {show_shape(radius.shape)}"
            inference.report("E401", message, domain.arguments[0].span)
        elif radius.static is not None and not radius.static > 0:
            message = f"the radius of a ball is positive, not {radius.static:g}"
            inference.report("E401", message, domain.arguments[0].span)


# ---------------------------------------------------------------- starts


def verify_start(
    inference: Inference, start: nodes.Expression | nodes.Draw, variable: nodes.Var
) -> None:
    """Reports a start that doesn't broadcast to its variable's shape."""
    name = variable.name.name
    owner = inference.types.get(name, UNKNOWN)
    if isinstance(start, nodes.Draw):
        _verify_draw(inference, start, name, owner)
        return
    found = inference.numbers(start, {})
    if isinstance(owner, NetworkType):
        message = f"the network `{name}` can't start at a value"
        inference.report("E204", message, start.span, "remove the start, or draw it: `~ …`")
        return
    shape = owner.shape if isinstance(owner, ArrayType) else None
    _verify_fit(inference, start, name, found, shape)


def _verify_fit(
    inference: Inference, node: nodes.Expression, name: str, found: Type, shape: Shape | None
) -> None:
    if isinstance(found, ArrayType) and not fits_into(found.shape, shape):
        shown = f"shapes {show_shape(shape)} and {show_shape(found.shape)} do not fit"
        message = f"the start {quote(node)} of `{name}`: {shown}"
        inference.report("E201", message, node.span)


def _verify_draw(inference: Inference, draw: nodes.Draw, variable: str, owner: Type) -> None:
    call = draw.distribution
    name = call.function.name
    builtin = BUILTINS.get(name)
    if builtin is None or builtin.place is not Place.DRAW:
        draws = tuple(one.name for one in BUILTINS.values() if one.place is Place.DRAW)
        hint = did_you_mean(name, draws) or f"there are {' and '.join(draws)}"
        is_known = name in BUILTINS or name in inference.table.symbols
        message = f"`{name}` is no distribution" if is_known else f"unknown distribution `{name}`"
        code = "E204" if is_known else "E102"
        inference.report(code, message, call.function.span, hint)
        return
    try:
        bound = bind_arguments(name, builtin.parameters, call)
        apply(inference, builtin, bound, {})
    except Misfit as misfit:
        inference.report_misfit(misfit, call)
        return
    shape: Shape | None = () if isinstance(owner, NetworkType) else None
    if isinstance(owner, ArrayType):
        shape = owner.shape
    values = {}
    for parameter, node in bound.items():
        assert not isinstance(node, tuple)
        found = inference.numbers(node, {})
        _verify_fit(inference, node, variable, found, shape)
        if isinstance(found, ArrayType) and found.static is not None:
            values[parameter] = found.static
    if values.get("sd", 0) < 0:
        inference.report("E204", f"{quote(call)}: `sd` is negative", call.span)
    if "a" in values and "b" in values and values["a"] > values["b"]:
        inference.report("E204", f"{quote(call)}: `a` is above `b`", call.span)


# ---------------------------------------------------------------- objectives and constraints


def verify_objective(inference: Inference, node: nodes.Objective) -> None:
    """Reports an objective that is not a scalar."""
    found = inference.numbers(node.value, {})
    if isinstance(found, UnknownType) or found.shape is None or found.shape == ():
        return
    shown = show_shape(found.shape)
    message = f"the objective {quote(node.value)} is {shown}, not a scalar"
    hint = "reduce it with `sum` or `mean`"
    if all(size == 1 for size in found.shape):
        hint = f"pick its entry: `(…)[{', '.join('0' * len(found.shape))}]`"
    inference.report("E205", message, node.value.span, hint)


def constraint_type(inference: Inference, node: nodes.Constraint) -> Type:
    """The type of a constraint's multiplier: one for each index and each entry."""
    local, sizes = walk_clauses(inference, node.clauses, {})
    comparison = node.comparison
    if not isinstance(comparison, nodes.Comparison):
        inference.type_of(comparison, local)
        reason = f"{quote(comparison)} is no comparison"
        inference.report("E204", reason, comparison.span, "a constraint is `a <= b`, …")
        return UNKNOWN
    strict = _verify_operators(inference, comparison)
    found = condition(inference, comparison, local)
    if strict or not isinstance(found, ArrayType):
        return UNKNOWN
    return ArrayType(None if found.shape is None else (*sizes, *found.shape))


def _verify_operators(inference: Inference, node: nodes.Comparison) -> bool:
    """Whether the operators were wrong: strict ones, or ones that don't go together."""
    operators = [operator for operator, _ in node.rest]
    wrong = False
    before: nodes.Expression = node.first
    for operator, right in node.rest:
        if operator in ("<", ">"):
            span = _operator_span(before, right, operator)
            message = f"`{operator}` in a constraint: the boundary always belongs to it"
            inference.report("E006", message, span, f"write `{operator}=`")
            wrong = True
        before = right
    if not wrong and len(operators) > 1 and operators not in (["<=", "<="], [">=", ">="]):
        message = f"{quote(node)}: a constraint is `a <= b`, `a == b` or `lo <= a <= hi`"
        inference.report("E204", message, node.span, "write several constraints")
        wrong = True
    return wrong


def _operator_span(left: nodes.Expression, right: nodes.Expression, operator: str) -> Span:
    """The place of an operator between two operands, which the tree doesn't keep."""
    source = left.span.source
    between = source.text[left.span.end : right.span.start]
    # Comments may hold the same character.
    blanked = re.sub(r"#[^\n]*", lambda comment: " " * len(comment.group()), between)
    offset = blanked.find(operator)
    start = left.span.end + max(offset, 0)
    return Span(source, start, start + len(operator))
