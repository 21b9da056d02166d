"""Contenders on one case: prepared, answers compared with each other, and only then timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from benchmarks.processes import words_of
from benchmarks.timing import measure_times

from .suite import Job, Row

UNIT = "mlodsl"
"""Whom times are relative to."""
_PATIENCE = 20.0

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Prepared(Generic[Answer]):
    """A contender that is ready to run, and has run once.

    Arguments:
        seconds: until the end of the first run, compiling included.
    """

    run: Callable[[], Answer]
    answer: Answer
    seconds: float


def prepared(
    job: Job, make: Callable[[str], Callable[[], Answer]]
) -> Generator[Row, None, dict[str, Prepared[Answer]]]:
    """Yields a row for each contender that can't run; returns those that can, in their order.

    The last is prepared first: the slowest to compile are last, and where one has to be stopped,
    the process begins anew.
    """
    ready: dict[str, Prepared[Answer]] = {}
    for name in reversed(job.contenders):
        job.begin(name)
        began = time.perf_counter()
        try:
            run = make(name)
            answer = run()
        except Exception as error:
            yield Row(job.case, name, failure=words_of(error))
            continue
        ready = {name: Prepared(run, answer, time.perf_counter() - began), **ready}
    return ready


def agreeing(
    job: Job, ready: Mapping[str, Prepared[Answer]], error: Callable[[str, Answer], float]
) -> Generator[Row, None, dict[str, Prepared[Answer]]]:
    """Yields a row for each contender whose answer is wrong; returns the others.

    Arguments:
        error: of a contender's answer, relative to what is allowed.
    """
    right: dict[str, Prepared[Answer]] = {}
    for name, one in ready.items():
        times = error(name, one.answer)
        if times <= 1:
            right[name] = one
        else:
            words = f"its answer is wrong by {times:.1e} times what is allowed"
            yield Row(job.case, name, failure=words)
    return right


def timed(
    job: Job,
    contenders: Mapping[str, Prepared[Answer]],
    figures: Callable[[str, Answer], Mapping[str, Any]],
) -> Iterator[Row]:
    """Rows of alternating measurements, with the figures that the answers give beside them."""
    if not contenders:
        return
    job.begin("")
    runs = {name: one.run for name, one in contenders.items()}
    times = measure_times(runs, job.repeats, _PATIENCE)
    unit = times.processor.get(UNIT)
    for name in runs:
        one = contenders[name]
        spent = times.processor[name]
        yield Row(
            job.case,
            name,
            {
                "seconds": spent,
                "ratio": None if unit is None else spent / unit,
                "wall_seconds": times.wall[name],
                "compile_seconds": max(one.seconds - times.wall[name], 0.0),
                **figures(name, one.answer),
                "busy": times.busy,
            },
        )


def ratio_of(
    rows: Sequence[Row], case: str, contender: str, others: Sequence[str], figure: str = "seconds"
) -> float | None:
    """A contender's figure relative to the least of the others'; None where one is missing."""

    def known(names: Sequence[str]) -> list[float]:
        return [
            row.figures[figure]
            for row in rows
            if row.case == case and row.contender in names and row.figures.get(figure) is not None
        ]

    own, least = known([contender]), known(others)
    return own[0] / min(least) if own and least else None
