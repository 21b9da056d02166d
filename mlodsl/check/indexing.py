"""Types of `base[i, :, 1:3]`: NumPy's rules for whole numbers, slices and lists of indices."""

from __future__ import annotations

from dataclasses import dataclass

from mlodsl.syntax import nodes

from .builtins import as_whole
from .inference import Inference, Local
from .misfit import Misfit, quote
from .shapes import broadcast
from .types import (
    UNKNOWN,
    ArrayType,
    Dimension,
    Interval,
    Shape,
    Type,
    UnknownType,
    show_shape,
)


def index(inference: Inference, node: nodes.Index, local: Local) -> Type:
    """The type of what an index picks."""
    base = inference.numbers(node.base, local)
    shape = base.shape if isinstance(base, ArrayType) else None
    if shape is not None and len(node.items) > len(shape):
        for item in node.items:
            _item(inference, node, item, None, local)
        count, axes = len(node.items), len(shape)
        shown = show_shape(shape)
        raise Misfit(
            "E207",
            f"{count} ind{'ices' if count != 1 else 'ex'} for {shown}, "
            f"which has {axes or 'no'} ax{'is' if axes == 1 else 'es'}",
            "a scalar is used without brackets" if not axes else None,
        )
    failed = isinstance(base, UnknownType)
    picks: list[_Pick] = []
    for axis, item in enumerate(node.items):
        size = None if shape is None else shape[axis]
        found = _item(inference, node, item, size, local)
        if isinstance(found, UnknownType):
            failed = True
        else:
            picks.append(_Pick(isinstance(item, nodes.Slice), found.shape))
    if failed or isinstance(base, UnknownType):
        return UNKNOWN
    if shape is None:
        return ArrayType(None, base.kind)
    result = _assemble(picks, shape[len(node.items) :])
    interval = base.interval if base.kind == "int" and result == () else None
    return ArrayType(result, base.kind, interval=interval)


@dataclass(frozen=True, slots=True)
class _Pick:
    """What one index leaves of its axis: a slice one axis, a list its own shape."""

    is_slice: bool
    shape: Shape | None


def _assemble(picks: list[_Pick], rest: Shape) -> Shape | None:
    """The shape of the result, as NumPy has it.

    Beside a list, single indices count as lists too. All lists broadcast to one shape, which
    stands where the first of them stood, or at the front where a slice separates them.
    """
    lists = [pick.shape for pick in picks if not pick.is_slice]
    listed = broadcast(*lists)
    if listed is None:
        return None
    result: list[Dimension] = []
    places = [place for place, pick in enumerate(picks) if not pick.is_slice]
    separated = bool(listed) and places != list(range(places[0], places[0] + len(places)))
    if separated:
        result.extend(listed)
    for place, pick in enumerate(picks):
        if pick.is_slice:
            assert pick.shape is not None
            result.extend(pick.shape)
        elif place == places[0] and not separated:
            result.extend(listed)
    return (*result, *rest)


def _item(
    inference: Inference,
    node: nodes.Index,
    item: nodes.Expression | nodes.Slice,
    size: Dimension,
    local: Local,
) -> ArrayType | UnknownType:
    """The type of one index: of the number, the list, or the axis that a slice leaves."""
    if isinstance(item, nodes.Slice):
        return _slice(inference, item, size, local)
    found = inference.numbers(item, local)
    if isinstance(found, UnknownType):
        return UNKNOWN
    static = found.static
    if found.kind != "int" and not (found.known and (static is None or _is_whole(static))):
        hint = "indices are literals, `for` indices, `int` params and sizes"
        wrong = Misfit("E208", f"the index {quote(item)} is not a whole number", hint, item)
        inference.report_misfit(wrong, node)
        return UNKNOWN
    bounds = found.interval
    if static is not None and _is_whole(static):
        bounds = Interval(int(static), int(static))
    if bounds is not None and isinstance(size, int) and _certainly_outside(bounds, size):
        where = (
            f"{bounds.least}"
            if bounds.least == bounds.largest
            else f"{quote(item)} from {bounds.least} to {bounds.largest}"
        )
        reason = f"{quote(node)}: index {where} is out of range for an axis of size {size}"
        hint = f"indices run from 0 to {size - 1}" if size else "the axis is empty"
        inference.report("E206", reason, node.span, hint)
        return UNKNOWN
    return found


def _is_whole(value: int | float) -> bool:
    return isinstance(value, int) or value.is_integer()


def _certainly_outside(bounds: Interval, size: int) -> bool:
    if bounds.exact:
        return bounds.least < -size or bounds.largest >= size
    return bounds.largest < -size or bounds.least >= size


def _slice(
    inference: Inference, node: nodes.Slice, size: Dimension, local: Local
) -> ArrayType | UnknownType:
    values: list[int | None] = []
    certain = True
    for part in (node.start, node.stop, node.step):
        if part is None:
            values.append(None)
            continue
        found = inference.numbers(part, local)
        if isinstance(found, UnknownType):
            return UNKNOWN
        try:
            value = as_whole(found, part)
        except Misfit as misfit:
            inference.report_misfit(misfit, node)
            return UNKNOWN
        certain = certain and value is not None
        values.append(value)
    start, stop, step = values
    if step == 0:
        assert node.step is not None
        inference.report("E206", f"{quote(node)}: the step of a slice is 0", node.step.span)
        return UNKNOWN
    if values == [None, None, None] and certain:
        return ArrayType((size,))
    if not certain or not isinstance(size, int):
        return ArrayType((None,))
    return ArrayType((len(range(*slice(start, stop, step).indices(size))),))
