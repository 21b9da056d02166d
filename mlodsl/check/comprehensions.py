"""Types of `sum(body for i in range(n))` and of what a `for` walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlodsl.syntax import nodes

from .builtins import BUILTINS, LARGEST_SIZE, as_whole, bind_arguments
from .inference import Inference, Local
from .misfit import Misfit, quote
from .shapes import agree, merge
from .static_indices import UsedAs
from .types import (
    UNKNOWN,
    ArrayType,
    Dimension,
    Interval,
    Type,
    UnknownType,
    show_shape,
    show_type,
    whole_number,
)

_NEED_ENTRIES = frozenset({"mean", "max", "min", "logsumexp"})
_REAL_RESULT = frozenset({"mean", "logsumexp"})


MOST_UNROLLED = 10_000
"""Values of an index that must be known: each makes a copy of what the `for` repeats."""


@dataclass(frozen=True, slots=True)
class _Walk:
    """What one `for` binds.

    Arguments:
        size: how often it runs.
        types: of the names that it binds.
        values: those of its index, where it has one and they are known.
    """

    size: Dimension
    types: Local
    values: range | None = None


def reduction(
    inference: Inference, node: nodes.Call, generator: nodes.Generator, local: Local
) -> Type:
    """The type of a reduction over `for` indices: that of its body."""
    function = node.function.name
    body, is_empty = _body(inference, generator.clauses, generator.body, local)
    if function not in BUILTINS or not BUILTINS[function].over_indices:
        names = ", ".join(f"`{name}`" for name, one in BUILTINS.items() if one.over_indices)
        raise Misfit("E204", f"`{function}` takes no `for`", f"{names} do")
    if node.keywords:
        word = node.keywords[0].name
        reason = f"unknown argument `{word.name}` beside a `for`"
        raise Misfit("E203", reason, None, word)
    if isinstance(body, UnknownType):
        return UNKNOWN
    if function in _NEED_ENTRIES and is_empty:
        raise Misfit("E204", f"the `for` runs over nothing, and nothing has no {function}")
    return ArrayType(body.shape, "real" if function in _REAL_RESULT else body.kind)


def _body(
    inference: Inference,
    clauses: Sequence[nodes.ForClause],
    body: nodes.Expression,
    local: Local,
) -> tuple[ArrayType | UnknownType, bool]:
    """The type of what a `for` repeats, and whether it certainly repeats it not once.

    An index that must be known, as in `sum(x[:i])`, takes each of its values in turn: they
    may lead to different shapes.
    """
    if not clauses:
        return inference.numbers(body, local), False
    clause, rest = clauses[0], clauses[1:]
    walked = _walk_or_report(inference, clause, local)
    is_empty = walked.size == 0
    name = clause.names[0].name
    values = walked.values
    if not values or inference.index_use.used_as(name, body, *rest) is not UsedAs.STATIC:
        found, inner_empty = _body(inference, rest, body, {**local, **walked.types})
        return found, is_empty or inner_empty
    if len(values) > MOST_UNROLLED:
        reason = f"`{name}` must be known, and it takes {len(values):,} values"
        raise Misfit("E004", reason, f"at most {MOST_UNROLLED:,} are", clause)
    result: ArrayType | None = None
    inner_empty = True
    if not inference.may_repeat(len(values)):
        values = values[:: max(1, len(values) - 1)] if inference.may_repeat(2) else values[:1]
    for value in values:
        inference.indices.append(f"`{name}` = {value}")
        found, value_empty = _body(inference, rest, body, {**local, name: whole_number(value)})
        inference.indices.pop()
        if isinstance(found, UnknownType):
            return UNKNOWN, False
        inner_empty = inner_empty and value_empty
        result = found if result is None else _same_shape(result, found, name, body)
    assert result is not None
    return result, is_empty or inner_empty


def _same_shape(
    first: ArrayType, second: ArrayType, name: str, body: nodes.Expression
) -> ArrayType:
    """The type of a `for`'s terms, which all have one shape."""
    one, other = first.shape, second.shape
    if one is None or other is None:
        return second if one is None else first
    if len(one) != len(other) or not all(map(agree, one, other)):
        shown = f"shapes {show_shape(one)} and {show_shape(other)} do not fit"
        reason = f"{quote(body)} changes its shape with `{name}`: {shown}"
        raise Misfit("E201", reason, None, body)
    return replace(first, shape=tuple(map(merge, one, other)))


def _walk_or_report(inference: Inference, clause: nodes.ForClause, local: Local) -> _Walk:
    try:
        return _walk(inference, clause, local)
    except Misfit as misfit:
        inference.report_misfit(misfit, clause.iterable)
        return _Walk(None, {name.name: UNKNOWN for name in clause.names})


def walk_clauses(
    inference: Inference, clauses: Sequence[nodes.ForClause], local: Local
) -> tuple[Local, tuple[Dimension, ...]]:
    """The types of the names that several `for`s bind, and how often each runs."""
    sizes: list[Dimension] = []
    for clause in clauses:
        walked = _walk_or_report(inference, clause, local)
        sizes.append(walked.size)
        local = {**local, **walked.types}
    return local, tuple(sizes)


def _walk(inference: Inference, clause: nodes.ForClause, local: Local) -> _Walk:
    iterable, names = clause.iterable, clause.names
    if isinstance(iterable, nodes.Call) and iterable.function.name == "range":
        if len(names) > 1:
            raise Misfit("E204", f"one index at a time, not {len(names)}", None, names[1])
        return _range(inference, iterable, names[0].name, local)
    items = iterable.items if isinstance(iterable, nodes.TupleLiteral) else (iterable,)
    found = [inference.type_of(item, local) for item in items]
    if len(items) != len(names):
        arrays = f"{len(items)} array{'s' if len(items) != 1 else ''}"
        shown = f"{len(names)} name{'s' if len(names) != 1 else ''}"
        hint = "walk arrays in step: `for a, b in (X, t)`"
        raise Misfit("E204", f"{shown} for {arrays}", hint)
    size: Dimension = None
    types: dict[str, Type] = {}
    for item, one, name in zip(items, found, names, strict=True):
        length, entry = _entry(one, item, name.name)
        if not agree(size, length):
            sizes = " and ".join(show_type(part).removeprefix("an array ") for part in found)
            raise Misfit("E201", f"the leading axes of {sizes} differ", None)
        size = merge(size, length)
        types[name.name] = entry
    return _Walk(size, types)


def _entry(found: Type, node: nodes.Expression, name: str) -> tuple[Dimension, Type]:
    """The length of an array's leading axis, and the type of an entry along it."""
    if isinstance(found, UnknownType):
        return None, UNKNOWN
    if not isinstance(found, ArrayType) or found.kind == "bool":
        raise Misfit("E204", f"{quote(node)} is {show_type(found)}, expected an array", None, node)
    if found.shape is None:
        return None, ArrayType(None, found.kind)
    if not found.shape:
        hint = f"write `for {name} in range({node.span.text})`" if found.kind == "int" else None
        reason = f"{quote(node)} is a scalar ({show_shape(())}) and has no axis to walk along"
        raise Misfit("E201", reason, hint, node)
    interval = found.interval
    if interval is not None:
        interval = replace(interval, indices=frozenset({name}))
    return found.shape[0], ArrayType(found.shape[1:], found.kind, interval=interval)


def _range(inference: Inference, call: nodes.Call, name: str, local: Local) -> _Walk:
    """The walk of an index through a `range`."""
    bound = bind_arguments("range", BUILTINS["range"].parameters, call)
    parts: dict[str, ArrayType] = {}
    values: dict[str, int | None] = {}
    for parameter, expression in bound.items():
        assert not isinstance(expression, tuple)
        found = inference.numbers(expression, local)
        if isinstance(found, UnknownType):
            return _Walk(None, {name: UNKNOWN})
        values[parameter] = as_whole(found, expression)
        parts[parameter] = found
    if "stop" not in bound:
        parts["stop"], values["stop"] = parts.pop("start"), values.pop("start")
    step = values.get("step", 1)
    if step == 0:
        raise Misfit("E204", "the step of a range is 0")
    start, stop = values.get("start", 0), values["stop"]
    index = ArrayType((), "int", known=True)
    if start is not None and stop is not None and step is not None:
        numbers = range(start, stop, step)
        if (stop - start) // step >= LARGEST_SIZE:
            raise Misfit("E208", "more indices than any array has entries")
        if not numbers:
            return _Walk(0, {name: index})
        least, largest = sorted((numbers[0], numbers[-1]))
        interval = Interval(least, largest, indices=frozenset({name}))
        return _Walk(len(numbers), {name: replace(index, interval=interval)}, numbers)
    size = parts["stop"].symbol if set(bound) == {"start"} else None
    bounds = _bounds(parts, values, step)
    if bounds is not None:
        index = replace(index, interval=replace(bounds, indices=bounds.indices | {name}))
    return _Walk(size, {name: index})


def _bounds(
    parts: dict[str, ArrayType], values: dict[str, int | None], step: int | None
) -> Interval | None:
    """The bounds of an index whose range depends on other indices."""
    ends = []
    for name in ("start", "stop"):
        value = values.get(name, 0)
        interval = parts[name].interval if name in parts else None
        if value is not None:
            interval = Interval(value, value)
        if interval is None:
            return None
        ends.append(interval)
    start, stop = ends
    if step != 1 or start.least >= stop.largest:
        return None
    indices = start.indices | stop.indices
    exact = start.exact and stop.exact and not start.indices & stop.indices
    return Interval(start.least, stop.largest - 1, exact, indices)
