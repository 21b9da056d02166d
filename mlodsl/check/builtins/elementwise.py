"""Functions that act on each entry: shapes broadcast as in NumPy."""

from __future__ import annotations

from mlodsl.check import constants
from mlodsl.check.shapes import broadcast
from mlodsl.check.types import ArrayType, common_kind

from .signature import Arguments, Builtin, Parameter, Role

_DOCS = {
    "exp": "e to the power of `x`.",
    "log": "The natural logarithm of `x`.",
    "log1p": "`log(1 + x)`, exact for small `x`.",
    "expm1": "`exp(x) - 1`, exact for small `x`.",
    "sqrt": "The square root of `x`.",
    "abs": "The absolute value of `x`.",
    "sign": "-1, 0 or 1: the sign of `x`.",
    "sin": "The sine of `x` (in radians).",
    "cos": "The cosine of `x` (in radians).",
    "tan": "The tangent of `x` (in radians).",
    "tanh": "The hyperbolic tangent of `x`.",
    "arctan": "The inverse tangent of `x`, in radians.",
    "sigmoid": "`1 / (1 + exp(-x))`.",
    "relu": "`maximum(x, 0)`.",
    "softplus": "`log(1 + exp(x))`.",
    "elu": "`x` where positive, `exp(x) - 1` elsewhere.",
    "gelu": "`x` times the normal distribution function at `x` (exact form, with `erf`).",
    "square": "The square of `x`.",
    "floor": "The largest whole number that is at most `x`.",
}

ACTIVATIONS = ("tanh", "relu", "sigmoid", "softplus", "elu", "gelu", "sin", "cos", "arctan", "exp")
"""The functions that `mlp(…, activation = …)` accepts."""

_KEEP_WHOLE = frozenset({"abs", "square", "sign"})


def _same_shape(arguments: Arguments) -> ArrayType:
    return ArrayType(arguments.shape("x"))


def _same_kind(arguments: Arguments) -> ArrayType:
    found = arguments.array("x")
    return ArrayType(found.shape, found.kind)


def _floor(arguments: Arguments) -> ArrayType:
    return constants.floor(arguments.array("x"))


def _unary(name: str, doc: str) -> Builtin:
    rule = _floor if name == "floor" else _same_kind if name in _KEEP_WHOLE else _same_shape
    return Builtin(name, "elementwise", (Parameter("x"),), rule, doc)


def _larger_or_smaller(arguments: Arguments) -> ArrayType:
    first, second = arguments.array("a"), arguments.array("b")
    return ArrayType(broadcast(first.shape, second.shape), common_kind(first, second))


def _clip(arguments: Arguments) -> ArrayType:
    return ArrayType(broadcast(*(arguments.shape(name) for name in ("x", "lo", "hi"))))


def _where(arguments: Arguments) -> ArrayType:
    condition = arguments.types["cond"]
    assert isinstance(condition, ArrayType), "the evaluator checks conditions"
    first, second = arguments.array("a"), arguments.array("b")
    shape = broadcast(condition.shape, first.shape, second.shape)
    return ArrayType(shape, common_kind(first, second))


_PAIR = (Parameter("a"), Parameter("b"))

ELEMENTWISE = (
    *(_unary(name, doc) for name, doc in _DOCS.items()),
    Builtin("maximum", "elementwise", _PAIR, _larger_or_smaller, "The larger of `a` and `b`."),
    Builtin("minimum", "elementwise", _PAIR, _larger_or_smaller, "The smaller of `a` and `b`."),
    Builtin(
        "clip",
        "elementwise",
        (Parameter("x"), Parameter("lo"), Parameter("hi")),
        _clip,
        "`x` moved into the interval from `lo` to `hi`.",
    ),
    Builtin(
        "where",
        "elementwise",
        (Parameter("cond", role=Role.CONDITION), *_PAIR),
        _where,
        "`a` where the comparison `cond` holds, `b` elsewhere.",
    ),
)
