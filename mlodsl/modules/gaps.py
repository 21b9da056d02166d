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

from mlodsl.check import FunctionInfo
from mlodsl.syntax import nodes, walk
from mlodsl.syntax.walk import children

from .dependencies import references
from .scope import Pick, Scope
from .values import Value
from .walks import whole

Evaluate = Callable[[nodes.Expression, Scope], Value]

# Of these, values and derivatives of all orders are finite at all finite arguments.
_FINITE = frozenset(
    """
    sin cos tanh arctan sigmoid relu softplus elu gelu square huber logistic_loss abs sign floor
    where maximum minimum clip sum mean max min prod dot sumsq norm1 norm2 norm_inf trace outer
    logsumexp softmax log_softmax cumsum zeros ones eye
    """.split()  # noqa: SIM905
)


def filled(
    scope: Scope, inside: Sequence[nodes.Node], taken: Bool[Array, ""], evaluate: Evaluate
) -> Scope:
    """The scope of a step, which is that of another step where it isn't taken.

    Arguments:
        inside: what the `for` repeats, then the clauses of the `for`s that follow it.
        taken: whether the step is one of the `for`'s.
        evaluate: gives an expression its value in a scope.
    """
    one = scope.walks.one()
    finite = all(_is_finite(node, scope.functions) for node in inside)
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
            if len(names) > (1 if finite else 0):
                value = jnp.where(
                    taken, _array(pick.value), _entry(node, pick, one, scope, evaluate)
                )
                picked[id(node)] = Pick(value, pick.items)
    return replace(scope, local=local, picked=picked)


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


def _is_finite(node: nodes.Node, functions: Mapping[str, FunctionInfo]) -> bool:
    """Whether an expression has finite derivatives whatever finite entries it is given."""
    match node:
        case nodes.Chain(_, rest):
            for operator, operand in rest:
                if operator == "/" and not (isinstance(operand, nodes.Number) and operand.value):
                    return False
        case nodes.Power(_, exponent):
            whole_number = isinstance(exponent, nodes.Number) and isinstance(exponent.value, int)
            if not whole_number:
                return False
        case nodes.Call(function):
            if function.name in functions:
                if not _is_finite(functions[function.name].body, functions):
                    return False
            elif function.name == "range":
                return True
            elif function.name not in _FINITE:
                return False
        case nodes.Index(base):
            return _is_finite(base, functions)
    return all(_is_finite(child, functions) for child in children(node))
