"""Sums of products over indices as products of arrays.

`sum(K[i, j] * x[i] * y[j] for i in range(n) for j in range(m))` is x · K y: each factor is computed
over its own indices alone, and the arrays are contracted. A factor of several indices has to stand
in an array as it is: one that is computed is better added up on the way, without an array of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from mlodsl.syntax import nodes

from .comprehensions import Evaluate, IsUnrolled, indices_of, is_range
from .dependencies import references
from .scope import Scope
from .values import as_array

Collect = Callable[[nodes.Generator, Scope], Array]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def contracted(
    generator: nodes.Generator,
    scope: Scope,
    evaluate: Evaluate,
    collect: Collect,
    is_unrolled: IsUnrolled,
) -> Float[Array, ""] | None:
    """The sum of the body over the indices; None where it is no sum of products of numbers.

    Arguments:
        evaluate: gives an expression its value in a scope.
        collect: gives the values of a body for all indices, along a new first axis.
        is_unrolled: whether the index of a clause must be a Python integer.
    """
    factors = _factors(generator.body)
    if len(factors) < 2 or len(generator.clauses) > len(_LETTERS):
        return None
    sizes: dict[str, int] = {}
    for clause in generator.clauses:
        # A range that depends on an index before it, or whose index must be known, is no axis.
        if not is_range(clause.iterable) or not references(clause.iterable).isdisjoint(sizes):
            return None
        if is_unrolled(generator, clause, scope):
            return None
        sizes[clause.names[0].name] = len(indices_of(clause.iterable, scope, evaluate))
    parts = _parts(factors, tuple(sizes))
    if parts is None or 0 in sizes.values():
        return None
    scale = jnp.ones((), scope.dtype)
    arrays: list[Array] = []
    for names, product in parts:
        clauses = tuple(one for one in generator.clauses if one.names[0].name in names)
        if clauses:
            values = collect(nodes.Generator(product, clauses, span=generator.span), scope)
        else:
            values = as_array(evaluate(product, scope), scope.dtype)
        if values.ndim != min(len(clauses), 1):
            return None  # rows, not numbers
        if clauses:
            arrays.append(values.reshape([sizes[one.names[0].name] for one in clauses]))
        else:
            scale = scale * values
    letters = dict(zip(sizes, _LETTERS, strict=False))
    axes = [
        "".join(letters[name] for name in sizes if name in names) for names, _ in parts if names
    ]
    for name, size in sizes.items():
        if not any(letters[name] in own for own in axes):
            scale = scale * size  # nothing depends on it
    if not arrays:
        return scale
    # The last index first: in a row-wise array its entries are neighbours.
    operands = sorted(zip(axes, arrays, strict=True), key=lambda one: one[0], reverse=True)
    axes, arrays = [axis for axis, _ in operands], [array for _, array in operands]
    return scale * jnp.einsum(",".join(axes) + "->", *arrays, precision=lax.Precision.HIGHEST)


def _factors(body: nodes.Expression) -> list[nodes.Expression]:
    if not isinstance(body, nodes.Chain) or any(operator != "*" for operator, _ in body.rest):
        return []
    return [body.first, *(operand for _, operand in body.rest)]


def _parts(
    factors: Sequence[nodes.Expression], indices: Sequence[str]
) -> list[tuple[frozenset[str], nodes.Expression]] | None:
    """The factors, those of the same indices put together; None where that gains nothing."""
    groups: dict[frozenset[str], list[nodes.Expression]] = {}
    for factor in factors:
        names = references(factor).intersection(indices)
        if len(names) > 1 and not isinstance(factor, nodes.Index):
            return None
        groups.setdefault(names, []).append(factor)
    parts = [(names, _product(group)) for names, group in groups.items()]
    indexed = [names for names in groups if names]
    if len(indexed) > 1:
        return parts
    # Of one index alone: a product of two vectors, which over rows is one of a matrix.
    if len(indexed) == 1 and len(indexed[0]) == 1 and len(groups[indexed[0]]) > 1:
        (names,) = indexed
        first, *others = groups[names]
        rest = [(names, first), (names, _product(others))]
        return rest + [part for part in parts if part[0] != names]
    return None


def _product(factors: Sequence[nodes.Expression]) -> nodes.Expression:
    first, *others = factors
    if not others:
        return first
    rest = tuple(("*", factor) for factor in others)
    return nodes.Chain(first, rest, span=first.span.to(others[-1].span))
