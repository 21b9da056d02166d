"""What a suite is: cases, each measured in a process of its own; and the rows that come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlodsl.report.pictures.canvas import Drawing


@dataclass(frozen=True, slots=True)
class Row:
    """What one contender did on one case.

    Arguments:
        figures: by name, plain numbers, words or lists of them; names that end in `seconds` are
            times, `ratio` is relative to mlodsl.
        failure: why it couldn't do the case, in its own words; None where it could.
    """

    case: str
    contender: str
    figures: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a suite must show.

    Arguments:
        target: a sentence with its bound.
        figure: what was measured; None where a row that it needs is missing.
        bound: the largest figure that meets it.
    """

    target: str
    figure: float | None
    bound: float

    @property
    def met(self) -> bool | None:
        """Whether it is met; None where nothing was measured."""
        return None if self.figure is None else self.figure <= self.bound


@dataclass(frozen=True, slots=True)
class Job:
    """What a suite is asked to measure in one process.

    Arguments:
        case: one of the suite's cases.
        contenders: those to measure, in this order; the first ones are the ratios' unit.
        repeats: of a measurement, for the median.
        begin: to be called with a contender's name before work on its behalf, such as compiling
            it; from then on it has the time limit to itself. What exceeds it is stopped, and
            the case measured again without that contender.
    """

    case: str
    contenders: tuple[str, ...]
    repeats: int
    begin: Callable[[str], None] = lambda contender: None


@dataclass(frozen=True, slots=True)
class Suite:
    """One command, `python -m benchmarks.run NAME`.

    Arguments:
        name: of the command and of its files in `results/`.
        title: what it measures, in a sentence.
        cases: their names, in the order in which they are measured.
        quick: those of them that `--quick` measures.
        contenders: their names, mlodsl first.
        measure: the rows of one case. It runs in a process of its own on one pinned core; what
            it raises is a row that says so.
        draw: the picture of all rows.
        targets: what the rows must show.
    """

    name: str
    title: str
    cases: tuple[str, ...]
    quick: tuple[str, ...]
    contenders: tuple[str, ...]
    measure: Callable[[Job], Iterable[Row]]
    draw: Callable[[Sequence[Row]], Drawing]
    targets: Callable[[Sequence[Row]], Sequence[Target]] = lambda rows: ()
