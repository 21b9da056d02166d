"""What is computed where an index takes nothing: nothing that could spoil value or derivatives.

`sum(log(i - j) * x[j] for i in range(n) for j in range(i))` is mapped over a square, but log(i - j)
has no value in half of it. There, all indices and what they pick are those of one step that is
taken. Derivatives don't reach what is picked there: a step that is taken alone has them.

Where a body has finite derivatives whatever its entries are, its entries stay: computing what
depends on one index alone for all pairs would cost more. What several indices pick is another
step's even so: it may be infinite in data where nobody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool

from mlodsl.syntax import nodes, walk

from .dependencies import references
from .finiteness import is_finite
from .scope import Pick, Scope, is_variable
from .values import Value
from .walks import whole

Evaluate = Callable[[nodes.Expression, Scope], Value]


def filled(
    scope: Scope,
    inside: Sequence[nodes.Node],
    taken: Bool[Array, ""],
    evaluate: Evaluate,
    zero: nodes.Index | None,
    beyond: str | None,
) -> Scope:
    """The scope of a step, which is that of another step where it isn't taken.

    Arguments:
        inside: what the `for` repeats, then the clauses of the `for`s that follow it.
        taken: whether the step is one of the `for`'s.
        evaluate: gives an expression its value in a scope.
        zero: what is 0 where the step isn't taken.
        beyond: the index, where it is mapped over more than it ever takes.
    """
    one = scope.walks.one()
    finite = all(is_finite(node, scope) for node in inside)
    local = dict(scope.local)
    for name, number in one.items():
        local[name] = jnp.where(taken, _array(local[name]), number)
    picked = dict(scope.picked)
    for root in inside:
        for node in walk(root):
            pick = picked.get(id(node))
            # A body that is an entry and no more is left out of the reduction as it is.
            if pick is None or node is inside[0]:
                continue
            assert isinstance(node, nodes.Index)
            places = [item for item in node.items if not any(item is left for left in pick.items)]
            names = {name for item in places for name in references(item)} & one.keys()
            if node is zero:
                other: Array | float = 0.0
            elif not names or (
                finite and len(names) == 1 and (names != {beyond} or is_variable(node.base, scope))
            ):
                continue
            else:
                other = _entry(node, pick, one, scope, evaluate)
            picked[id(node)] = Pick(jnp.where(taken, _array(pick.value), other), pick.items)
    return replace(scope, local=local, picked=picked)


def zero_factor(
    scope: Scope, inside: Sequence[nodes.Node], needed: frozenset[str]
) -> nodes.Index | None:
    """A factor of a sum's terms that can be 0 where a step isn't taken, so that the terms are.

    Arguments:
        inside: the terms, then the clauses of the `for`s that follow it.
        needed: the indices that tell whether a step is taken.
    """
    body = inside[0]
    if not isinstance(body, nodes.Chain) or any(operator not in "*/" for operator, _ in body.rest):
        return None
    for factor in (body.first, *(operand for operator, operand in body.rest if operator == "*")):
        if isinstance(factor, nodes.Index) and id(factor) in scope.picked:
            left = scope.picked[id(factor)].items
            places = [item for item in factor.items if not any(item is other for other in left)]
            if needed <= {name for item in places for name in references(item)}:
                return factor if all(is_finite(node, scope) for node in inside) else None
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
