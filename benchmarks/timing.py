"""Times of contenders beside each other, on one core, as ratios."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Above this many running processes a core, times on the wall say little.
_BUSY = 0.75

# Medians are of no fewer repeats.
_FEW = 3

# Runs of fewer seconds are felt by what ran before them.
_SHORT = 0.05


@dataclass(frozen=True, slots=True)
class Ratios:
    """Medians of repeated, alternating measurements, relative to the first contender's.

    Arguments:
        processor: of the time that the processor spent on this process: what others do
            beside it hardly matters.
        wall: of the time that passed.
        busy: whether the machine had other work meanwhile.
    """

    processor: dict[str, float]
    wall: dict[str, float]
    busy: bool

    @property
    def condition(self) -> str:
        """How the measurement was made, in a sentence."""
        state = "was busy with other work" if self.busy else "was otherwise idle"
        return (
            "medians of alternating repeats in one process on one pinned core, processor time, "
            f"relative to the first row; the machine {state}"
        )


def pin() -> None:
    """Keeps this process on one core; to be called before JAX makes its threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@dataclass(frozen=True, slots=True)
class Times:
    """Medians of repeated, alternating measurements, in seconds.

    Arguments:
        processor, wall, busy: as in `Ratios`.
    """

    processor: dict[str, float]
    wall: dict[str, float]
    busy: bool


def compare(contenders: Mapping[str, Callable[[], Any]], repeats: int) -> Ratios:
    """Runs all contenders in turn, many times, after each ran once."""
    times = measure_times(contenders, repeats)
    return Ratios(_relative(times.processor), _relative(times.wall), times.busy)


def measure_times(
    contenders: Mapping[str, Callable[[], Any]], repeats: int, patience: float = math.inf
) -> Times:
    """Runs all contenders in turn, many times, after each ran once.

    What takes little runs once more, untimed, before each measurement: else it would pay for what
    the contender before it left of the processor's caches, which may be half of its own time.

    Arguments:
        patience: seconds after which a contender, having run a few times, runs no more.
    """
    for contender in contenders.values():
        contender()
    processor: dict[str, list[float]] = {name: [] for name in contenders}
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    before = time.perf_counter(), time.process_time()
    for repeat in range(repeats):
        for name, contender in contenders.items():
            if repeat >= _FEW and sum(wall[name]) > patience:
                continue
            if wall[name] and wall[name][-1] < _SHORT:
                contender()
            passed, spent = time.perf_counter(), time.process_time()
            contender()
            processor[name].append(time.process_time() - spent)
            wall[name].append(time.perf_counter() - passed)
    share = (time.process_time() - before[1]) / (time.perf_counter() - before[0])
    return Times(_medians(processor), _medians(wall), share < _BUSY)


def _medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: float(np.median(values)) for name, values in times.items()}


def _relative(medians: Mapping[str, float]) -> dict[str, float]:
    first = next(iter(medians.values()))
    return {name: median / first for name, median in medians.items()}
