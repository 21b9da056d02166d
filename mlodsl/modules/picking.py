"""What the index of a `for` picks, taken out of the `for` as a slice.

In `sum(K[i, j] * x[i + 1] for i in range(n) for j in range(n))` the entries that an index picks
stand in a row. Mapped over a slice, each step sees its entry; mapped over the index, each step
would look its entry up: a gather, and a scatter in the gradient, several times slower than slices.

An entry is taken out where the array doesn't depend on what the `for`s inside bind, the index is
a whole multiple of the `for`'s plus a whole number, and all that it picks lies inside the array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import jax
from jaxtyping import Array

from mlodsl.syntax import nodes, walk
from mlodsl.syntax.walk import children

from .dependencies import references
from .scope import Pick, Scope
from .values import Value

Evaluate = Callable[[nodes.Expression, Scope], Value]


@dataclass(frozen=True, slots=True)
class Row:
    """What one expression picks over a whole `for`.

    Arguments:
        node: the expression.
        array: its entries along `axis`, in the order of the `for`.
        items: the indices that are left for each of them.
    """

    node: nodes.Index
    array: Array
    axis: int
    items: tuple[nodes.Expression | nodes.Slice, ...]


def rows_of(
    name: str, indices: range, inside: Sequence[nodes.Node], scope: Scope, evaluate: Evaluate
) -> list[Row]:
    """What an index that takes each of `indices` picks in expressions, as far as it is a slice.

    Arguments:
        name: of the index.
        inside: what the `for` repeats, and the clauses of the `for`s that follow it.
        scope: around the `for`.
    """
    bound = {name, *(identifier.name for root in inside for identifier in _bound_in(root))}
    found: list[Row] = []
    # In the document's order: XLA fuses a gradient best whose parts come in the formula's order.
    waiting: list[nodes.Node] = list(reversed(inside))
    while waiting:
        node = waiting.pop()
        row = None
        if isinstance(node, nodes.Index):
            row = _row(node, name, indices, bound, scope, evaluate)
        if row is None:
            waiting.extend(reversed(children(node)))
        else:
            found.append(row)
    return found


def _bound_in(root: nodes.Node) -> Iterator[nodes.Identifier]:
    for node in walk(root):
        if isinstance(node, nodes.ForClause):
            yield from node.names


def _row(
    node: nodes.Index,
    name: str,
    indices: range,
    bound: set[str],
    scope: Scope,
    evaluate: Evaluate,
) -> Row | None:
    pick = scope.picked.get(id(node))
    items = node.items if pick is None else pick.items
    if pick is None and not bound.isdisjoint(references(node.base)):
        return None
    places = [axis for axis, item in enumerate(items) if name in references(item)]
    if len(places) != 1 or not _is_together(items):
        return None
    (axis,) = places
    line = _line(items[axis], name, scope)
    if line is None or line[0] == 0:
        return None
    base = evaluate(node.base, scope) if pick is None else pick.value
    assert isinstance(base, jax.Array), "the checker lets nothing index a number"
    array = _along(base, axis, indices, *line)
    return None if array is None else Row(node, array, axis, items[:axis] + items[axis + 1 :])


def _is_together(items: Sequence[nodes.Expression | nodes.Slice]) -> bool:
    """Whether no slice stands between indices: then they can be taken one after the other.

    NumPy moves the axes of indices that are arrays to the front where a slice separates them.
    """
    places = [axis for axis, item in enumerate(items) if not isinstance(item, nodes.Slice)]
    return not places or places[-1] - places[0] == len(places) - 1


def _line(node: nodes.Expression | nodes.Slice, name: str, scope: Scope) -> tuple[int, int] | None:
    """Whole numbers a and b such that the expression is a · index + b; None where there are none
    that are known."""
    match node:
        case nodes.Number(value=value):
            return (0, value) if isinstance(value, int) else None
        case nodes.Name(other):
            if other == name:
                return 1, 0
            known = scope.local.get(other, scope.names.get(other))
            whole = isinstance(known, int) and not isinstance(known, bool)
            return (0, int(known)) if whole else None  # type: ignore[arg-type]
        case nodes.Negation(operand):
            inner = _line(operand, name, scope)
            return None if inner is None else (-inner[0], -inner[1])
        case nodes.Chain(first, rest):
            result = _line(first, name, scope)
            for operator, operand in rest:
                other_line = _line(operand, name, scope)
                if result is None or other_line is None:
                    return None
                result = _combined(operator, result, other_line)
            return result
    return None


def _combined(
    operator: str, left: tuple[int, int], right: tuple[int, int]
) -> tuple[int, int] | None:
    match operator:
        case "+":
            return left[0] + right[0], left[1] + right[1]
        case "-":
            return left[0] - right[0], left[1] - right[1]
        case "*" if left[0] == 0:
            return left[1] * right[0], left[1] * right[1]
        case "*" if right[0] == 0:
            return right[1] * left[0], right[1] * left[1]
    return None


def _along(base: Array, axis: int, indices: range, factor: int, offset: int) -> Array | None:
    """The entries at factor · index + offset; None where one of them lies outside."""
    length = base.shape[axis]
    first, last = (factor * index + offset for index in (indices[0], indices[-1]))
    if first < 0 and last < 0:
        first, last = first + length, last + length
    if not (0 <= first < length and 0 <= last < length):
        return None
    step = factor * indices.step
    lowest, highest = min(first, last), max(first, last)
    array = jax.lax.slice_in_dim(base, lowest, highest + 1, abs(step), axis)
    return jax.lax.rev(array, (axis,)) if step < 0 else array


def picks(rows: Sequence[Row], values: Sequence[Array]) -> dict[int, Pick]:
    """What stands for the expressions in one step of the `for`.

    Arguments:
        values: of each row, what it has for the step.
    """
    return {id(row.node): Pick(value, row.items) for row, value in zip(rows, values, strict=True)}


def axis_around(
    indices: range, name: str, inside: Sequence[nodes.Node], scope: Scope, evaluate: Evaluate
) -> range:
    """A whole axis where an index takes nearly all of it: a part of a matrix is a copy.

    Only where all that the index picks stands there.
    """
    lengths = set()
    for node in (node for root in inside for node in walk(root)):
        if not isinstance(node, nodes.Index) or name not in references(node):
            continue
        names = references(node.base)
        if any(scope.known(other) is None for other in names) or names & scope.walks.names:
            return indices
        shape = jax.eval_shape(lambda node=node: evaluate(node.base, scope)).shape
        for axis, item in enumerate(node.items):
            if name in references(item):
                lengths.add(shape[axis] if isinstance(item, nodes.Name) else 0)
    whole = range(max(lengths, default=0))
    few = len(whole) - len(indices) <= 1 + len(indices) // 16
    inner = indices.step == 1 and indices.start >= 0 and indices.stop <= len(whole)
    return whole if len(lengths) == 1 and few and inner else indices
