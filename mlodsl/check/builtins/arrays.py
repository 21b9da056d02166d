"""Functions that make, join, cut and measure arrays."""

from __future__ import annotations

from mlodsl.check.misfit import Misfit, quote
from mlodsl.check.shapes import agree, merge, resolve_axis, total
from mlodsl.check.types import ArrayType, Dimension, Shape, TupleType, Type, show_shape, size_type

from .signature import Arguments, Builtin, Parameter, Role, as_whole

_SIZES = (Parameter("sizes", role=Role.WHOLE, variadic=True),)
_COUNT = Parameter("n", role=Role.WHOLE)
_JOINED = (
    Parameter("arrays", variadic=True),
    Parameter("axis", 0, Role.WHOLE, keyword_only=True),
)


def _constant(arguments: Arguments) -> ArrayType:
    return ArrayType(arguments.sizes("sizes"))


def _eye(arguments: Arguments) -> ArrayType:
    size = arguments.size("n")
    return ArrayType((size, size))


def _linspace(arguments: Arguments) -> ArrayType:
    for name in ("a", "b"):
        shape = arguments.shape(name)
        if shape:
            raise Misfit("E201", f"`{name}` must be a scalar, not {show_shape(shape)}")
    return ArrayType((arguments.size("n"),))


def _arange(arguments: Arguments) -> ArrayType:
    return ArrayType((arguments.size("n"),), "int")


def _axis(arguments: Arguments, shape: Shape) -> int | None:
    axis = arguments.whole("axis") if "axis" in arguments else 0
    return None if axis is None else resolve_axis(shape, axis)


def _common(shapes: list[Shape], skip: int | None) -> list[Dimension]:
    """The sizes that all shapes have in common; those of axis `skip` may differ."""
    result = list(shapes[0])
    for shape in shapes[1:]:
        for axis, size in enumerate(shape):
            if len(shape) != len(result) or (axis != skip and not agree(result[axis], size)):
                shown = " and ".join(map(show_shape, (shapes[0], shape)))
                raise Misfit("E201", f"shapes {shown} do not fit")
            result[axis] = merge(result[axis], size)
    return result


def _known_shapes(arguments: Arguments) -> list[Shape] | None:
    shapes = [found.shape for found in arguments.arrays("arrays")]
    known = [shape for shape in shapes if shape is not None]
    return known if len(known) == len(shapes) else None


def _concat(arguments: Arguments) -> ArrayType:
    shapes = _known_shapes(arguments)
    if shapes is None:
        return ArrayType(None)
    if () in shapes:
        raise Misfit("E201", "a scalar has no axis to join along", "use a list, `[a, b]`")
    if any(len(shape) != len(shapes[0]) for shape in shapes):
        shown = " and ".join(dict.fromkeys(map(show_shape, shapes)))
        raise Misfit("E201", f"shapes {shown} do not fit")
    axis = _axis(arguments, shapes[0])
    if axis is None:
        return ArrayType((None,) * len(shapes[0]))
    sizes = _common(shapes, axis)
    joined = [shape[axis] for shape in shapes]
    numbers = [size for size in joined if isinstance(size, int)]
    sizes[axis] = sum(numbers) if len(numbers) == len(joined) else None
    return ArrayType(tuple(sizes))


def _stack(arguments: Arguments) -> ArrayType:
    shapes = _known_shapes(arguments)
    if shapes is None:
        return ArrayType(None)
    if any(len(shape) != len(shapes[0]) for shape in shapes):
        shown = " and ".join(dict.fromkeys(map(show_shape, shapes)))
        raise Misfit("E201", f"shapes {shown} do not fit")
    sizes = _common(shapes, None)
    axis = _axis(arguments, (*shapes[0], len(shapes)))
    if axis is None:
        return ArrayType((None,) * (len(sizes) + 1))
    sizes.insert(axis, len(shapes))
    return ArrayType(tuple(sizes))


def _reshape(arguments: Arguments) -> ArrayType:
    found = arguments.array("A")
    entries = None if found.shape is None else total(found.shape)
    expressions = arguments.expressions["sizes"]
    assert isinstance(expressions, tuple)
    sizes: list[Dimension] = []
    free: list[int] = []
    for size_found, expression in zip(arguments.arrays("sizes"), expressions, strict=True):
        value = as_whole(size_found, expression)
        if value is not None and value < -1:
            raise Misfit("E208", f"{quote(expression)} is {value}, a size is -1 or more")
        if value == -1:
            free.append(len(sizes))
        sizes.append(size_found.symbol if value is None else value)
    if len(free) > 1:
        raise Misfit("E201", "only one size can be -1")
    wanted = total(size for axis, size in enumerate(sizes) if axis not in free)
    if free:
        sizes[free[0]] = None
    if entries is not None and wanted is not None:
        if (entries != wanted) if not free else (wanted == 0 or entries % wanted):
            shown = show_shape(tuple(sizes))
            shape = show_shape(found.shape)
            raise Misfit("E201", f"shapes {shape} and {shown} do not fit: {entries} entries")
        if free:
            sizes[free[0]] = entries // wanted
    return ArrayType(tuple(sizes), found.kind)


def _rows(arguments: Arguments) -> ArrayType:
    return _size_of_axis(arguments, 0)


def _cols(arguments: Arguments) -> ArrayType:
    return _size_of_axis(arguments, 1)


def _size_of_axis(arguments: Arguments, axis: int) -> ArrayType:
    shape = arguments.shape("A")
    if shape is None:
        return size_type(None)
    if len(shape) <= axis:
        raise Misfit("E201", f"{show_shape(shape)} has no {('rows', 'columns')[axis]}")
    return size_type(shape[axis])


def _size(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("A")
    if shape is None:
        return size_type(None)
    return size_type(shape[0] if len(shape) == 1 else total(shape))


def _one_hot(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("k")
    size = arguments.size("n")
    return ArrayType(None if shape is None else (*shape, size))


def _split(arguments: Arguments) -> Type:
    found = arguments.array("A")
    sizes = arguments.sizes("sizes")
    rest: Shape | None = None
    if found.shape is not None:
        if not found.shape:
            raise Misfit("E201", "a scalar has no rows")
        rows, rest = found.shape[0], found.shape[1:]
        wanted = sum(size for size in sizes if isinstance(size, int))
        if isinstance(rows, int) and wanted > rows:
            raise Misfit("E201", f"{wanted} rows wanted of {rows}")
    return TupleType(
        tuple(ArrayType(None if rest is None else (size, *rest), found.kind) for size in sizes)
    )


ARRAYS = (
    Builtin("zeros", "arrays", _SIZES, _constant, "An array of zeros: `zeros(n, d)`."),
    Builtin("ones", "arrays", _SIZES, _constant, "An array of ones: `ones(n)`."),
    Builtin("eye", "arrays", (_COUNT,), _eye, "The identity matrix."),
    Builtin(
        "linspace",
        "arrays",
        (Parameter("a"), Parameter("b"), _COUNT),
        _linspace,
        "`n` numbers from `a` to `b`, both included, evenly spaced.",
    ),
    Builtin("arange", "arrays", (_COUNT,), _arange, "The whole numbers from 0 to `n - 1`."),
    Builtin("concat", "arrays", _JOINED, _concat, "The arrays one after the other along `axis`."),
    Builtin("stack", "arrays", _JOINED, _stack, "The arrays along a new `axis`."),
    Builtin(
        "reshape",
        "arrays",
        (Parameter("A"), *_SIZES),
        _reshape,
        "The entries of `A` in row order in another shape; one size may be -1.",
    ),
    Builtin("rows", "arrays", (Parameter("A"),), _rows, "The size of the first axis."),
    Builtin("cols", "arrays", (Parameter("A"),), _cols, "The size of the second axis."),
    Builtin("size", "arrays", (Parameter("A"),), _size, "The number of entries."),
    Builtin(
        "one_hot",
        "arrays",
        (Parameter("k"), _COUNT),
        _one_hot,
        "A row of `n` zeros with a one at `k`, for each entry of `k`.",
    ),
    Builtin(
        "split",
        "arrays",
        (Parameter("A"), *_SIZES),
        _split,
        "Blocks of rows from the top; rows left over are dropped.",
    ),
)
