"""Which whole numbers the indices of `for`s take together, known while they are mapped.

`for i in range(n) for j in range(i)` takes the pairs of a triangle. Mapped over all pairs of a
rectangle around it, each step says whether its pair is one of the triangle.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Array, Bool

from mlodsl.check import BUILTINS, bind_arguments
from mlodsl.syntax import nodes

from .dependencies import references

Table = Mapping[str, np.ndarray]
"""A column of whole numbers for each name, a row for each combination that they take."""

Known = Callable[[str], object]
"""What a name stands for; None where that isn't known."""

LARGEST = 4_000_000
"""Combinations that are looked at; where there are more, the outer `for` is unrolled."""

# A rectangle that is this much wider than its longest row is mapped over steps along the rows.
_TOO_WIDE = 4


@dataclass(frozen=True, slots=True)
class Walks:
    """The whole numbers of all indices around an expression.

    Arguments:
        tables: indices whose ranges depend on each other share one.
        boxes: what indices are to be mapped over, where that is more than they take.
        taken: whether the step that is computed is one of those; None: each is.
    """

    tables: tuple[Table | Mapping[str, range], ...] = ()
    boxes: Mapping[str, range] = field(default_factory=dict)
    taken: Bool[Array, ""] | None = None

    @property
    def names(self) -> frozenset[str]:
        """The indices."""
        return frozenset(name for table in self.tables for name in table)

    def table(self, names: Collection[str]) -> Table | None:
        """What these indices take together, and those that they depend on; None: too much."""
        found: dict[str, np.ndarray] = {}
        count = 1
        for table in self.tables:
            if not table.keys().isdisjoint(names):
                columns = {name: _column(values) for name, values in table.items()}
                length = len(next(iter(columns.values())))
                if count * length > LARGEST:
                    return None
                found = {name: np.repeat(column, length) for name, column in found.items()}
                found |= {name: np.tile(column, count) for name, column in columns.items()}
                count *= length
        return found

    def one(self) -> dict[str, int]:
        """One combination, the first."""
        return {name: int(values[0]) for table in self.tables for name, values in table.items()}

    def joined(self, name: str, values: range) -> Walks:
        """With one more index, which depends on none of them."""
        return replace(self, tables=(*self.tables, {name: values}))

    def count(self, names: Collection[str]) -> int:
        """How many combinations some indices take."""
        product = 1
        for table in self.tables:
            own = [_column(table[name]) for name in table if name in names]
            if len(own) == len(table):
                product *= len(own[0])
            elif own:
                keys = np.zeros(len(own[0]), int)
                for column in own:
                    lowest = column.min()
                    keys = keys * int(column.max() - lowest + 1) + column - lowest
                product *= len(np.unique(keys))
        return product


def _column(values: np.ndarray | range) -> np.ndarray:
    if isinstance(values, range):
        return np.arange(values.start, values.stop, values.step)
    return values


@dataclass(frozen=True, slots=True)
class Walk:
    """What a `for` is mapped over whose range depends on indices around it.

    Arguments:
        indices: its numbers for all of these together; or the steps from the start.
        from_start: whether they are steps.
        has_gaps: whether some are taken for some of the indices around it alone.
        has_empty: whether some of the indices around it take none.
        step: from one number to the next.
        walks: of all indices, this one with them.
    """

    indices: range
    from_start: bool
    has_gaps: bool
    has_empty: bool
    step: int
    walks: Walks


def bounds(clause: nodes.ForClause) -> tuple[nodes.Expression | None, nodes.Expression, int | None]:
    """The start and the stop of a range, and its step as far as the text tells."""
    assert isinstance(clause.iterable, nodes.Call)
    found = bind_arguments("range", BUILTINS["range"].parameters, clause.iterable)
    start, stop, step = (found.get(name) for name in ("start", "stop", "step"))
    if stop is None:
        start, stop = None, start
    known = 1 if step is None else whole(step, {}, lambda name: None)  # type: ignore[arg-type]
    return start, stop, known if isinstance(known, int) else None  # type: ignore[return-value]


def walk_of(clause: nodes.ForClause, walks: Walks, known: Known) -> Walk | None:
    """What a `for` over a range is mapped over; None where that isn't known as whole numbers.

    Arguments:
        walks: of the indices around it.
        known: what other names stand for.
    """
    name = clause.names[0].name
    first, last, step = bounds(clause)
    table = walks.table(references(clause.iterable))
    if table is None or not step:
        return None
    count = len(next(iter(table.values()), (0,)))
    lowest = 0 if first is None else whole(first, table, known)
    end = whole(last, table, known)
    if lowest is None or end is None:
        return None
    start, stop = np.broadcast_to(lowest, (count,)), np.broadcast_to(end, (count,))
    lengths = np.maximum(0, -((start - stop) // step))
    total = int(lengths.sum())
    if total > LARGEST:
        return None
    rows = np.repeat(np.arange(count), lengths)
    along = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    values = start[rows] + step * along
    own = {other: column[rows] for other, column in table.items()} | {name: values}
    others = (other for other in walks.tables if other.keys().isdisjoint(table))
    after = replace(walks, tables=(*others, own))
    if not total:
        return Walk(range(0), False, False, True, step, after)
    has_empty = bool(np.any(lengths == 0))
    if name in walks.boxes:
        return Walk(walks.boxes[name], False, True, has_empty, step, after)
    longest = int(lengths.max())
    indices = range(int(values.min()), int(values.max()) + 1, abs(step))
    in_line = not np.any((values - indices.start) % step)
    if not in_line or len(indices) >= _TOO_WIDE * longest:
        return Walk(range(longest), True, total < count * longest, has_empty, step, after)
    if step < 0:
        indices = indices[::-1]
    return Walk(indices, False, total < count * len(indices), has_empty, step, after)


def leaves_none_out(before: Walks, after: Walks) -> bool:
    """Whether a longer `for` goes on for each combination that a shorter one takes."""
    for table in after.tables:
        shared = sorted(table.keys() & before.names)
        count = len(next(iter(table.values())))
        if count == 0:
            return False
        if shared and len(shared) < len(table):
            earlier = before.table(shared)
            columns = np.stack([_column(table[name]) for name in shared])
            if earlier is None or np.unique(columns, axis=1).shape[1] < _count(earlier, shared):
                return False
    return True


def _count(table: Table, names: Iterable[str]) -> int:
    return int(np.unique(np.stack([table[name] for name in names]), axis=1).shape[1])


def whole(
    node: nodes.Expression | nodes.Slice, table: Table, known: Known
) -> int | np.ndarray | None:
    """What a sum or product of whole numbers and indices is, for each row of a table.

    Returns:
        None: it is something else.
    """
    match node:
        case nodes.Number(value=value):
            return value if isinstance(value, int) else None
        case nodes.Name(name):
            if name in table:
                return table[name]
            found = known(name)
            return int(found) if isinstance(found, int) and not isinstance(found, bool) else None
        case nodes.Negation(operand):
            inner = whole(operand, table, known)
            return None if inner is None else -inner
        case nodes.Chain(first, rest):
            result = whole(first, table, known)
            for operator, operand in rest:
                other = whole(operand, table, known)
                if result is None or other is None or operator not in "+-*":
                    return None
                if operator == "*":
                    result = result * other
                else:
                    result = result + other if operator == "+" else result - other
            return result
    return None
