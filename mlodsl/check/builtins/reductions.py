"""Functions that reduce an array, over all entries, an axis, or the indices of a `for`."""

from __future__ import annotations

from mlodsl.check.misfit import Misfit
from mlodsl.check.shapes import broadcast, misfit, resolve_axis, total
from mlodsl.check.types import SCALAR, ArrayType, NetworkType, Shape, show_shape

from .signature import Arguments, Builtin, Parameter, Role, Rule

_AXIS = Parameter("axis", None, Role.WHOLE, keyword_only=True)
_LAST_AXIS = Parameter("axis", -1, Role.WHOLE, keyword_only=True)


def _axis(arguments: Arguments, shape: Shape, default: int) -> int | None:
    axis = arguments.whole("axis") if "axis" in arguments else default
    return None if axis is None else resolve_axis(shape, axis)


def _without(shape: Shape, axis: int | None) -> Shape:
    if axis is None:
        return (None,) * (len(shape) - 1)
    return shape[:axis] + shape[axis + 1 :]


def _reduce(arguments: Arguments) -> ArrayType:
    found = arguments.array("x")
    if "axis" not in arguments:
        return ArrayType((), found.kind)
    if found.shape is None:
        return ArrayType(None, found.kind)
    return ArrayType(_without(found.shape, _axis(arguments, found.shape, -1)), found.kind)


def _reduce_to_real(arguments: Arguments) -> ArrayType:
    return ArrayType(_reduce(arguments).shape)


def _reduce_nonempty(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("x")
    if shape is not None:
        axis = _axis(arguments, shape, -1) if "axis" in arguments else None
        reduced = shape if "axis" not in arguments else () if axis is None else (shape[axis],)
        if total(reduced) == 0:
            raise Misfit("E204", f"{show_shape(shape)} has no entries to reduce")
    return _reduce(arguments)


def _mean(arguments: Arguments) -> ArrayType:
    return ArrayType(_reduce_nonempty(arguments).shape)


def _logsumexp(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("x")
    if shape is None or shape == ():
        return ArrayType(shape)
    return ArrayType(_without(shape, _axis(arguments, shape, -1)))


def _along_axis(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("x")
    if shape is None:
        return ArrayType(None)
    _axis(arguments, shape, -1)
    return ArrayType(shape)


def _cumsum(arguments: Arguments) -> ArrayType:
    found = arguments.array("x")
    if "axis" in arguments:
        return ArrayType(_along_axis(arguments).shape, found.kind)
    return ArrayType((None if found.shape is None else total(found.shape),), found.kind)


def _over_all(arguments: Arguments) -> ArrayType:
    if not isinstance(arguments.types["x"], NetworkType):
        arguments.array("x")
    return SCALAR


def _over_all_entries(arguments: Arguments) -> ArrayType:
    arguments.array("x")
    return SCALAR


def _smooth_norm(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("x")
    if "eps" in arguments:
        broadcast(shape, arguments.shape("eps"))
    return SCALAR


def _dot(arguments: Arguments) -> ArrayType:
    first, second = arguments.shape("a"), arguments.shape("b")
    if first is not None and second is not None:
        if len(first) != len(second):
            raise misfit(first, second, "`dot` takes two arrays of one shape")
        broadcasted = broadcast(first, second)
        if any(
            one != other and 1 in (one, other) for one, other in zip(first, second, strict=True)
        ):
            raise misfit(first, second, "`dot` takes two arrays of one shape")
        assert broadcasted is not None
    return SCALAR


def _reduction(name: str, rule: Rule, doc: str) -> Builtin:
    parameters = (Parameter("x"), _AXIS)
    return Builtin(name, "reductions", parameters, rule, doc, over_indices=True)


_ENTRIES = (Parameter("x", role=Role.NETWORK),)

REDUCTIONS = (
    _reduction("sum", _reduce, "The sum of all entries, along `axis`, or over `for` indices."),
    _reduction("mean", _mean, "The mean of all entries, along `axis`, or over `for` indices."),
    _reduction("max", _reduce_nonempty, "The largest entry, along `axis`, or over `for` indices."),
    _reduction("min", _reduce_nonempty, "The smallest entry, along `axis`, or over `for` indices."),
    _reduction("prod", _reduce, "The product of all entries, along `axis`, or over `for` indices."),
    Builtin(
        "logsumexp",
        "reductions",
        (Parameter("x"), _LAST_AXIS),
        _logsumexp,
        "`log(sum(exp(x)))` along `axis`, without overflow, or over `for` indices.",
        over_indices=True,
    ),
    Builtin(
        "softmax",
        "reductions",
        (Parameter("x"), _LAST_AXIS),
        _along_axis,
        "`exp(x) / sum(exp(x))` along `axis`, without overflow.",
    ),
    Builtin(
        "log_softmax",
        "reductions",
        (Parameter("x"), _LAST_AXIS),
        _along_axis,
        "The logarithm of `softmax(x)`, without overflow.",
    ),
    Builtin(
        "cumsum",
        "reductions",
        (Parameter("x"), _AXIS),
        _cumsum,
        "The running sums along `axis`; of all entries in order without one.",
    ),
    Builtin(
        "dot",
        "reductions",
        (Parameter("a"), Parameter("b")),
        _dot,
        "`sum(a * b)` of two vectors, or of two arrays of one shape.",
    ),
    Builtin("norm1", "reductions", _ENTRIES, _over_all, "The sum of the entries' absolute values."),
    Builtin(
        "norm2", "reductions", _ENTRIES, _over_all, "The square root of the sum of the squares."
    ),
    Builtin("sumsq", "reductions", _ENTRIES, _over_all, "The sum of the entries' squares."),
    Builtin(
        "norm_inf",
        "reductions",
        (Parameter("x"),),
        _over_all_entries,
        "The largest absolute value of an entry.",
    ),
    Builtin(
        "smooth_norm1",
        "reductions",
        (Parameter("x"), Parameter("eps", 1e-3)),
        _smooth_norm,
        "The sum of `sqrt(x^2 + eps^2)`: a differentiable `norm1`.",
    ),
)
