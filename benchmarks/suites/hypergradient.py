"""One total gradient, at given lower solutions and with lower solves from zero."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from benchmarks import contenders
from benchmarks.drawing import draw_bars
from benchmarks.problems.digits import digits
from benchmarks.problems.games import quadratic_game, smooth_game
from benchmarks.problems.large import large
from benchmarks.problems.problem import Problem
from benchmarks.problems.reference import Reference
from mlodsl.report.pictures.canvas import Drawing

from .comparing import UNIT, prepared, ratio_of, timed
from .suite import Job, Row, Suite, Target

_PROBLEMS: dict[str, Callable[[], Problem]] = {
    "digits": digits,
    **{
        f"{levels}x{size}": partial(smooth_game, levels, size)
        for levels, size in ((3, 10), (3, 100), (3, 300), (4, 10), (4, 30), (5, 5), (5, 20), (6, 3))
    },
    **{
        f"quadratic-{levels}x{size}": partial(quadratic_game, levels, size)
        for levels, size in ((3, 100), (5, 20))
    },
    **{f"large-1e{power}": partial(large, 10**power) for power in (4, 5, 6)},
}
# Answers with larger relative errors aren't compared.
_RIGHT = 1e-6
_ONLY_SOLVE = ("itd-x10", "blvpy", "jaxopt-plain")
_CONTENDERS = tuple(name for name in contenders.NAMES if name not in _ONLY_SOLVE)
_KINDS: tuple[contenders.Kind, ...] = ("given", "cold")


def _measure(job: Job) -> Iterator[Row]:
    jax.config.update("jax_enable_x64", True)
    name, _, kind = job.case.partition("/")
    problem = _PROBLEMS[name]()
    job.begin("reference")
    below, exact = Reference(problem).at(problem.start)
    if kind == "given":
        # The public call takes no given solutions.
        others = tuple(contender for contender in job.contenders if contender != "mlodsl-call")
        job = dataclasses.replace(job, contenders=others)

    def make(contender: str) -> Callable[[], np.ndarray]:
        return contenders.load(contender).hypergradient(problem, kind, below)

    ready = yield from prepared(job, make)

    def figures(contender: str, answer: np.ndarray) -> dict[str, Any]:
        return {"error": float(np.linalg.norm(answer - exact) / np.linalg.norm(exact))}

    yield from timed(job, ready, figures)


def _targets(rows: Sequence[Row]) -> Sequence[Target]:
    right = [row for row in rows if row.failure is None and row.figures["error"] <= _RIGHT]

    def target(case: str, others: Sequence[str], bound: float, words: str) -> Target:
        # Betty's time counts as it is: its error is beside it.
        among = rows if others == ("betty",) else right
        return Target(f"{case}: {words}", ratio_of(among, case, UNIT, others), bound)

    peers = ("jax", "jaxopt", "betty", "optimistix")
    deep = ratio_of(right, "4x30/cold", UNIT, ("optimistix",), "compile_seconds")
    whole = [
        row.figures["compile_seconds"] + row.figures["wall_seconds"]
        for row in right
        if row.case == "6x3/cold" and row.contender == UNIT
    ]
    return (
        target("digits/given", ("jax", "jaxopt"), 1.05, "the better of JAX by hand and jaxopt"),
        target("digits/given", ("optimistix",), 1 / 1.8, "1.8 times faster than optimistix"),
        target("digits/given", ("betty",), 1 / 6, "6 times faster than Betty's cg"),
        target("3x10/cold", peers, 1.0, "no slower than the best of all"),
        target("3x10/cold", ("optimistix",), 1 / 2, "2 times faster than optimistix"),
        target("3x100/cold", peers, 1.0, "no slower than the best of all"),
        target("4x30/cold", ("optimistix",), 1 / 6, "6 times faster than optimistix"),
        Target("4x30/cold: compiled in a quarter of optimistix's time", deep, 1 / 4),
        Target("6x3/cold: compiled and run, in seconds", whole[0] if whole else None, 20.0),
    )


def _draw(rows: Sequence[Row]) -> Drawing:
    return draw_bars(rows, _CONTENDERS, "ratio", "processor time, mlodsl = 1")


SUITE = Suite(
    name="hypergradient",
    title="One total gradient of the top level, by the processor's time",
    cases=tuple(f"{name}/{kind}" for name in _PROBLEMS for kind in _KINDS),
    quick=("digits/given",),
    contenders=_CONTENDERS,
    measure=_measure,
    draw=_draw,
    targets=_targets,
)
