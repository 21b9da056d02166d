"""Linear algebra: functions of vectors and (stacks of) matrices."""

from __future__ import annotations

from mlodsl.check.misfit import Misfit
from mlodsl.check.shapes import agree, broadcast, misfit, total
from mlodsl.check.types import SCALAR, ArrayType, Shape, show_shape

from .signature import Arguments, Builtin, Parameter, Rule

_MATRIX = (Parameter("A"),)


def _square(arguments: Arguments) -> Shape | None:
    shape = arguments.shape("A")
    if shape is None:
        return None
    if len(shape) < 2 or not agree(shape[-1], shape[-2]):
        raise Misfit("E201", f"needs a square matrix, not {show_shape(shape)}")
    return shape


def _same(arguments: Arguments) -> ArrayType:
    return ArrayType(_square(arguments))


def _one_a_matrix(arguments: Arguments) -> ArrayType:
    shape = _square(arguments)
    return ArrayType(None if shape is None else shape[:-2])


def _trace(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("A")
    if shape is not None and len(shape) != 2:
        raise Misfit("E201", f"needs a matrix, not {show_shape(shape)}")
    return SCALAR


def _linsolve(arguments: Arguments) -> ArrayType:
    matrix, right = _square(arguments), arguments.shape("b")
    if matrix is None or right is None:
        return ArrayType(None)
    if right == ():
        raise misfit(matrix, right, "the right side needs an axis")
    rows = right[0] if len(right) == 1 else right[-2]
    if not agree(matrix[-1], rows):
        raise misfit(matrix, right, f"{matrix[-2]} equations against {rows} right sides")
    batch = broadcast(matrix[:-2], right[:-2])
    assert batch is not None
    return ArrayType((*batch, matrix[-1]) if len(right) == 1 else (*batch, matrix[-1], right[-1]))


def _vectors(arguments: Arguments) -> tuple[Shape | None, Shape | None]:
    first, second = arguments.shape("a"), arguments.shape("b")
    for shape in (first, second):
        if shape is not None and len(shape) != 1:
            raise misfit(first, second, "both must be vectors")
    return first, second


def _outer(arguments: Arguments) -> ArrayType:
    first, second = _vectors(arguments)
    return ArrayType((None if first is None else first[0], None if second is None else second[0]))


def _kron(arguments: Arguments) -> ArrayType:
    first, second = arguments.shape("A"), arguments.shape("B")
    if first is None or second is None:
        return ArrayType(None)
    rank = max(len(first), len(second))
    first = (1,) * (rank - len(first)) + first
    second = (1,) * (rank - len(second)) + second
    return ArrayType(tuple(total(pair) for pair in zip(first, second, strict=True)))


def _diag(arguments: Arguments) -> ArrayType:
    shape = arguments.shape("x")
    if shape is None:
        return ArrayType(None)
    if len(shape) == 1:
        return ArrayType((shape[0], shape[0]))
    if len(shape) == 2:
        if isinstance(shape[0], int) and isinstance(shape[1], int):
            return ArrayType((min(shape[0], shape[1]),))
        return ArrayType((shape[0] if shape[0] == shape[1] else None,))
    raise Misfit("E201", f"needs a vector or a matrix, not {show_shape(shape)}")


def _of_matrix(name: str, rule: Rule, doc: str) -> Builtin:
    return Builtin(name, "linear algebra", _MATRIX, rule, doc)


ALGEBRA = (
    _of_matrix("trace", _trace, "The sum of the diagonal of a matrix."),
    _of_matrix("det", _one_a_matrix, "The determinant of a square matrix."),
    _of_matrix(
        "logdet", _one_a_matrix, "The logarithm of the determinant's absolute value, no overflow."
    ),
    _of_matrix("inv", _same, "The inverse of a square matrix; prefer `linsolve`."),
    _of_matrix(
        "cholesky", _same, "The lower triangular `L` with `L @ L.T` = `A`, positive definite."
    ),
    Builtin(
        "linsolve",
        "linear algebra",
        (Parameter("A"), Parameter("b")),
        _linsolve,
        "The `x` with `A @ x` = `b`, for a vector or a matrix of right sides.",
    ),
    Builtin(
        "outer",
        "linear algebra",
        (Parameter("a"), Parameter("b")),
        _outer,
        "The matrix of all products of an entry of `a` and one of `b`.",
    ),
    Builtin(
        "kron",
        "linear algebra",
        (Parameter("A"), Parameter("B")),
        _kron,
        "The Kronecker product: each entry of `A` times all of `B`.",
    ),
    Builtin(
        "diag",
        "linear algebra",
        (Parameter("x"),),
        _diag,
        "The diagonal matrix of a vector, or the diagonal of a matrix.",
    ),
)
