"""Reductions over an index or over rows: `sum(w[i] * x[i]^2 for i in range(n))`.

The body is traced once and mapped over all indices by `jax.vmap`, so the compiled code
doesn't grow with their number; what the index picks is handed to it entry by entry (`picking`).
A range that depends on an index around it is mapped over all that it takes for any of these, and
what it doesn't take for one of them is left out of the reduction (`walks`, `gaps`).
Where an index must be a Python integer (it bounds a slice, or is a size) its `for` is unrolled
instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mlodsl.check import BUILTINS, bind_arguments
from mlodsl.syntax import nodes

from .dependencies import references
from .functions import FUNCTIONS
from .gaps import cleared, filled, zero_factor
from .picking import axis_around, picks, rows_of
from .scope import Scope
from .values import Value, as_array, whole_number
from .walks import Walk, bounds, walk_of
from .windows import written_out

Evaluate = Callable[[nodes.Expression, Scope], Value]
IsUnrolled = Callable[[nodes.Generator, nodes.ForClause, Scope], bool]


class Terms(NamedTuple):
    """The values of a body over its indices.

    Arguments:
        values: along the first axis in the order of Python, with gaps.
        taken: which of them count; None: all.
    """

    values: Float[Array, "count ..."]
    taken: Bool[Array, " count"] | None

    def with_gaps_as(self, number: float) -> Float[Array, "count ..."]:
        """The values, with a number where none counts."""
        if self.taken is None:
            return self.values
        shape = (-1, *(1 for _ in self.values.shape[1:]))
        return jnp.where(self.taken.reshape(shape), self.values, number)


# What changes nothing in a reduction.
_NEUTRAL = {"sum": 0.0, "prod": 1.0, "max": -jnp.inf, "min": jnp.inf, "logsumexp": -jnp.inf}


def reduced(name: str, terms: Terms) -> Array:
    """The reduction of a name over the first axis."""
    if name == "mean" and terms.taken is not None:
        return jnp.sum(terms.with_gaps_as(0.0), axis=0) / jnp.sum(terms.taken)
    values = terms.values if terms.taken is None else terms.with_gaps_as(_NEUTRAL[name])
    result: Array = FUNCTIONS[name](values, axis=0)
    return result


def collect(
    generator: nodes.Generator,
    scope: Scope,
    evaluate: Evaluate,
    is_unrolled: IsUnrolled,
    for_sum: bool = False,
) -> Terms:
    """The values of the body for all indices.

    Arguments:
        evaluate: gives an expression its value in a scope.
        is_unrolled: whether the index of a clause must be a Python integer.
        for_sum: whether they are added up: then they may be 0 instead of having gaps.
    """
    body = written_out(generator.body, scope.known)
    if body is not generator.body:
        generator = replace(generator, body=body)

    def walk(clauses: Sequence[nodes.ForClause], inner: Scope) -> Terms:
        if not clauses:
            return Terms(as_array(evaluate(generator.body, inner), inner.dtype)[None], None)
        clause, rest = clauses[0], clauses[1:]
        names = [identifier.name for identifier in clause.names]

        def body(*values: Value) -> Terms:
            return walk(rest, inner.inside_for(dict(zip(names, values, strict=True))))

        if not is_range(clause.iterable):
            rows = _rows(clause, inner, evaluate)
            return _flattened(jax.vmap(body)(*rows))
        if not inner.walks.names.isdisjoint(references(clause.iterable)):
            found = walk_of(clause, inner.walks, inner.known)
            if found is not None and found.indices:
                return _over_gaps(found, clause, rest, inner)
        indices = indices_of(clause.iterable, inner, evaluate)
        unrolled = is_unrolled(generator, clause, inner)
        if not indices:
            # Nothing to compute: what an index would give tells the shape.
            if unrolled:
                shape = jax.eval_shape(lambda: body(indices.start)).values.shape
            else:
                shape = jax.eval_shape(body, jax.ShapeDtypeStruct((), int)).values.shape
            return Terms(jnp.zeros((0, *shape[1:]), inner.dtype), None)
        if unrolled:
            return _joined([body(number) for number in indices])
        return _mapped(indices, clause, rest, inner)

    def _mapped(
        indices: range, clause: nodes.ForClause, rest: Sequence[nodes.ForClause], inner: Scope
    ) -> Terms:
        (index,) = clause.names
        rows = rows_of(index.name, indices, [generator.body, *rest], inner, evaluate)
        walks = inner.walks.joined(index.name, indices)

        def step(number: Array, *values: Array) -> Terms:
            return walk(rest, inner.inside_for({index.name: number}, picks(rows, values), walks))

        axes = (0, *(row.axis for row in rows))
        return _flattened(jax.vmap(step, axes)(_numbers(indices), *(row.array for row in rows)))

    def _over_gaps(
        found: Walk, clause: nodes.ForClause, rest: Sequence[nodes.ForClause], inner: Scope
    ) -> Terms:
        (index,) = clause.names
        inside = [generator.body, *rest]
        indices = found.indices
        is_set = index.name in inner.walks.boxes
        if found.has_gaps and not found.from_start and not is_set:
            indices = axis_around(indices, index.name, inside, inner, evaluate)
        first, last, _ = bounds(clause)
        start = jnp.asarray(0 if first is None else evaluate(first, inner))
        stop = jnp.asarray(evaluate(last, inner))
        rows = []
        if not found.from_start:
            rows = rows_of(index.name, indices, inside, inner, evaluate)
            if found.has_gaps:
                after = replace(inner, walks=found.walks)
                rows = cleared(rows, index.name, indices, inside, after)

        def step(number: Array, *values: Array) -> Terms:
            if found.from_start:
                number = start + found.step * number
            here = inner.inside_for({index.name: number}, picks(rows, values), found.walks)
            if not found.has_gaps:
                return walk(rest, here)
            if found.step > 0:
                taken, some = (number >= start) & (number < stop), start < stop
            else:
                taken, some = (number <= start) & (number > stop), start > stop
            needed = references(clause.iterable) & inner.walks.names | {index.name}
            zero = zero_factor(here, inside, index.name, needed) if for_sum else None
            any_step = some if found.has_empty else None
            terms = walk(rest, filled(here, inside, index.name, taken, any_step, evaluate, zero))
            if zero is not None:
                return terms
            also = True if terms.taken is None else terms.taken
            return Terms(terms.values, jnp.broadcast_to(taken & also, terms.values.shape[:1]))

        axes = (0, *(row.axis for row in rows))
        arrays = (row.array for row in rows)
        return _flattened(jax.vmap(step, axes)(_numbers(indices), *arrays))

    return walk(generator.clauses, scope)


def _numbers(indices: range) -> Array:
    return jnp.arange(indices.start, indices.stop, indices.step)


def _flattened(mapped: Terms) -> Terms:
    """Terms along two axes, along one."""
    found: Terms = jax.tree.map(
        lambda array: array.reshape(array.shape[0] * array.shape[1], *array.shape[2:]), mapped
    )
    return found


def _joined(parts: Sequence[Terms]) -> Terms:
    values = jnp.concatenate([part.values for part in parts])
    if all(part.taken is None for part in parts):
        return Terms(values, None)
    taken = [
        jnp.ones(len(part.values), bool) if part.taken is None else part.taken for part in parts
    ]
    return Terms(values, jnp.concatenate(taken))


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
