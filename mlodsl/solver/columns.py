"""An argument of several lanes' requests: what of it is static, and its arrays, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import equinox as eqx
import jax
import numpy as np

from mlodsl.modules import Problem

from .lanes import Each
from .nest import Nest

# Arguments whose shapes are remembered: some for each lane, and not all that a search makes.
_MOST_KNOWN = 10_000


class Mark(NamedTuple):
    """What is static of an array: its shape (of `Each` that of a row) and type."""

    shape: tuple[int, ...]
    dtype: np.dtype
    each: bool


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What is static of an argument of several leaves. Of equal ones there is one object alone:
    to compare structures, time and again, would take longer than to compute with them.

    Arguments:
        structure: problems in it are leaves.
        static: the leaves that aren't arrays, by number; problems are `Problem` itself.
    """

    structure: Any
    static: tuple[tuple[int, Any], ...]


# What is static of an argument: of an array, of a tuple of arrays, of several leaves, of none.
Part: TypeAlias = Mark | tuple[Mark, ...] | Shape | str | int | None


@dataclass(slots=True)
class Column:
    """An argument of several requests.

    Arguments:
        part: what is static of it, the same in all of them.
        arrays: for each array in it those of all requests.
    """

    part: Part
    arrays: Sequence[Sequence[Any]]

    @property
    def is_each(self) -> bool:
        """Whether each row of a call of many has its own."""
        return isinstance(self.part, Mark) and self.part.each

    def stacked(self, counts: Sequence[int] | None) -> list[np.ndarray]:
        """Its arrays, those of all requests along the first axis.

        Arguments:
            counts: how many rows each request has, of calls of many.
        """
        if self.is_each:
            return [np.concatenate(self.arrays[0])]
        found = [_stacked(arrays) for arrays in self.arrays]
        return found if counts is None else [np.repeat(one, counts, axis=0) for one in found]


def shape_of(part: Part) -> Shape:
    """What is static of an argument as a structure and leaves."""
    if isinstance(part, Shape):
        return part
    if isinstance(part, tuple):
        return Shape(jax.tree.structure(0 if isinstance(part, Mark) else (0,) * len(part)), ())
    return Shape(jax.tree.structure(part), () if part is None else ((0, part),))


class Shapes:
    """The shapes of arguments that are known."""

    def __init__(self) -> None:
        self._shapes: dict[Any, Shape] = {}
        # By identity, with references to the objects, so that no others take their place.
        self._known: dict[int, tuple[Any, Shape, list[Any]]] = {}
        self._nests: dict[tuple[int, ...], tuple[Any, Shape, list[Any]]] = {}

    def column(self, values: Sequence[Any]) -> Column | None:
        """The argument's values of several requests, at least one, as a column; None where they
        differ in what is static."""
        kind, *others = set(map(type, values))
        if others:
            return None
        if kind is np.ndarray:
            return _arrays(values, {(one.shape, one.dtype) for one in values}, each=False)
        if kind is Each:
            rows = [one.rows for one in values]
            return _arrays(rows, {(one.shape[1:], one.dtype) for one in rows}, each=True)
        first = values[0]
        if first is None or kind is str or kind is int:
            return Column(first, []) if len(set(values)) == 1 else None
        if kind is tuple and all(type(one) is np.ndarray for one in first):
            return self._tuples(values)
        leaves = [self._leaves(value) for value in values]
        shape = leaves[0][0]
        if any(one is not shape for one, _ in leaves):
            return None
        return Column(shape, list(zip(*(arrays for _, arrays in leaves), strict=True)))

    def _tuples(self, values: Sequence[tuple[Any, ...]]) -> Column | None:
        if len(set(map(len, values))) > 1:
            return None
        marks: list[Mark] = []
        arrays: list[Sequence[Any]] = []
        for entries in zip(*values, strict=True):
            column = self.column(entries)
            if column is None or not isinstance(column.part, Mark):
                return None
            marks.append(column.part)
            arrays += column.arrays
        return Column(tuple(marks), arrays)

    def _leaves(self, argument: Any) -> tuple[Shape, list[Any]]:
        """What is static of an argument, and its arrays."""
        known = self._known.get(id(argument))
        if known is not None:
            return known[1:]
        if len(self._known) + len(self._nests) > _MOST_KNOWN:
            self._known.clear()
            self._nests.clear()
        if isinstance(argument, Nest):
            assert type(argument.game) is Problem
            # Those of different instances differ in their problems alone, most of the time.
            others = tuple(value for name, value in vars(argument).items() if name != "game")
            key = tuple(map(id, others))
            alike = self._nests.get(key)
            if alike is None:
                alike = self._nests[key] = (others, *self._flattened(argument))
            self._known[id(argument)] = (argument, *alike[1:])
            return alike[1:]
        shape, arrays = self._flattened(argument)
        if isinstance(argument, Problem):
            self._known[id(argument)] = (argument, shape, arrays)
        return shape, arrays

    def _flattened(self, argument: Any) -> tuple[Shape, list[Any]]:
        with_problem = isinstance(argument, Nest | Problem)
        leaves, structure = jax.tree.flatten(
            argument, is_leaf=_is_problem if with_problem else None
        )
        arrays: list[Any] = []
        static, marks = [], []
        for number, leaf in enumerate(leaves):
            if isinstance(leaf, np.ndarray) or eqx.is_array(leaf):
                arrays.append(leaf)
                marks.append((leaf.shape, leaf.dtype))
            else:
                static.append((number, Problem if _is_problem(leaf) else leaf))
        key = (structure, tuple(static), tuple(marks))
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes.setdefault(key, Shape(structure, key[1]))
        return shape, arrays


def _stacked(arrays: Sequence[Any]) -> np.ndarray:
    first = arrays[0]
    if all(one is first for one in arrays):
        return np.broadcast_to(first, (len(arrays), *first.shape))
    return np.array(arrays)


def _arrays(
    arrays: Sequence[Any], found: set[tuple[tuple[int, ...], np.dtype]], *, each: bool
) -> Column | None:
    return Column(Mark(*found.pop(), each), [arrays]) if len(found) == 1 else None


def _is_problem(leaf: Any) -> bool:
    return type(leaf) is Problem
