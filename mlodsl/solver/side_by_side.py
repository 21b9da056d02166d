"""What resumes lanes, and makes their calls together, by compiled programs of many rows."""

from __future__ import annotations

import functools
import gc
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from mlodsl.modules import Problem

from .columns import Column, Part, Shapes, shape_of
from .compiling import jit_soon
from .lanes import Lane, Request

Found = TypeVar("Found")

# Requests for the same function, each of a lane.
_Group: TypeAlias = list[tuple[Lane, Request]]

# Few requests are padded to so many, more of them to all lanes: two programs of each function.
FEW_LANES = 8

# So many new objects before Python looks for cycles among them.
_OBJECTS = 100_000


@dataclass(frozen=True, slots=True)
class Stack:
    """The problems of all lanes: what they share, and what each has of its own.

    Arguments:
        problem: one of them.
        own: its leaves by number, each stacked over lanes along the first axis.
    """

    problem: Problem
    own: dict[int, Array]

    def lane(self, index: int) -> Problem:
        """The problem of a lane; its own leaves are NumPy arrays."""
        leaves, structure = jax.tree.flatten(self.problem)
        for number, stacked in self.own.items():
            leaves[number] = np.asarray(stacked)[index, ...]
        found: Problem = jax.tree.unflatten(structure, leaves)
        return found


@dataclass(frozen=True, slots=True)
class _Form:
    """What of a request is static: a program is compiled for each.

    Arguments:
        arguments: the structure of the arguments, problems in them as leaves.
        static: of each argument, leaves that aren't arrays, by number; problems are `Problem`
            itself.
        own: the numbers of the problem's leaves that each lane has of its own.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    static: tuple[tuple[tuple[int, Any], ...], ...]
    problem: Any
    own: tuple[int, ...]


def run_lanes(
    stack: Stack, width: int, program: Callable[[Problem], Found], count: int
) -> list[Found]:
    """program(problem of a lane) for the first `count` lanes of a stack of `width`."""
    with _RARELY_COLLECTED:
        return _Scheduler(stack, width).run(program, count)


class _RareCollection:
    """Inside of it Python looks for cycles of garbage after more objects: it would do so for a
    quarter of the time that a batch of small instances takes, and finds next to none.

    The threshold is the process's: the last of several at a time puts it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = (0, 0, 0)

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._before = gc.get_threshold()
                first, *others = self._before
                gc.set_threshold(first and max(first, _OBJECTS), *others)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                gc.set_threshold(*self._before)


_RARELY_COLLECTED = _RareCollection()


@dataclass(slots=True)
class _Scheduler:
    """Resumes lanes, collects what they ask for, and computes the largest group of it."""

    stack: Stack
    width: int
    shapes: Shapes = field(default_factory=Shapes)
    waiting: dict[tuple[Any, ...], _Group] = field(default_factory=dict)
    forms: dict[tuple[Any, ...], _Form] = field(default_factory=dict)
    shared: list[Any] = field(init=False)
    structure: Any = field(init=False)

    def __post_init__(self) -> None:
        leaves, self.structure = jax.tree.flatten(self.stack.problem)
        own = self.stack.own
        self.shared = [leaf for number, leaf in enumerate(leaves) if number not in own]

    def run(self, program: Callable[[Problem], Found], count: int) -> list[Found]:
        found: dict[int, Found] = {}
        for index in range(count):
            problem = self.stack.lane(index)
            lane = Lane(functools.partial(program, problem), index)
            self._resume(lane, (), found)
        while self.waiting:
            key = max(self.waiting, key=lambda one: len(self.waiting[one]))
            began = time.perf_counter()
            group, columns, others = self._alike(self.waiting.pop(key))
            if others:
                self.waiting[key] = others
            for lane, answer in self._answers(group, columns, began):
                self._resume(lane, (answer,), found)
        return [found[index] for index in range(count)]

    def _resume(self, lane: Lane, answer: tuple[Any, ...], found: dict[int, Any]) -> None:
        lane.resumed = time.perf_counter()
        reply = lane.switch(*answer)
        lane.seconds += time.perf_counter() - lane.resumed
        if lane.dead:
            found[lane.index] = reply
        else:
            key = (reply.function, reply.pick, reply.judge, len(reply.arguments))
            self.waiting.setdefault(key, []).append((lane, reply))

    def _alike(self, group: _Group) -> tuple[_Group, list[Column], _Group]:
        """The largest part of a group whose arguments differ in numbers alone, these arguments, and
        the others of the group."""
        columns = self._columns(group)
        if columns is not None:
            return group, columns, []
        parted: dict[tuple[Part, ...], _Group] = {}
        for one in group:
            own = self._columns([one])
            assert own is not None
            parted.setdefault(tuple(column.part for column in own), []).append(one)
        alike, *others = sorted(parted.values(), key=len, reverse=True)
        columns = self._columns(alike)
        assert columns is not None
        return alike, columns, list(itertools.chain.from_iterable(others))

    def _columns(self, group: _Group) -> list[Column] | None:
        """The arguments, and what is given to a judge; None where requests aren't alike."""
        found = []
        for values in zip(*((*one.arguments, *one.given) for _, one in group), strict=True):
            column = self.shapes.column(values)
            if column is None:
                return None
            found.append(column)
        return found

    def _answers(
        self, group: _Group, columns: list[Column], began: float
    ) -> Iterator[tuple[Lane, Any]]:
        """What each lane of a group asked for, its share of the time since `began` counted."""
        request = group[0][1]
        counts = next((list(map(len, one.arrays[0])) for one in columns if one.is_each), None)
        lanes = np.array([lane.index for lane, _ in group], np.int32)
        if counts is not None:
            lanes = np.repeat(lanes, counts)
        arrays = [one for column in columns for one in column.stacked(counts)]
        form = self._form(request.function, columns[: len(request.arguments)])
        given = len(arrays) - len(request.given)
        leaves, structure = self._computed(form, request.pick, lanes, arrays[:given])
        if counts is None:
            # A list of an array has its rows, as views.
            found: Iterable[Any] = zip(*map(list, leaves), strict=True)
        else:
            if request.judge is not None:
                leaves += request.judge(*leaves, *arrays[given:])
            ends = itertools.accumulate(counts)
            found = (
                tuple(leaf[end - count : end] for leaf in leaves)
                for count, end in zip(counts, ends, strict=True)
            )
        share = (time.perf_counter() - began) / len(group)
        for (lane, _), row in zip(group, found, strict=True):
            lane.seconds += share
            yield lane, structure.unflatten(row) if counts is None else row

    def _computed(
        self,
        form: _Form,
        pick: Callable[[Any], Any] | None,
        lanes: np.ndarray,
        arrays: list[np.ndarray],
    ) -> tuple[list[np.ndarray], Any]:
        """The leaves of the values, rows along the first axis, and their structure."""
        pieces = []
        structure: Any = None
        for first in range(0, len(lanes), self.width):
            piece = slice(first, first + self.width)
            count = len(lanes[piece])
            padded = min(FEW_LANES, self.width) if count <= FEW_LANES else self.width
            mine = [_padded(one[piece], padded) for one in (lanes, *arrays)]
            own = list(self.stack.own.values())
            answer = _compute(form, self.shared, own, mine[0], mine[1:])
            leaves, structure = jax.tree.flatten(answer if pick is None else pick(answer))
            pieces.append([np.asarray(leaf)[:count] for leaf in leaves])
        if len(pieces) == 1:
            return pieces[0], structure
        return [np.concatenate(column) for column in zip(*pieces, strict=True)], structure

    def _form(self, function: Callable[..., Any], columns: Sequence[Column]) -> _Form:
        key = (function, *(column.part for column in columns))
        form = self.forms.get(key)
        if form is None:
            arguments = [shape_of(column.part) for column in columns]
            structures = tuple(one.structure for one in arguments)
            static = tuple(one.static for one in arguments)
            form = _Form(function, structures, static, self.structure, tuple(self.stack.own))
            self.forms[key] = form
        return form


def _padded(array: np.ndarray, length: int) -> np.ndarray:
    """With the first row again and again at its end."""
    missing = length - len(array)
    if missing == 0:
        return array
    return np.concatenate([array, np.broadcast_to(array[:1], (missing, *array.shape[1:]))])


def _side_by_side(
    form: _Form, shared: list[Array], own: list[Array], lanes: Array, arrays: list[Array]
) -> PyTree:
    """A function at the arguments of several lanes, vectorised over them."""

    def of_lane(lane: Array, arrays: list[Array]) -> PyTree:
        problem = _merge_problem(form, shared, [stacked[lane] for stacked in own])
        return form.function(*_merge_arguments(form, problem, arrays))

    return jax.vmap(of_lane)(jnp.asarray(lanes), arrays)


_compute = jit_soon(_side_by_side, static=0)


def _merge_problem(form: _Form, shared: list[Array], own: list[Array]) -> Problem:
    mine, others = dict(zip(form.own, own, strict=True)), iter(shared)
    count = len(shared) + len(own)
    leaves = [mine[number] if number in mine else next(others) for number in range(count)]
    found: Problem = jax.tree.unflatten(form.problem, leaves)
    return found


def _merge_arguments(form: _Form, problem: Problem, arrays: list[Array]) -> list[Any]:
    waiting = iter(arrays)
    merged = []
    for structure, static in zip(form.arguments, form.static, strict=True):
        fixed: dict[int, Any] = dict(static)
        leaves = [
            (problem if fixed[number] is Problem else fixed[number])
            if number in fixed
            else next(waiting)
            for number in range(structure.num_leaves)
        ]
        merged.append(jax.tree.unflatten(structure, leaves))
    return merged
