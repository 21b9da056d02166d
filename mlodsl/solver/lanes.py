"""Many solves side by side, each a lane, whose compiled calls are made together.

The solver's host code (the loop's bookkeeping, the certificate) is written for one instance and
asks compiled code for numbers. Here each instance runs that very code in a lane of its own, a
greenlet: where it asks, it waits; once all lanes wait, those that ask for the same go through one
compiled program that is vectorised over lanes. So an instance of a batch is judged by nothing
less than a solve alone, and compiled programs serve every value of the params.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import equinox as eqx
import jax
import numpy as np
from greenlet import getcurrent, greenlet

from mlodsl.modules import Problem

from .clock import seconds
from .compiling import compiled
from .nest import Nest

Found = TypeVar("Found")
Judge: TypeAlias = Callable[..., tuple[np.ndarray, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The static part of an argument; there is one object for all lanes, equal to itself alone.

    (Comparing structures, time and again, would take longer than computing with them.)

    Arguments:
        static: the leaves that aren't arrays, by number.
        arrays: how many arrays there are.
    """

    structure: Any
    static: tuple[tuple[int, Any], ...]
    arrays: int


_ARRAY = jax.tree.structure(0)

# An argument in a key: of an array its shape (of `Each` without the rows) and type.
Part: TypeAlias = Shape | tuple[Any, ...] | str | int | None


def shape_of(part: Part) -> Shape:
    """The static part of an argument as it stands in a key, where constants are themselves."""
    if isinstance(part, Shape):
        return part
    if isinstance(part, tuple):
        return Shape(_ARRAY, (), 1)
    return Shape(jax.tree.structure(part), () if part is None else ((0, part),), 0)


def has_rows(part: Part) -> bool:
    """Whether a part of a key is of an argument that is `Each`."""
    return isinstance(part, tuple) and len(part) == 3


# The static part of an argument, and its arrays.
_Leaves: TypeAlias = tuple[Shape, Sequence[Any]]


@dataclass(slots=True, eq=False)
class Each:
    """An argument of which each row of a call of many has its own; rows along the first axis."""

    rows: np.ndarray


@dataclass(slots=True)
class Request:
    """What a lane asks for: requests of equal keys go together.

    Arguments:
        key: the function, what picks and judges, how many arguments are for the judge; and all
            arguments, a `Part` each.
        arrays: of a call of many those of `Each` with their rows, others once for all.
        rows: how many a call of many has; None for a plain one.
    """

    key: tuple[Any, ...]
    arrays: list[Any]
    rows: int | None


class Lane(greenlet):
    """One instance's host code.

    Arguments:
        program: what it runs.
        index: of the lane among all.
        shapes: those of arguments that are known, shared by all lanes.
    """

    def __init__(self, program: Callable[[], Any], index: int, shapes: dict[Any, Shape]) -> None:
        super().__init__(program)
        self.index = index
        self._shapes = shapes
        self.seconds = 0.0
        self.resumed = 0.0
        self._known: dict[int, tuple[Any, _Leaves]] = {}

    def ask(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        pick: Callable[[Any], Any] | None = None,
        judge: Callable[..., Any] | None = None,
        given: tuple[Any, ...] = (),
    ) -> Any:
        """The function's value, computed with those of other lanes; waits for them.

        Arguments:
            pick, judge, given: of a call of many, as in `Joined.of_many`.
        """
        key: list[Any] = [function, pick, judge, len(given)]
        arrays: list[Any] = []
        rows: int | None = None
        for argument in (*arguments, *given):
            kind = type(argument)
            if kind is Each:
                own = argument.rows
                rows = len(own)
                key.append((own.shape[1:], own.dtype, Each))
                arrays.append(own)
            elif kind is np.ndarray:
                key.append((argument.shape, argument.dtype))
                arrays.append(argument)
            elif argument is None or kind is str or kind is int:
                key.append(argument)
            else:
                known = self._known.get(id(argument))
                shape, leaves = self._leaves(argument) if known is None else known[1]
                key.append(shape)
                arrays += leaves
        scheduler = self.parent
        assert scheduler is not None
        return scheduler.switch(Request(tuple(key), arrays, rows))

    def _leaves(self, argument: Any) -> _Leaves:
        """The static part of an argument, and its arrays."""
        kept = isinstance(argument, Nest | Problem)
        leaves, structure = jax.tree.flatten(argument, is_leaf=_is_problem if kept else None)
        arrays, static, marks = [], [], []
        for number, leaf in enumerate(leaves):
            if isinstance(leaf, np.ndarray) or eqx.is_array(leaf):
                arrays.append(leaf)
                marks.append((leaf.shape, leaf.dtype))
            else:
                static.append((number, Problem if _is_problem(leaf) else leaf))
        key = (structure, tuple(static), tuple(marks))
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes.setdefault(key, Shape(structure, key[1], len(arrays)))
        if kept:
            # With a reference to it, so that no other object takes its place in memory.
            self._known[id(argument)] = (argument, (shape, arrays))
        return shape, arrays


def _is_problem(leaf: Any) -> bool:
    return type(leaf) is Problem


class Joined(Generic[Found]):
    """A compiled function; in a lane, its calls are made together with those of other lanes.

    Its arrays may be NumPy's. Problems among its arguments are the lane's own.
    """

    def __init__(self, function: Callable[..., Found]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._alone = compiled(function)

    def __call__(self, *arguments: Any) -> Found:
        """The function's value."""
        lane = getcurrent()
        if isinstance(lane, Lane):
            found: Found = lane.ask(self._function, arguments)
            return found
        return self._alone(*arguments)

    def of_many(
        self,
        pick: Callable[[Found], tuple[Any, ...]],
        *arguments: Any,
        judge: Judge | None = None,
        given: tuple[Any, ...] = (),
    ) -> tuple[np.ndarray, ...]:
        """The function for each row of the arguments that are `Each`; in a lane at once.

        Arguments:
            pick: the arrays that are wanted of a value; one function for all calls.
            judge: what else is wanted, as arrays, by those arrays and what is given, each with
                rows along the first axis; one function for all calls.
            given: arrays of `Each` have the rows; others are repeated.

        Returns:
            Those arrays, rows along the first axis, and what `judge` makes of them.
        """
        lane = getcurrent()
        if isinstance(lane, Lane):
            found: tuple[np.ndarray, ...] = lane.ask(self._function, arguments, pick, judge, given)
            return found
        count = next(len(one.rows) for one in arguments if type(one) is Each)
        found = in_rows(
            pick(self._alone(*(one.rows[row] if type(one) is Each else one for one in arguments)))
            for row in range(count)
        )
        return judged(found, judge, given)


def joined(function: Callable[..., Found]) -> Joined[Found]:
    """The function, compiled, for lanes to call together."""
    return Joined(function)


def judged(
    found: tuple[np.ndarray, ...], judge: Judge | None, given: tuple[Any, ...]
) -> tuple[np.ndarray, ...]:
    """Rows of arrays, and what `judge` makes of them, as in `Joined.of_many`."""
    if judge is None:
        return found
    count = len(found[0])
    rows = (
        one.rows if type(one) is Each else np.repeat(np.asarray(one)[None], count, axis=0)
        for one in given
    )
    return (*found, *judge(*found, *rows))


def in_rows(found: Iterable[tuple[Any, ...]]) -> tuple[np.ndarray, ...]:
    """Equally shaped arrays of several calls, stacked along the first axis."""
    return tuple(
        np.stack([np.asarray(one) for one in column]) for column in zip(*found, strict=True)
    )


def in_tuple(found: Found) -> tuple[Found]:
    """A value that is one array, for `Joined.of_many`."""
    return (found,)


def in_lane() -> bool:
    """Whether the caller is one of several solves side by side."""
    return isinstance(getcurrent(), Lane)


def clock() -> float:
    """Seconds on a clock that in a lane counts the lane's own share alone."""
    lane = getcurrent()
    now = seconds()
    return lane.seconds + now - lane.resumed if isinstance(lane, Lane) else now
