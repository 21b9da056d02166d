"""Types of `sum(body for i in range(n))` and of what a `for` walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlodsl.syntax import nodes

from .builtins import BUILTINS, LARGEST_SIZE, as_whole, bind_arguments
from .inference import Inference, Local
from .misfit import Misfit, quote
from .shapes import agree, merge
from .types import (
    UNKNOWN,
    ArrayType,
    Dimension,
    Interval,
    Type,
    UnknownType,
    show_shape,
    show_type,
)

_NEED_ENTRIES = frozenset({"mean", "max", "min", "logsumexp"})
_REAL_RESULT = frozenset({"mean", "logsumexp"})


@dataclass(frozen=True, slots=True)
class Walked:
    """What some `for`s bind: the types of the names, and how often each runs."""

    local: Local
    sizes: tuple[Dimension, ...]


def reduction(
    inference: Inference, node: nodes.Call, generator: nodes.Generator, local: Local
) -> Type:
    """The type of a reduction over `for` indices: that of its body."""
    function = node.function.name
    walked = walk_clauses(inference, generator.clauses, local)
    body = inference.numbers(generator.body, walked.local)
    if function not in BUILTINS or not BUILTINS[function].over_indices:
        names = ", ".join(f"`{name}`" for name, one in BUILTINS.items() if one.over_indices)
        raise Misfit("E204", f"`{function}` takes no `for`", f"{names} do")
    if node.keywords:
        word = node.keywords[0].name
        reason = f"unknown argument `{word.name}` beside a `for`"
        raise Misfit("E203", reason, None, word)
    if isinstance(body, UnknownType):
        return UNKNOWN
    if function in _NEED_ENTRIES and 0 in walked.sizes:
        raise Misfit("E204", f"the `for` runs over nothing, and nothing has no {function}")
    return ArrayType(body.shape, "real" if function in _REAL_RESULT else body.kind)


def walk_clauses(inference: Inference, clauses: Sequence[nodes.ForClause], local: Local) -> Walked:
    """The names that several `for`s bind, each seeing those before it."""
    sizes: list[Dimension] = []
    bound = dict(local)
    for clause in clauses:
        try:
            size, types = _walk(inference, clause, bound)
        except Misfit as misfit:
            inference.report_misfit(misfit, clause.iterable)
            size, types = None, [UNKNOWN] * len(clause.names)
        sizes.append(size)
        for name, found in zip(clause.names, types, strict=True):
            bound[name.name] = found
    return Walked(bound, tuple(sizes))


def _walk(
    inference: Inference, clause: nodes.ForClause, local: Local
) -> tuple[Dimension, Sequence[Type]]:
    iterable, names = clause.iterable, clause.names
    if isinstance(iterable, nodes.Call) and iterable.function.name == "range":
        count, index = _range(inference, iterable, local)
        if len(names) > 1:
            raise Misfit("E204", f"one index at a time, not {len(names)}", None, names[1])
        if isinstance(index, ArrayType) and index.interval is not None:
            indices = index.interval.indices | {names[0].name}
            index = replace(index, interval=replace(index.interval, indices=indices))
        return count, [index]
    items = iterable.items if isinstance(iterable, nodes.TupleLiteral) else (iterable,)
    found = [inference.type_of(item, local) for item in items]
    if len(items) != len(names):
        arrays = f"{len(items)} array{'s' if len(items) != 1 else ''}"
        shown = f"{len(names)} name{'s' if len(names) != 1 else ''}"
        hint = "walk arrays in step: `for a, b in (X, t)`"
        raise Misfit("E204", f"{shown} for {arrays}", hint)
    size: Dimension = None
    entries = []
    for item, one, name in zip(items, found, names, strict=True):
        length, entry = _entry(one, item, name.name)
        if not agree(size, length):
            sizes = " and ".join(show_type(part).removeprefix("an array ") for part in found)
            raise Misfit("E201", f"the leading axes of {sizes} differ", None)
        size = merge(size, length)
        entries.append(entry)
    return size, entries


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


def _range(inference: Inference, call: nodes.Call, local: Local) -> tuple[Dimension, Type]:
    """How many indices a `range` has, and the type of the index."""
    bound = bind_arguments("range", BUILTINS["range"].parameters, call)
    parts: dict[str, ArrayType] = {}
    values: dict[str, int | None] = {}
    for name, expression in bound.items():
        assert not isinstance(expression, tuple)
        found = inference.numbers(expression, local)
        if isinstance(found, UnknownType):
            return None, UNKNOWN
        values[name] = as_whole(found, expression)
        parts[name] = found
    if "stop" not in bound:
        parts["stop"], values["stop"] = parts.pop("start"), values.pop("start")
    step = values.get("step", 1)
    if step == 0:
        raise Misfit("E204", "the step of a range is 0")
    start, stop = values.get("start", 0), values["stop"]
    if start is not None and stop is not None and step is not None:
        numbers = range(start, stop, step)
        if (stop - start) // step >= LARGEST_SIZE:
            raise Misfit("E208", "more indices than any array has entries")
        if not numbers:
            return 0, ArrayType((), "int", known=True)
        least, largest = sorted((numbers[0], numbers[-1]))
        interval = Interval(least, largest)
        return len(numbers), ArrayType((), "int", known=True, interval=interval)
    size = parts["stop"].symbol if set(bound) == {"start"} else None
    return size, ArrayType((), "int", known=True, interval=_bounds(parts, values, step))


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
