"""From the start point to a small hypergradient."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import jax
import numpy as np

from benchmarks import contenders
from benchmarks.contenders.contender import Solved
from benchmarks.drawing import draw_bars
from benchmarks.problems.cleaning import cleaning
from benchmarks.problems.digits import digits
from benchmarks.problems.games import smooth_game
from benchmarks.problems.problem import Problem
from benchmarks.problems.reference import Reference
from benchmarks.problems.wine import wine
from mlodsl.report.pictures.canvas import Drawing

from .comparing import UNIT, Prepared, prepared, ratio_of
from .suite import Job, Row, Suite, Target

_CONTENDERS = tuple(name for name in contenders.NAMES if name != "mlodsl-call")
_CASES: dict[str, tuple[Callable[[], Problem], float]] = {
    "wine": (wine, 1e-8),
    "digits-1e-4": (digits, 1e-4),
    "digits": (digits, 1e-8),
    "cleaning": (cleaning, 1e-8),
    "game-4x10": (partial(smooth_game, 4, 10), 1e-8),
}
# Solves take seconds: fewer repeats than of a hypergradient, and fewest of the slowest.
_REPEATS, _FEW, _PATIENCE = 9, 2, 20.0
# A hypergradient's own rounding and tolerance may leave a norm a little above what was asked.
_SLACK = 1.5


def _measure(job: Job) -> Iterator[Row]:
    jax.config.update("jax_enable_x64", True)
    make, tolerance = _CASES[job.case]
    if job.case != "wine":
        # A measure of the wine problem alone.
        others = tuple(name for name in job.contenders if name != "itd-x10")
        job = dataclasses.replace(job, contenders=others)
    problem = make()

    def solver(contender: str) -> Callable[[], Solved]:
        return contenders.load(contender).solve(problem, tolerance)

    ready = yield from prepared(job, solver)
    job.begin("reference")
    reference = Reference(problem)
    norms = {
        contender: None
        if one.answer.point is None
        else float(np.linalg.norm(reference.at(one.answer.point)[1]))
        for contender, one in ready.items()
    }
    seconds = _seconds(job, ready)
    unit = seconds.get(UNIT)
    for contender, one in ready.items():
        norm = norms[contender]
        yield Row(
            job.case,
            contender,
            {
                "seconds": seconds[contender],
                "ratio": None if unit is None else seconds[contender] / unit,
                "compile_seconds": max(one.seconds - seconds[contender], 0.0),
                "norm": norm,
                "solved": norm is not None and norm <= _SLACK * tolerance,
                "steps": one.answer.steps,
                "hypergradients": one.answer.hypergradients,
                "note": one.answer.note,
            },
        )


def _seconds(job: Job, ready: dict[str, Prepared[Solved]]) -> dict[str, float]:
    """Medians of the processor's time, of runs in turn."""
    found: dict[str, list[float]] = {name: [] for name in ready}
    for repeat in range(min(job.repeats, _REPEATS)):
        for name, one in ready.items():
            if repeat >= _FEW and sum(found[name]) > _PATIENCE:
                continue
            job.begin(name)
            began = time.process_time()
            answer = one.run()
            spent = time.process_time() - began
            found[name].append(spent if answer.seconds is None else answer.seconds)
    return {name: float(np.median(values)) for name, values in found.items()}


def _targets(rows: Sequence[Row]) -> Sequence[Target]:
    solved = [row for row in rows if row.figures.get("solved") or row.contender == "itd-x10"]

    def target(case: str, other: str, bound: float, words: str) -> Target:
        return Target(f"{case}: {words}", ratio_of(solved, case, "mlodsl", (other,)), bound)

    return (
        target("wine", "itd-x10", 1.0, "no slower than 10 of the paper's ITD updates"),
        target("digits-1e-4", "jax", 1.0, "no slower than JAX by hand"),
        target("digits-1e-4", "jaxopt-plain", 1 / 3, "3 times faster than jaxopt"),
        target("digits-1e-4", "jaxopt", 1 / 3, "3 times faster than jaxopt, tuned"),
        target("digits-1e-4", "optimistix-plain", 1 / 20, "20 times faster than optimistix"),
        target("digits-1e-4", "optimistix", 1 / 20, "20 times faster than optimistix, tuned"),
    )


def _draw(rows: Sequence[Row]) -> Drawing:
    return draw_bars(rows, _CONTENDERS, "ratio", "processor time, mlodsl = 1")


SUITE = Suite(
    name="solve",
    title="From the start point to a hypergradient of norm 1e-8 (digits: 1e-4 too)",
    cases=tuple(_CASES),
    quick=("game-4x10",),
    contenders=_CONTENDERS,
    measure=_measure,
    draw=_draw,
    targets=_targets,
)
