"""Sums of products over indices as products of arrays.

`sum(K[i, j] * x[i] * y[j] for i in range(n) for j in range(m))` is x · K y: each factor is computed
over its own indices alone, and the arrays are contracted. A factor of several indices has to stand
in an array as it is: one that is computed is better added up on the way, without an array of it.
Where a range depends on other indices, one factor is 0 outside of it. That is no help where another
is infinite there or has no derivative: then there has to be no such place, or no product of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from mlodsl.syntax import nodes

from .comprehensions import Evaluate, IsUnrolled, Terms, is_range
from .dependencies import references
from .finiteness import stays_finite
from .picking import axis_around
from .scope import Scope, is_variable
from .values import as_array
from .walks import Walks, walk_of

Collect = Callable[[nodes.Generator, Scope], Terms]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class _Axis:
    """What one index runs through.

    Arguments:
        clause: its `for`.
        whole: the same `for` over all that the index takes for any others around it.
        box: what it is mapped over.
        needs: the indices of the same sum that its range depends on.
        has_gaps: whether it takes some of them for some of the indices around it alone.
    """

    clause: nodes.ForClause
    whole: nodes.ForClause
    box: range
    needs: frozenset[str]
    has_gaps: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """Factors of the same indices.

    Arguments:
        names: of these indices.
        product: the factors.
        gaps: the indices for which it is 0 where they aren't taken.
    """

    names: frozenset[str]
    product: nodes.Expression
    gaps: frozenset[str] = frozenset()


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
        collect: gives the values of a body for all indices.
        is_unrolled: whether the index of a clause must be a Python integer.
    """
    factors = _factors(generator.body)
    if len(generator.clauses) > len(_LETTERS):
        return None
    axes, walks = _axes(generator, factors, scope, evaluate, is_unrolled)
    parts = None if axes is None else _parts(factors, axes, scope.walks.names)
    if axes is None or parts is None:
        return None
    parts = _with_gaps(parts, axes, scope.walks.names, generator)
    inside, around = replace(scope, walks=walks), scope.walks
    if not all(
        _is_cleared(part, inside, around)
        or stays_finite(part.product, inside)
        or _is_taken(part, axes, scope, walks)
        for part in parts
    ):
        return None
    boxes = {name: axis.box for name, axis in axes.items() if axis.has_gaps}
    scope = replace(scope, walks=replace(scope.walks, boxes={**scope.walks.boxes, **boxes}))
    scale = jnp.ones((), scope.dtype)
    operands: list[tuple[str, Array]] = []
    letters = dict(zip(axes, _LETTERS, strict=False))
    for part in parts:
        own = [name for name in axes if name in part.names]
        if not own:
            values = as_array(evaluate(part.product, scope), scope.dtype)
        else:
            clauses = tuple(
                axes[name].clause if name in part.gaps else axes[name].whole for name in own
            )
            terms = collect(nodes.Generator(part.product, clauses, span=generator.span), scope)
            values = terms.with_gaps_as(0.0)
        if values.ndim != min(len(own), 1):
            return None  # rows, not numbers
        if own:
            values = values.reshape([len(axes[name].box) for name in own])
            if _is_cleared(part, inside, around):
                values = _cleared(values, own[0], axes, walks)
            operands.append(("".join(letters[name] for name in own), values))
        else:
            scale = scale * values
    for name, axis in axes.items():
        if not any(letters[name] in own for own, _ in operands):
            scale = scale * len(axis.box)  # nothing depends on it
    if not operands:
        return scale
    # The last index first: in a row-wise array its entries are neighbours.
    operands.sort(key=lambda one: one[0], reverse=True)
    subscripts = ",".join(own for own, _ in operands) + "->"
    arrays = [array for _, array in operands]
    return scale * jnp.einsum(subscripts, *arrays, precision=lax.Precision.HIGHEST)


def _axes(
    generator: nodes.Generator,
    factors: Sequence[nodes.Expression],
    scope: Scope,
    evaluate: Evaluate,
    is_unrolled: IsUnrolled,
) -> tuple[dict[str, _Axis] | None, Walks]:
    """The axes of the sum in their order, and what their indices take together.

    Returns:
        None: an index must be known, or takes nothing.
    """
    axes: dict[str, _Axis] = {}
    for clause in generator.clauses:
        if not is_range(clause.iterable) or is_unrolled(generator, clause, scope):
            return None, scope.walks
        name = clause.names[0].name
        used = references(clause.iterable)
        walk = walk_of(clause, scope.walks, scope.known)
        if walk is None or not walk.indices or walk.from_start:
            return None, scope.walks
        box = walk.indices
        picking = [factor for factor in factors if name in references(factor)]
        if walk.has_gaps and all(isinstance(factor, nodes.Index) for factor in picking):
            box = axis_around(walk.indices, name, picking, scope, evaluate)
        whole = clause if used.isdisjoint(scope.walks.names) else _over(box, clause)
        axes[name] = _Axis(clause, whole, box, used & axes.keys(), walk.has_gaps)
        scope = replace(scope, walks=walk.walks)
    return axes, scope.walks


def _is_cleared(part: _Part, inside: Scope, around: Walks) -> bool:
    """Whether a factor is entries of data along one axis: 0 instead of one doesn't cost anything.

    Arguments:
        inside: the scope with the sum's indices.
        around: the walks without them.
    """
    product = part.product
    if not isinstance(product, nodes.Index) or len(part.names) != 1 or part.gaps or around.names:
        return False
    return not is_variable(product.base, inside)


def _cleared(values: Array, name: str, axes: Mapping[str, _Axis], walks: Walks) -> Array:
    """The entries along an axis, 0 where no combination has the index."""
    table, box = walks.table((name,)), axes[name].box
    if table is None:
        return values
    taken = np.isin(np.arange(box.start, box.stop, box.step), table[name])
    return values if taken.all() else jnp.where(taken, values, 0.0)


def _is_taken(part: _Part, axes: Mapping[str, _Axis], scope: Scope, walks: Walks) -> bool:
    """Whether some combination of the sum's indices has each entry of a part that isn't left 0.

    Arguments:
        scope: around the sum.
        walks: of all indices, the sum's with them.
    """
    if all(name in part.gaps for name, axis in axes.items() if axis.has_gaps):
        return True
    own, names = scope.walks, part.names | references(part.product)
    for name in (name for name in axes if name in part.names):
        if name in part.gaps:
            clause = axes[name].clause
            found = walk_of(clause, own, scope.known)
            assert found is not None, "it was one among more indices"
            own, names = found.walks, names | references(clause.iterable)
        else:
            own = own.joined(name, axes[name].box)
    return own.count(names) == walks.count(names)


def _over(indices: range, clause: nodes.ForClause) -> nodes.ForClause:
    """A `for` over numbers that are known."""
    call, span = clause.iterable, clause.span
    assert isinstance(call, nodes.Call)
    ends = (indices.start, indices.stop, indices.step)
    numbers = tuple(
        nodes.Number(abs(end), str(abs(end)), span=span)
        if end >= 0
        else nodes.Negation(nodes.Number(-end, str(-end), span=span), span=span)
        for end in ends
    )
    return replace(clause, iterable=replace(call, arguments=numbers, keywords=()))


def _factors(body: nodes.Expression) -> list[nodes.Expression]:
    if not isinstance(body, nodes.Chain) or any(operator != "*" for operator, _ in body.rest):
        return [body]
    return [body.first, *(operand for _, operand in body.rest)]


def _parts(
    factors: Sequence[nodes.Expression], axes: Mapping[str, _Axis], around: frozenset[str]
) -> list[_Part] | None:
    """The factors, those of the same indices put together; None where that gains nothing.

    Arguments:
        axes: of the sum's indices.
        around: indices of `for`s around it.
    """
    groups: dict[frozenset[str], list[nodes.Expression]] = {}
    for factor in factors:
        names = references(factor).intersection(axes)
        if len(names) > 1 and not isinstance(factor, nodes.Index):
            return None
        groups.setdefault(names, []).append(factor)
    parts = [_Part(names, _product(group)) for names, group in groups.items()]
    indexed = [names for names in groups if names]
    if len(indexed) > 1:
        return parts
    # Of one index alone: a product of two vectors, which over rows is one of a matrix.
    if len(indexed) == 1 and len(indexed[0]) == 1 and len(groups[indexed[0]]) > 1:
        (names,) = indexed
        first, others = _apart(groups[names], around)
        rest = [_Part(names, _product(first)), _Part(names, _product(others))]
        return rest + [part for part in parts if part.names != names]
    # Or a vector whose entries aren't all added up for each row.
    if len(factors) == 1 and len(indexed) == 1 and len(indexed[0]) == 1:
        axis = axes[next(iter(indexed[0]))]
        return parts if axis.has_gaps and around.isdisjoint(references(factors[0])) else None
    return None


def _apart(
    factors: Sequence[nodes.Expression], around: frozenset[str]
) -> tuple[Sequence[nodes.Expression], Sequence[nodes.Expression]]:
    """Those that differ from row to row, and the vector that is the same for all rows."""
    rows = [factor for factor in factors if not around.isdisjoint(references(factor))]
    same = [factor for factor in factors if around.isdisjoint(references(factor))]
    return (rows, same) if rows and same else (factors[:1], factors[1:])


def _with_gaps(
    parts: Sequence[_Part],
    axes: Mapping[str, _Axis],
    around: frozenset[str],
    generator: nodes.Generator,
) -> list[_Part]:
    """The parts, one of which is 0 where an index isn't taken, for each index of that kind.

    A part that has all that the range depends on is 0 there at no cost; where there is none, ones
    and zeros are a part of their own.
    """
    found = list(parts)
    for name, axis in axes.items():
        if not axis.has_gaps:
            continue
        needed = axis.needs | {name}
        outer = references(axis.clause.iterable) & around
        for place, part in enumerate(found):
            if needed <= part.names and outer <= references(part.product):
                found[place] = replace(part, gaps=part.gaps | {name})
                break
        else:
            one = nodes.Number(1, "1", span=generator.span)
            found.append(_Part(needed, one, frozenset({name})))
    return found


def _product(factors: Sequence[nodes.Expression]) -> nodes.Expression:
    first, *others = factors
    if not others:
        return first
    rest = tuple(("*", factor) for factor in others)
    return nodes.Chain(first, rest, span=first.span.to(others[-1].span))
