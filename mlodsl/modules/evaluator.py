"""The value of an expression: interprets the syntax tree with JAX operations.

Pure: under `jax.jit` it runs once, while tracing, and leaves the operations behind.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from mlodsl.check import BUILTINS, FunctionInfo, Parameter, Role, bind_arguments
from mlodsl.check.builtins import REQUIRED
from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.syntax import nodes

from . import arithmetic, indexing
from .comprehensions import Terms, collect, is_range, reduced
from .contraction import contracted
from .dependencies import references
from .functions import FUNCTIONS
from .mapping import can_be_mapped
from .scope import Pick, Scope, bound_arguments, dual_key
from .static_indices import must_be_static
from .values import Value, as_array, as_python_number, is_number, settle, whole_number

_CONSTANTS: dict[str, float | bool] = {
    "pi": float(jnp.pi),
    "inf": float("inf"),
    "true": True,
    "false": False,
}
# What these make of a Python number is a Python number, as the checker relies on.
_KEEPS_NUMBERS = frozenset({"floor"})


def evaluate(node: nodes.Expression, scope: Scope) -> Value:
    """The value of an expression whose names stand for what `scope` says."""
    match node:
        case nodes.Number(value=value):
            return as_python_number(value)
        case nodes.Constant(name=name):
            return _CONSTANTS[name]
        case nodes.Name(name=name):
            return scope.lookup(name)
        case nodes.Negation(operand=operand):
            return arithmetic.negate(evaluate(operand, scope))
        case nodes.Chain():
            return _chain(node, scope)
        case nodes.Power(base=base, exponent=exponent):
            left, right = evaluate(base, scope), evaluate(exponent, scope)
            return arithmetic.power(left, right, scope.dtype)
        case nodes.Comparison():
            return _comparison(node, scope)
        case nodes.Index(base=base, items=items):
            pick = scope.picked.get(id(node)) or Pick(evaluate(base, scope), items)
            return indexing.index(pick.value, pick.items, lambda item: evaluate(item, scope))
        case nodes.Transpose(operand=operand):
            return as_array(evaluate(operand, scope), scope.dtype).T
        case nodes.ListLiteral():
            return indexing.listed(node, lambda item: evaluate(item, scope), scope.dtype)
        case nodes.Call():
            return _call(node, scope)
    raise AssertionError(f"the checker lets no {type(node).__name__} stand here")


def _chain(node: nodes.Chain, scope: Scope) -> Value:
    """A product of matrices that is written twice is computed once.

    The compiler would see to its value, but not to its gradient: there each product has a product
    of its own, and their sum isn't put together to one.
    """
    if not any(operator == "@" for operator, _ in node.rest):
        return _combined(node, scope)
    if not scope.local.keys().isdisjoint(references(node)):
        return _combined(node, scope)
    key = ("@", node)
    if key not in scope.calls:
        scope.calls[key] = (_combined(node, scope), None)
    return scope.calls[key][0]


def _combined(node: nodes.Chain, scope: Scope) -> Value:
    result = evaluate(node.first, scope)
    for operator, operand in node.rest:
        right = evaluate(operand, scope)
        result = arithmetic.combine(operator, result, right, scope.dtype)
    return result


def _comparison(node: nodes.Comparison, scope: Scope) -> bool | Array:
    """`lo <= a <= hi` holds where both halves do."""
    left = evaluate(node.first, scope)
    result: bool | Array = True
    for operator, operand in node.rest:
        right = evaluate(operand, scope)
        holds = arithmetic.compare(operator, left, right)
        result = holds if result is True else jnp.logical_and(result, holds)
        left = right
    return result


# ---------------------------------------------------------------- calls


def _call(node: nodes.Call, scope: Scope) -> Value:
    name = node.function.name
    if name in scope.functions:
        return _own_function(scope.functions[name], node, scope)
    if name in scope.python_functions:
        return _python_function(node, scope)
    if name == "dual":
        (constraint,) = node.arguments
        assert isinstance(constraint, nodes.Name), "the checker lets nothing else stand"
        return scope.names[dual_key(constraint.name)]
    if len(node.arguments) == 1 and isinstance(node.arguments[0], nodes.Generator):
        return _reduction(name, node.arguments[0], scope)
    if name == "trace" and len(node.arguments) == 1:
        (argument,) = node.arguments
        if isinstance(argument, nodes.Chain) and argument.rest[-1][0] == "@":
            return _trace_of_product(argument, scope)
    return _builtin(node, scope)


def _reduction(name: str, generator: nodes.Generator, scope: Scope) -> Value:
    def terms(generator: nodes.Generator, scope: Scope) -> Terms:
        return collect(generator, scope, evaluate, is_unrolled)

    if name == "sum":
        product = contracted(generator, scope, evaluate, terms, is_unrolled)
        if product is not None:
            return settle(product, scope.dtype)
    found = collect(generator, scope, evaluate, is_unrolled, for_sum=name == "sum")
    return settle(reduced(name, found), scope.dtype)


def _trace_of_product(product: nodes.Chain, scope: Scope) -> Array:
    """`trace(A @ B)` as the sum of A times the transpose of B: no entry off the diagonal.

    `trace(A.T @ B @ C)` is that of A times B @ C: as many operations, and nothing is transposed.
    """
    *before, (_, last) = product.rest
    (_, second), *after = product.rest
    only_products = all(operator == "@" for operator, _ in product.rest)
    if isinstance(product.first, nodes.Transpose) and only_products and len(after) <= 1:
        rest = nodes.Chain(second, tuple(after), span=product.span) if after else second
        return jnp.sum(_array(product.first.operand, scope) * _array(rest, scope))
    start = nodes.Chain(product.first, tuple(before), span=product.span)
    return jnp.sum(_array(start if before else product.first, scope) * _array(last, scope).T)


def _array(node: nodes.Expression, scope: Scope) -> Array:
    return as_array(evaluate(node, scope), scope.dtype)


def is_unrolled(generator: nodes.Generator, clause: nodes.ForClause, scope: Scope) -> bool:
    """Whether the index of a `for` must be a Python integer."""
    (index,) = clause.names
    if not must_be_static(generator, index.name, scope.functions, scope.index_use):
        return False
    clauses = generator.clauses[generator.clauses.index(clause) :]
    return not can_be_mapped(generator.body, clauses, scope, evaluate)


def is_unrolled_in_full(generator: nodes.Generator, clause: nodes.ForClause, scope: Scope) -> bool:
    """Whether the index of a `for` must be a Python integer where gaps can't be left out."""
    (index,) = clause.names
    ranges = [other.iterable for other in generator.clauses if is_range(other.iterable)]
    if any(index.name in references(iterable) for iterable in ranges):
        return True
    return is_unrolled(generator, clause, scope)


def _own_function(function: FunctionInfo, node: nodes.Call, scope: Scope) -> Value:
    """The body with the arguments in place of the parameters.

    A call with the very same arguments is computed once: functions that each call the one
    before twice don't take exponentially long.
    """
    values = {name: evaluate(argument, scope) for name, argument in bound_arguments(function, node)}
    key = (function.name, *(_identity(value) for value in values.values()))
    if key not in scope.calls:
        result = evaluate(function.body, scope.inside_function(values))
        scope.calls[key] = (result, values)  # the values too, so that their ids stay theirs
    return scope.calls[key][0]


def _identity(value: Value) -> tuple[type, object]:
    return (type(value), value) if is_number(value) else (type(value), id(value))


def _builtin(node: nodes.Call, scope: Scope) -> Value:
    name = node.function.name
    parameters = BUILTINS[name].parameters
    bound = bind_arguments(name, parameters, node)
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name not in bound:
            assert parameter.default is not REQUIRED, "the checker counts arguments"
            values: list[object] = [parameter.default]
        else:
            given = bound[parameter.name]
            expressions = given if isinstance(given, tuple) else (given,)
            values = [_argument(name, parameter, item, scope) for item in expressions]
        if parameter.keyword_only:
            keywords[parameter.name] = values[0]
        else:
            positional += values
    return _settled(FUNCTIONS[name](*positional, **keywords), scope)


def _argument(
    name: str, parameter: Parameter, expression: nodes.Expression, scope: Scope
) -> object:
    value = evaluate(expression, scope)
    if parameter.role is Role.WHOLE:
        return whole_number(value, f"`{parameter.name}`")
    if parameter.role is Role.CONDITION or (is_number(value) and name in _KEEPS_NUMBERS):
        return value
    return as_array(value, scope.dtype)


def _settled(result: Any, scope: Scope) -> Value:
    if isinstance(result, tuple):
        return tuple(settle(part, scope.dtype) for part in result)
    return result if is_number(result) else settle(result, scope.dtype)


def _python_function(node: nodes.Call, scope: Scope) -> Array:
    """A call of a function that the Python caller gave; it gets and returns JAX arrays."""
    name = node.function.name
    positional = [as_array(evaluate(item, scope), scope.dtype) for item in node.arguments]  # type: ignore[arg-type]
    keywords = {
        keyword.name.name: as_array(evaluate(keyword.value, scope), scope.dtype)
        for keyword in node.keywords
    }
    try:
        return settle(
            jnp.asarray(scope.python_functions[name](*positional, **keywords)), scope.dtype
        )
    except Exception as error:
        # Whatever a caller's function raises is told at the place of its call.
        reason = str(error).strip().split("\n")[0]
        message = f"the Python function `{name}` raised {type(error).__name__}: {reason}"
        raise ModelError([Diagnostic("E607", message, node.span)]) from error
