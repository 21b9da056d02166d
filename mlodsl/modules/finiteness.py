"""Which expressions have finite derivatives of all orders, whatever finite entries they get.

Judged from the text alone: `log(1 + a^2)` and `exp(-a^2)` do, `log(a)` may not. What no array is
part of has no derivatives.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp

from mlodsl.check import BUILTINS, FunctionInfo
from mlodsl.syntax import nodes, walk
from mlodsl.syntax.walk import children

from .scope import Scope
from .values import is_number

# Of these, values and derivatives of all orders are finite at all finite arguments.
_FINITE = frozenset(
    (
        *("sin", "cos", "tanh", "arctan", "sigmoid", "relu", "softplus", "elu", "gelu", "square"),
        *("huber", "logistic_loss", "abs", "sign", "floor", "where", "maximum", "minimum", "clip"),
        *("sum", "mean", "max", "min", "prod", "dot", "sumsq", "norm1", "norm2", "norm_inf"),
        *("trace", "outer", "logsumexp", "softmax", "log_softmax", "cumsum", "zeros", "ones"),
        *("eye", "range"),
    )
)
_NOT_NEGATIVE = frozenset(
    (
        *("square", "abs", "sumsq", "norm1", "norm2", "norm_inf", "huber", "relu", "sigmoid"),
        *("exp", "softplus", "logistic_loss", "softmax"),
    )
)
_KEEP_SIGN = frozenset(("sum", "mean", "sqrt"))


def is_finite(node: nodes.Node, scope: Scope) -> bool:
    """Whether an expression has finite values and derivatives for all finite entries.

    Arguments:
        scope: with the indices of `for`s that may be part of it.
    """
    if _is_known(node, scope):
        return True
    match node:
        case nodes.Chain(_, rest):
            for operator, operand in rest:
                if operator == "/" and not (_is_known(operand, scope) or _sign(operand) == 2):
                    return False
        case nodes.Power(base, exponent):
            if not _is_whole(exponent) and not (_is_known(exponent, scope) and _sign(base) == 2):
                return False
        case nodes.Call(function, arguments):
            name = function.name
            if name in scope.functions:
                if not is_finite(scope.functions[name].body, _inside(scope.functions[name], scope)):
                    return False
            elif name not in _FINITE and not _is_inside(name, arguments):
                return False
        case nodes.Index(base):
            return is_finite(base, scope)
    return all(is_finite(child, scope) for child in children(node))


def stays_finite(
    node: nodes.Node,
    scope: Scope,
    is_filled: Callable[[nodes.Index], bool] = lambda node: False,
    bound: frozenset[str] = frozenset(),
) -> bool:
    """Whether an expression is finite and has finite derivatives, whatever data there is.

    Only variables, numbers and indices are known to be finite.

    Arguments:
        is_filled: whether the entries of an expression are known to be finite.
        bound: names of numbers and of parts of what is finite.
    """
    return is_finite(node, scope) and _of_variables(node, scope, is_filled, bound)


def _of_variables(
    node: nodes.Node,
    scope: Scope,
    is_filled: Callable[[nodes.Index], bool],
    bound: frozenset[str],
) -> bool:
    match node:
        case nodes.Name(name):
            return name in bound or name in scope.variables or _is_known(node, scope)
        case nodes.Index() if is_filled(node):
            return True
        case nodes.Generator(_, clauses):
            bound |= {identifier.name for clause in clauses for identifier in clause.names}
        case nodes.Call(function):
            own = scope.functions.get(function.name)
            if function.name in scope.python_functions:
                return False
            if own is not None and not _of_variables(
                own.body, _inside(own, scope), is_filled, frozenset(own.parameters)
            ):
                return False
    return all(_of_variables(child, scope, is_filled, bound) for child in children(node))


def _inside(function: FunctionInfo, scope: Scope) -> Scope:
    """The scope of a function's body, where nothing is known of its parameters."""
    return scope.inside_function(dict.fromkeys(function.parameters, jnp.zeros(())))


def _is_inside(name: str, arguments: tuple[nodes.Expression | nodes.Generator, ...]) -> bool:
    """Whether a function gets what it has finite derivatives for."""
    if len(arguments) != 1:
        return False
    sign = _sign(arguments[0])
    match name:
        case "exp" | "expm1":
            return sign in (-1, -2)
        case "log" | "sqrt":
            return sign == 2
        case "log1p":
            return sign in (1, 2)
    return False


def _is_known(node: nodes.Node, scope: Scope) -> bool:
    """Whether an expression is made of numbers and indices alone."""
    for part in walk(node):
        match part:
            case nodes.Name(name):
                if name not in scope.walks.names and not is_number(scope.known(name)):
                    return False
            case nodes.Call(function):
                if function.name not in BUILTINS:
                    return False
            case nodes.Index() | nodes.Generator():
                return False
    return True


def _is_whole(node: nodes.Expression) -> bool:
    return isinstance(node, nodes.Number) and isinstance(node.value, int)


def _sign(node: nodes.Node) -> int:
    """2: greater than a positive number, 1: not negative; -2, -1: of the other sign; 0: unknown."""
    match node:
        case nodes.Number(value=value):
            return 2 if value > 0 else 1
        case nodes.Negation(operand):
            return -_sign(operand)
        case nodes.Power(base, exponent):
            if _is_whole(exponent) and exponent.value % 2 == 0:  # type: ignore[union-attr]
                return 1
            return 1 if _sign(base) > 0 else 0
        case nodes.Generator(body):
            return max(-1, min(1, _sign(body)))
        case nodes.Call(function, arguments):
            if function.name in _NOT_NEGATIVE:
                return 1
            if function.name in _KEEP_SIGN and len(arguments) == 1:
                return max(-1, min(1, _sign(arguments[0])))
        case nodes.Chain(first, rest):
            return _sign_of_chain(first, rest)
    return 0


def _sign_of_chain(first: nodes.Expression, rest: tuple[tuple[str, nodes.Expression], ...]) -> int:
    sign = _sign(first)
    for operator, operand in rest:
        other = _sign(operand)
        if operator in "+-":
            other = other if operator == "+" else -other
            sign = (sign if abs(sign) > abs(other) else other) if sign * other > 0 else 0
        elif operator in "*/" and isinstance(operand, nodes.Number):
            sign = sign if operand.value else 0
        elif operator in "*/":
            sign = max(-1, min(1, sign * other))
        else:
            sign = 0
    return sign
