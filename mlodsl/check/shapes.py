"""NumPy's rules for shapes, on sizes that may be unknown yet: broadcasting, `@`, axes.

A size is a number, a name that data will bind, or None. Only what certainly doesn't fit
raises `Misfit`; what may fit is let through.
"""

from __future__ import annotations

from collections.abc import Iterable

from .misfit import Misfit
from .types import Dimension, Shape, show_shape


def agree(first: Dimension, second: Dimension) -> bool:
    """Whether two sizes may be the same."""
    return not (isinstance(first, int) and isinstance(second, int)) or first == second


def merge(first: Dimension, second: Dimension) -> Dimension:
    """The better known of two sizes that are the same."""
    if isinstance(first, int) or second is None:
        return first
    return second if isinstance(second, int) or first is None else first


def _broadcast_size(first: Dimension, second: Dimension) -> Dimension:
    if first == second or second == 1:
        return first
    if first == 1:
        return second
    if isinstance(first, int) and isinstance(second, int):
        raise Misfit("E201", "")
    # A size other than 1 beside an unknown one: the unknown one is 1 or the same.
    if isinstance(first, int):
        return first
    return second if isinstance(second, int) else None


def broadcast(*shapes: Shape | None) -> Shape | None:
    """The shape of an elementwise operation on arrays of these shapes."""
    result: Shape | None = ()
    for shape in shapes:
        result = _broadcast_two(result, shape)
    return result


def _broadcast_two(first: Shape | None, second: Shape | None) -> Shape | None:
    if first == second:
        return first
    if first is None or second is None:
        return None
    rank = max(len(first), len(second))
    padded_first = (1,) * (rank - len(first)) + first
    padded_second = (1,) * (rank - len(second)) + second
    try:
        return tuple(map(_broadcast_size, padded_first, padded_second))
    except Misfit:
        raise misfit(first, second) from None


def misfit(first: Shape | None, second: Shape | None, reason: str = "") -> Misfit:
    """The error that two shapes don't fit."""
    shown = f"shapes {show_shape(first)} and {show_shape(second)} do not fit"
    return Misfit("E201", f"{shown}: {reason}" if reason else shown)


def fits_into(shape: Shape | None, target: Shape | None) -> bool:
    """Whether an array of this shape broadcasts to exactly the target shape."""
    if shape is None or target is None:
        return True
    if len(shape) > len(target):
        return False
    ends = zip(reversed(shape), reversed(target), strict=False)
    return all(size == 1 or agree(size, wanted) for size, wanted in ends)


def matrix_product(first: Shape | None, second: Shape | None) -> Shape | None:
    """The shape of `A @ B`: matrices on the last two axes, the others broadcast."""
    for shape in (first, second):
        if shape == ():
            raise misfit(first, second, "`@` needs at least one axis on both sides")
    if first is None or second is None:
        return None
    inner_second = second[0] if len(second) == 1 else second[-2]
    if not agree(first[-1], inner_second):
        raise misfit(first, second, f"{first[-1]} columns against {inner_second} rows")
    try:
        batch = _broadcast_two(first[:-2], second[:-2])
    except Misfit:
        raise misfit(first, second) from None
    assert batch is not None
    return batch + first[-2:-1] + (second[-1:] if len(second) > 1 else ())


def resolve_axis(shape: Shape, axis: int) -> int:
    """The axis counted from 0, where it may be counted from the end."""
    if not -len(shape) <= axis < len(shape):
        raise Misfit("E206", f"axis {axis} is out of range for {show_shape(shape)}")
    return axis % len(shape)


def total(sizes: Iterable[Dimension]) -> int | None:
    """The product of sizes, None where one isn't known, or beyond 64 bits."""
    product = 1
    unknown = False
    for size in sizes:
        if isinstance(size, int):
            product *= size
        else:
            unknown = True
    return product if (not unknown or product == 0) and product < 2**63 else None
