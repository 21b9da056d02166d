"""Many solves side by side, each a lane, whose compiled calls are made together.

The solver's host code (the loop's bookkeeping, the certificate) is written for one instance and
asks compiled code for numbers. Here each instance runs that very code in a lane of its own, a
greenlet: where it asks, it waits; once all lanes wait, those that ask for the same go through one
compiled program that is vectorised over lanes. So an instance of a batch is judged by nothing
less than a solve alone, and compiled programs serve every value of the params.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from greenlet import getcurrent, greenlet

from .clock import seconds
from .compiling import compiled

Found = TypeVar("Found")
Judge: TypeAlias = Callable[..., tuple[np.ndarray, ...]]


@dataclass(slots=True, eq=False)
class Each:
    """An argument of which each row of a call of many has its own; rows along the first axis."""

    rows: np.ndarray


@dataclass(slots=True)
class Request:
    """What a lane asks for: a function's value; of a call of many also what `Joined.of_many` says
    of `pick`, `judge` and `given`."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    pick: Callable[[Any], Any] | None = None
    judge: Callable[..., Any] | None = None
    given: tuple[Any, ...] = ()


class Lane(greenlet):
    """One instance's host code.

    Arguments:
        program: what it runs.
        index: of the lane among all.
    """

    def __init__(self, program: Callable[[], Any], index: int) -> None:
        super().__init__(program)
        self.index = index
        self.seconds = 0.0
        self.resumed = 0.0

    def ask(self, request: Request) -> Any:
        """The answer to a request, computed with those of other lanes; waits for them."""
        scheduler = self.parent
        assert scheduler is not None
        return scheduler.switch(request)


class Joined(Generic[Found]):
    """A compiled function; in a lane, its calls are made together with those of other lanes.

    Its arrays may be NumPy's. Problems among its arguments are the lane's own.
    """

    def __init__(self, function: Callable[..., Found]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._alone = compiled(function, seldom=True)

    def __call__(self, *arguments: Any) -> Found:
        """The function's value."""
        lane = getcurrent()
        if isinstance(lane, Lane):
            found: Found = lane.ask(Request(self._function, arguments))
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
            request = Request(self._function, arguments, pick, judge, given)
            found: tuple[np.ndarray, ...] = lane.ask(request)
            return found
        found = in_rows(pick(self._alone(*row)) for row in rows_of(*arguments))
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


def rows_of(*arguments: Any) -> Iterator[tuple[Any, ...]]:
    """The arguments of each of many calls: of `Each` its rows, others as they are."""
    count = next(len(one.rows) for one in arguments if type(one) is Each)
    for row in range(count):
        yield tuple(one.rows[row] if type(one) is Each else one for one in arguments)


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
