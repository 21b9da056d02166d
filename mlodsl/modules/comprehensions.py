"""Reductions over an index or over rows: `sum(w[i] * x[i]^2 for i in range(n))`.

The body is traced once and mapped over all indices by `jax.vmap`, so the compiled code
doesn't grow with their number; what the index picks is handed to it entry by entry (`picking`).
Where an index must be a Python integer (it bounds a slice or another range, or is a size) its
`for` is unrolled instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.check import BUILTINS, bind_arguments
from mlodsl.syntax import nodes

from .picking import picks, rows_of
from .scope import Scope
from .values import Value, as_array, whole_number

Evaluate = Callable[[nodes.Expression, Scope], Value]
IsUnrolled = Callable[[nodes.Generator, nodes.ForClause, Scope], bool]


def collect(
    generator: nodes.Generator, scope: Scope, evaluate: Evaluate, is_unrolled: IsUnrolled
) -> Float[Array, "count ..."]:
    """The values of the body for all indices, along a new first axis in the order of Python.

    Arguments:
        evaluate: gives an expression its value in a scope.
        is_unrolled: whether the index of a clause must be a Python integer.
    """

    def walk(clauses: Sequence[nodes.ForClause], inner: Scope) -> Float[Array, "count ..."]:
        if not clauses:
            return as_array(evaluate(generator.body, inner), inner.dtype)[None]
        clause, rest = clauses[0], clauses[1:]
        names = [identifier.name for identifier in clause.names]

        def body(*values: Value) -> Float[Array, "count ..."]:
            return walk(rest, inner.inside_for(dict(zip(names, values, strict=True))))

        if not is_range(clause.iterable):
            rows = _rows(clause, inner, evaluate)
            return _flattened(jax.vmap(body)(*rows))
        indices = indices_of(clause.iterable, inner, evaluate)
        unrolled = is_unrolled(generator, clause, inner)
        if not indices:
            # Nothing to compute: what an index would give tells the shape.
            if unrolled:
                shape = jax.eval_shape(lambda: body(indices.start)).shape
            else:
                shape = jax.eval_shape(body, jax.ShapeDtypeStruct((), int)).shape
            return jnp.zeros((0, *shape[1:]), inner.dtype)
        if unrolled:
            return jnp.concatenate([body(number) for number in indices])
        return _mapped(indices, clause, rest, inner)

    def _mapped(
        indices: range, clause: nodes.ForClause, rest: Sequence[nodes.ForClause], inner: Scope
    ) -> Float[Array, "count ..."]:
        (index,) = clause.names
        rows = rows_of(index.name, indices, [generator.body, *rest], inner, evaluate)

        def step(number: Array, *values: Array) -> Float[Array, "count ..."]:
            return walk(rest, inner.inside_for({index.name: number}, picks(rows, values)))

        along = jnp.arange(indices.start, indices.stop, indices.step)
        axes = (0, *(row.axis for row in rows))
        return _flattened(jax.vmap(step, axes)(along, *(row.array for row in rows)))

    return walk(generator.clauses, scope)


def _flattened(mapped: Float[Array, "outer inner ..."]) -> Float[Array, "count ..."]:
    return mapped.reshape(mapped.shape[0] * mapped.shape[1], *mapped.shape[2:])


def is_range(iterable: nodes.Expression) -> bool:
    """Whether a `for` runs over whole numbers, not over rows."""
    return isinstance(iterable, nodes.Call) and iterable.function.name == "range"


def indices_of(iterable: nodes.Expression, scope: Scope, evaluate: Evaluate) -> range:
    """The whole numbers that a `for` runs over."""
    assert isinstance(iterable, nodes.Call)
    bound = bind_arguments("range", BUILTINS["range"].parameters, iterable)
    found = {
        name: whole_number(evaluate(argument, scope), f"the {name} of `range`")
        for name, argument in bound.items()
        if not isinstance(argument, tuple)
    }
    if "stop" not in found:
        return range(found["start"])
    return range(found["start"], found["stop"], found.get("step", 1))


def _rows(clause: nodes.ForClause, scope: Scope, evaluate: Evaluate) -> list[Array]:
    """What the names of a clause walk over, each along its first axis."""
    iterable = clause.iterable
    items = iterable.items if isinstance(iterable, nodes.TupleLiteral) else (iterable,)
    return [as_array(evaluate(item, scope), scope.dtype) for item in items]
