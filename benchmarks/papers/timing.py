"""Times of compiled updates beside each other, on one core, as ratios."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import mlodsl
from mlodsl.calculus import point_of
from mlodsl.solver.oracle import LATE, evaluate_top
from mlodsl.strategies import Point

from .running import NEVER, planned

# Above this many running processes a core, times on the wall say little.
_BUSY = 0.75


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


def compare(contenders: Mapping[str, Callable[[], Any]], repeats: int) -> Ratios:
    """Runs all contenders in turn, many times, after each ran once."""
    for contender in contenders.values():
        contender()
    processor: dict[str, list[float]] = {name: [] for name in contenders}
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    before = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        for name, contender in contenders.items():
            passed, spent = time.perf_counter(), time.process_time()
            contender()
            processor[name].append(time.process_time() - spent)
            wall[name].append(time.perf_counter() - passed)
    share = (time.process_time() - before[1]) / (time.perf_counter() - before[0])
    return Ratios(_relative(processor), _relative(wall), share < _BUSY)


def _relative(times: Mapping[str, list[float]]) -> dict[str, float]:
    medians = {name: float(np.median(values)) for name, values in times.items()}
    first = next(iter(medians.values()))
    return {name: median / first for name, median in medians.items()}


def compiled_update(model: mlodsl.Model, **options: Any) -> Callable[[], Point]:
    """One evaluation of the top level's total gradient at the model's start, compiled.

    It solves the lower levels as the options say, and differentiates. All that Python does is
    one call of the compiled program; the first call compiles it.
    """
    problem, settings, nest = planned(model, **options)
    with jax.enable_x64(True):
        start = problem.start(jax.random.PRNGKey(settings.seed))
        arguments = (
            eqx.filter(nest, eqx.is_array),
            start[0],
            point_of(problem.sizes, 1, start[1:]),
            jnp.asarray(NEVER),
        )
        static = eqx.filter(nest, eqx.is_array, inverse=True)

        def update(arrays: Any, own: Any, guess: Any, tolerance: Any) -> Any:
            point = evaluate_top(eqx.combine(arrays, static), own, guess, tolerance, LATE)
            return eqx.filter(point, eqx.is_array)

        compiled = jax.jit(update)

    def once() -> Point:
        with jax.enable_x64(True):
            return jax.block_until_ready(compiled(*arguments))  # type: ignore[no-any-return]

    return once
