"""Many solves side by side, each a lane, whose compiled calls are made together.

The solver's host code (the loop's bookkeeping, the certificate) is written for one instance and
asks compiled code for numbers. Here each instance runs that very code in a lane of its own, a
greenlet: where it asks, it waits; once all lanes wait, those that ask for the same go through one
compiled program that is vectorised over lanes. So an instance of a batch is judged by nothing
less than a solve alone, and compiled programs serve every value of the params.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from greenlet import getcurrent, greenlet
from jaxtyping import Array, PyTree

from mlodsl.modules import Problem

from .clock import seconds
from .compiling import compiled
from .nest import Nest

Found = TypeVar("Found")

# Few requests are padded to so many, more of them to all lanes: two programs of each function.
FEW_LANES = 8


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


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """The static part of an argument; there is one object for all lanes, equal to itself alone.

    (Comparing structures, time and again, would take longer than computing with them.)
    """

    structure: Any
    static: tuple[tuple[int, Any], ...]


_ARRAY = _Shape(jax.tree.structure(0), ())


@dataclass(slots=True)
class _Request:
    """What a lane asks for: requests of equal keys go together."""

    key: tuple[Any, ...]
    arrays: list[Any]


class Lane(greenlet):
    """One instance's host code.

    Arguments:
        program: what it runs.
        index: of the lane among all.
        shapes: those of arguments that are known, shared by all lanes.
    """

    def __init__(self, program: Callable[[], Any], index: int, shapes: dict[Any, _Shape]) -> None:
        super().__init__(program)
        self.index = index
        self._shapes = shapes
        self.seconds = 0.0
        self.resumed = 0.0
        self._known: dict[int, tuple[Any, _Shape, list[Any]]] = {}

    def ask(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """The function's value, computed with those of other lanes; waits for them."""
        keys: list[Any] = [function]
        arrays: list[Any] = []
        for argument in arguments:
            key, leaves = self._leaves(argument)
            keys.append(key)
            arrays += leaves
        keys.append(tuple((leaf.shape, leaf.dtype) for leaf in arrays))
        scheduler = self.parent
        assert scheduler is not None
        return scheduler.switch(_Request(tuple(keys), arrays))

    def _leaves(self, argument: Any) -> tuple[_Shape, list[Any]]:
        """The static part of an argument, and its arrays."""
        if isinstance(argument, np.ndarray):
            return _ARRAY, [argument]
        if type(argument) is tuple and all(isinstance(one, np.ndarray) for one in argument):
            return self._shape_of_tuple(len(argument)), list(argument)
        kept = type(argument) in (Nest, Problem)
        if kept and id(argument) in self._known:
            _, shape, arrays = self._known[id(argument)]
            return shape, arrays
        leaves, structure = jax.tree.flatten(argument, is_leaf=_is_problem)
        arrays = [leaf for leaf in leaves if eqx.is_array(leaf)]
        static = tuple(
            (number, Problem if _is_problem(leaf) else leaf)
            for number, leaf in enumerate(leaves)
            if not eqx.is_array(leaf)
        )
        shape = self._shapes.setdefault((structure, static), _Shape(structure, static))
        if kept:
            # With a reference to it, so that no other object takes its place in memory.
            self._known[id(argument)] = (argument, shape, arrays)
        return shape, arrays

    def _shape_of_tuple(self, length: int) -> _Shape:
        known = self._shapes.get(length)
        if known is None:
            known = _Shape(jax.tree.structure((0,) * length), ())
            self._shapes[length] = known
        return known


def _is_problem(leaf: Any) -> bool:
    return type(leaf) is Problem


def joined(function: Callable[..., Found]) -> Callable[..., Found]:
    """Compiles a function; in a lane, its calls are made together with those of other lanes.

    Its arrays may be NumPy's. Problems among its arguments are the lane's own.
    """
    alone = compiled(function)

    @functools.wraps(function)
    def call(*arguments: Any) -> Found:
        lane = getcurrent()
        if isinstance(lane, Lane):
            found: Found = lane.ask(function, arguments)
            return found
        return alone(*arguments)

    return call


def in_lane() -> bool:
    """Whether the caller is one of several solves side by side."""
    return isinstance(getcurrent(), Lane)


def clock() -> float:
    """Seconds on a clock that in a lane counts the lane's own share alone."""
    lane = getcurrent()
    now = seconds()
    return lane.seconds + now - lane.resumed if isinstance(lane, Lane) else now


def run_lanes(
    stack: Stack, width: int, program: Callable[[Problem], Found], count: int
) -> list[Found]:
    """program(problem of a lane) for the first `count` lanes of a stack of `width`."""
    return _Scheduler(stack, width).run(program, count)


@dataclass(slots=True)
class _Scheduler:
    """Resumes lanes, collects what they ask for, and computes the largest group of it."""

    stack: Stack
    width: int
    shapes: dict[Any, _Shape] = field(default_factory=dict)
    waiting: dict[tuple[Any, ...], list[tuple[Lane, _Request]]] = field(default_factory=dict)

    def run(self, program: Callable[[Problem], Found], count: int) -> list[Found]:
        found: dict[int, Found] = {}
        for index in range(count):
            problem = self.stack.lane(index)
            lane = Lane(functools.partial(program, problem), index, self.shapes)
            self._resume(lane, (), found)
        while self.waiting:
            key = max(self.waiting, key=lambda one: len(self.waiting[one]))
            group = self.waiting.pop(key)
            for lane, answer in self._answers(group):
                self._resume(lane, (answer,), found)
        return [found[index] for index in range(count)]

    def _resume(self, lane: Lane, answer: tuple[Any, ...], found: dict[int, Any]) -> None:
        lane.resumed = time.perf_counter()
        reply = lane.switch(*answer)
        lane.seconds += time.perf_counter() - lane.resumed
        if lane.dead:
            found[lane.index] = reply
        else:
            self.waiting.setdefault(reply.key, []).append((lane, reply))

    def _answers(self, group: Sequence[tuple[Lane, _Request]]) -> Iterator[tuple[Lane, Any]]:
        """What each lane of a group asked for."""
        began = time.perf_counter()
        count = len(group)
        padded = min(FEW_LANES, self.width) if count <= FEW_LANES else self.width
        rows = [*range(count), *[0] * (padded - count)]
        lanes = np.array([group[row][0].index for row in rows], np.int32)
        requests = [group[row][1].arrays for row in rows]
        arrays = [np.array(column) for column in zip(*requests, strict=True)]
        answer = self._compute(group[0][1].key, lanes, arrays)
        leaves, structure = jax.tree.flatten(jax.device_get(answer))
        share = (time.perf_counter() - began) / count
        # A list of an array has its rows, as views.
        for (lane, _), row in zip(group, zip(*map(list, leaves), strict=True), strict=False):
            lane.seconds += share
            yield lane, jax.tree.unflatten(structure, row)

    def _compute(self, key: tuple[Any, ...], lanes: np.ndarray, arrays: list[np.ndarray]) -> Any:
        function, *arguments, _ = key
        structures = tuple(one.structure for one in arguments)
        static = tuple(one.static for one in arguments)
        leaves, structure = jax.tree.flatten(self.stack.problem)
        own = tuple(self.stack.own)
        form = _Form(function, structures, static, structure, own)
        shared = [leaf for number, leaf in enumerate(leaves) if number not in own]
        return _compute(form, shared, list(self.stack.own.values()), lanes, arrays)


@functools.partial(jax.jit, static_argnums=0)
def _compute(
    form: _Form, shared: list[Array], own: list[Array], lanes: Array, arrays: list[Array]
) -> PyTree:
    """A function at the arguments of several lanes, vectorised over them."""

    def of_lane(lane: Array, arrays: list[Array]) -> PyTree:
        problem = _merge_problem(form, shared, [stacked[lane] for stacked in own])
        return form.function(*_merge_arguments(form, problem, arrays))

    return jax.vmap(of_lane)(jnp.asarray(lanes), arrays)


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
