"""What is computed where an index takes nothing: nothing that could spoil value or derivatives.

`sum(log(i - j) * x[j] for i in range(n) for j in range(i))` is mapped over a square, but log(i - j)
has no value in half of it. There, all indices and what they pick are those of one step that is
taken. Derivatives don't reach what is picked there: a step that is taken alone has them.

Where a body has finite derivatives whatever its finite entries are, those of variables stay, and
others, which may be infinite where nobody looks, are 0. They stay as well where they are those of
a step that is taken for other indices: computing what depends on one index alone for all pairs
would cost more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool

from mlodsl.syntax import nodes, walk

from .dependencies import references
from .finiteness import is_finite, stays_finite
from .picking import Row
from .scope import Pick, Scope, is_variable
from .values import Value
from .walks import whole

Evaluate = Callable[[nodes.Expression, Scope], Value]


def filled(
    scope: Scope,
    inside: Sequence[nodes.Node],
    name: str,
    taken: Bool[Array, ""],
    some: Bool[Array, ""] | None,
    evaluate: Evaluate,
    zero: nodes.Index | None,
) -> Scope:
    """The scope of a step, which is that of another step where it isn't taken.

    Arguments:
        inside: what the `for` repeats, then the clauses of the `for`s that follow it.
        name: of the `for`'s index.
        taken: whether the step is one of the `for`'s.
        some: whether any step is, for the indices around it; None: one is for all of them.
        evaluate: gives an expression its value in a scope.
        zero: what is 0 where the step isn't taken.
    """
    one = scope.walks.one()
    around = scope.walks.taken
    taken = taken if around is None else taken & around
    some = around if some is None else some if around is None else some & around
    finite = all(is_finite(node, scope) for node in inside)
    local = dict(scope.local)
    for index, number in one.items():
        local[index] = jnp.where(taken, _array(local[index]), number)
    picked = dict(scope.picked)
    for root in inside:
        for node in walk(root):
            pick = picked.get(id(node))
            # A body that is an entry and no more is left out of the reduction as it is.
            if pick is None or node is inside[0]:
                continue
            assert isinstance(node, nodes.Index)
            names = {name for item in node.items for name in references(item)} & one.keys()
            stays: Bool[Array, ""] | None = taken
            if finite and node is not zero:
                stays = _stays(node, names, name, taken, some, scope)
            if stays is not None:
                other: Array | int = 0 if finite else _entry(node, pick, one, scope, evaluate)
                value = jnp.where(stays, _array(pick.value), other)
                picked[id(node)] = Pick(value, pick.items)
    walks = replace(scope.walks, taken=taken)
    return replace(scope, local=local, picked=picked, walks=walks)


def _stays(
    node: nodes.Index,
    names: Collection[str],
    name: str,
    taken: Bool[Array, ""],
    some: Bool[Array, ""] | None,
    scope: Scope,
) -> Bool[Array, ""] | None:
    """Where what an expression picks stays in a body that is finite; None: everywhere."""
    if is_variable(node.base, scope) or _is_own(names, name):
        return None
    return taken if name in names else some


def _is_own(names: Collection[str], name: str) -> bool:
    """Whether an index picks entries alone; `cleared` has left none that no step has."""
    return set(names) == {name}


def cleared(
    rows: Sequence[Row], name: str, indices: range, inside: Sequence[nodes.Node], scope: Scope
) -> list[Row]:
    """What an index picks, 0 where it is taken for none of the indices around it.

    Only for a body that is finite whatever its finite entries are; others are filled for each step.

    Arguments:
        name: of the index.
        indices: what it is mapped over.
        inside: what its `for` repeats.
        scope: with the index.
    """
    table = scope.walks.table((name,))
    assert table is not None, "there was a table for more indices"
    taken = np.isin(np.arange(indices.start, indices.stop, indices.step), table[name])
    if taken.all() or not all(is_finite(node, scope) for node in inside):
        return list(rows)
    found = []
    for row in rows:
        array = row.array
        if row.node is not inside[0] and not is_variable(row.node.base, scope):
            shape = (-1, *(1 for _ in array.shape[row.axis + 1 :]))
            array = jnp.where(taken.reshape(shape), array, 0)
        found.append(replace(row, array=array))
    return found


def zero_factor(
    scope: Scope, inside: Sequence[nodes.Node], name: str, needed: frozenset[str]
) -> nodes.Index | None:
    """A factor of a sum's terms that can be 0 where a step isn't taken, so that the terms are.

    Arguments:
        inside: the terms, then the clauses of the `for`s that follow it.
        name: of the `for`'s index.
        needed: the indices that tell whether a step is taken.
    """
    body = inside[0]
    known = scope.walks.names

    def is_filled(node: nodes.Index) -> bool:
        names = {other for item in node.items for other in references(item)} & known
        return id(node) in scope.picked and not _is_own(names, name)

    if not isinstance(body, nodes.Chain) or any(operator not in "*/" for operator, _ in body.rest):
        return None
    for factor in (body.first, *(operand for operator, operand in body.rest if operator == "*")):
        if isinstance(factor, nodes.Index) and id(factor) in scope.picked:
            left = scope.picked[id(factor)].items
            places = [item for item in factor.items if not any(item is other for other in left)]
            if needed <= {name for item in places for name in references(item)}:
                return (
                    factor if all(stays_finite(node, scope, is_filled) for node in inside) else None
                )
    return None


def _entry(
    node: nodes.Index, pick: Pick, one: Mapping[str, int], scope: Scope, evaluate: Evaluate
) -> Array:
    """What an expression picks in one step; a constant for derivatives."""
    base = _array(evaluate(node.base, scope))

    def known(name: str) -> object:
        return one.get(name, scope.known(name))

    keys = [
        slice(None) if any(item is left for left in pick.items) else whole(item, {}, known)
        for item in node.items
    ]
    return lax.stop_gradient(base[tuple(keys)])


def _array(value: Value) -> Array:
    assert isinstance(value, jax.Array), "indices that are mapped, and what they pick, are arrays"
    return value
