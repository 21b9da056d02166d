"""What the language costs: compiled objectives beside JAX by hand, and reading long models."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.problems.formulas import FORMULAS, Formula
from benchmarks.problems.long_models import long_model
from mlodsl.report.pictures.canvas import COLOURS, Drawing

from .comparing import agreeing, prepared, ratio_of, timed
from .fitting import exponent
from .suite import Job, Row, Suite, Target

LINES = (10, 30, 100, 300, 1000, 3000, 10_000)
KINDS = ("objective", "gradient", "product")
_READING = "reading"
_SPENT = 1e-2  # seconds of one measurement, so that starting it costs nothing
_MOST = 2000
_FEW = 4
_AGREE = 1e-9  # answers that differ by more, relative to the largest entry, are an error


def _measure(job: Job) -> Iterator[Row]:
    if job.case.startswith(_READING):
        job.begin("mlodsl")
        yield _read(job, int(job.case.partition("/")[2]))
        return
    import jax

    jax.config.update("jax_enable_x64", True)
    formula = FORMULAS[job.case]()
    problem = _problem(formula)
    for kind in KINDS:
        yield from _compare(replace(job, case=f"{job.case}/{kind}"), formula, kind, problem)


# ---------------------------------------------------------------- objectives


Form = tuple[Callable[..., Any], Any]
"""An objective, as a function of what it knows and the vectors; and what it knows."""


def _problem(formula: Formula) -> Any:
    import mlodsl

    return mlodsl.compile(formula.text, params=formula.params, data=formula.data).problem.fold()


def _compiled(formula: Formula, problem: Any) -> Form:
    def objective(problem: Any, *vectors: Any) -> Any:
        return problem.objective(formula.level, vectors)

    return objective, problem


def _by_hand(formula: Formula, problem: Any) -> Form:
    """The form by hand; it reads the arrays of the model, not copies of them.

    Where a matrix lies in memory makes a quarter of some times, and it lies elsewhere each time.
    """
    import jax.numpy as jnp

    known = {**problem.arrays, **problem.folded}
    arrays = {}
    for name, value in {**formula.data, **formula.prepared}.items():
        arrays[name] = known[name] if name in known else jnp.asarray(value)
        np.testing.assert_allclose(arrays[name], value, rtol=1e-12, atol=1e-12)
    return formula.objective, arrays


FORMS = {"mlodsl": _compiled, "jax": _by_hand}


def _compare(job: Job, formula: Formula, kind: str, problem: Any) -> Iterator[Row]:
    """Rows of one kind of evaluation; a run is so many of them that it takes a while."""
    import jax.numpy as jnp

    count: int | None = None
    draw = np.random.default_rng(0)
    vectors = tuple(jnp.asarray(0.3 * draw.standard_normal(size)) for size in problem.sizes)
    direction = jnp.asarray(draw.standard_normal(problem.sizes[formula.level]))

    def make(contender: str) -> Callable[[], np.ndarray]:
        nonlocal count
        objective, known = FORMS[contender](formula, problem)
        single, repeated = _evaluations(objective, formula.level, kind)

        def many(number: int) -> None:
            repeated(known, vectors, direction, number).block_until_ready()

        answer = np.asarray(single(known, vectors, direction))
        if count is None:
            many(_FEW)
            count = _count(many)
        number = count

        def run() -> np.ndarray:
            many(number)
            return answer

        return run

    ready = yield from prepared(job, make)
    if not ready:
        return
    reference = next(iter(ready.values())).answer

    def error(contender: str, answer: np.ndarray) -> float:
        return _error(answer, reference) / _AGREE

    right = yield from agreeing(job, ready, error)

    def figures(contender: str, answer: np.ndarray) -> dict[str, Any]:
        return {"difference": _error(answer, reference), "evaluations": count}

    yield from timed(job, right, figures)


def _error(answer: np.ndarray, reference: np.ndarray) -> float:
    return float(np.max(np.abs(answer - reference)) / np.max(np.abs(reference)))


def _evaluations(
    objective: Callable[..., Any], level: int, kind: str
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """One evaluation, compiled; and a compiled loop of a number of them, each of which needs the
    one before, so that none is left out."""
    import jax

    def at(known: Any, vectors: tuple[Any, ...], own: Any) -> Any:
        return objective(known, *vectors[:level], own, *vectors[level + 1 :])

    def evaluate(known: Any, vectors: tuple[Any, ...], own: Any, direction: Any) -> Any:
        gradient = jax.grad(lambda own: at(known, vectors, own))
        if kind == "objective":
            return at(known, vectors, own)
        if kind == "gradient":
            return gradient(own)
        return jax.jvp(gradient, (own,), (direction,))[1]

    @jax.jit
    def single(known: Any, vectors: Any, direction: Any) -> Any:
        return evaluate(known, vectors, vectors[level], direction)

    @jax.jit
    def repeated(known: Any, vectors: Any, direction: Any, count: Any) -> Any:
        def step(_: Any, carried: tuple[Any, Any]) -> tuple[Any, Any]:
            own, along = carried
            change = 1e-30 * evaluate(known, vectors, own, along)
            return own + change, along + change

        return jax.lax.fori_loop(0, count, step, (vectors[level], direction))[0]

    return single, repeated


def _count(many: Callable[[int], object]) -> int:
    """How many evaluations take long enough to be measured."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        many(_FEW)
        times.append(time.perf_counter() - began)
    return int(np.clip(_FEW * _SPENT / min(times), 1, _MOST))


# ---------------------------------------------------------------- reading


def _read(job: Job, lines: int) -> Row:
    """Times of parsing and checking, and of the whole command in a new process."""
    from mlodsl.check import check
    from mlodsl.diagnostics import Source
    from mlodsl.syntax import parse_program

    text = long_model(lines)
    parsing, checking, commands = [], [], []
    for _ in range(min(job.repeats, 5)):
        began = time.process_time()
        program, found = parse_program(Source("long.mlo", text))
        parsed = time.process_time()
        assert program is not None, found
        checked, found = check(program)
        assert checked is not None, found
        parsing.append(parsed - began)
        checking.append(time.process_time() - parsed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.mlo"
        path.write_text(text, encoding="utf-8")
        for _ in range(min(job.repeats, 5)):
            commands.append(_command_seconds(path))
    return Row(
        job.case,
        "mlodsl",
        {
            "lines": text.count("\n"),
            "parse_seconds": float(np.median(parsing)),
            "check_seconds": float(np.median(checking)),
            "command_seconds": float(np.median(commands)),
        },
    )


def _command_seconds(path: Path) -> float:
    """Of the processor, for `mlodsl check` in a process of its own."""

    def spent() -> float:
        times = os.times()
        return times.children_user + times.children_system

    began = spent()
    subprocess.run([sys.executable, "-m", "mlodsl", "check", path], check=True, capture_output=True)
    return spent() - began


# ---------------------------------------------------------------- what it shows


def ratios(rows: Sequence[Row], kind: str) -> dict[str, float]:
    """For each formula, the time of the compiled model relative to that of JAX by hand."""
    found = {
        name: ratio_of(rows, f"{name}/{kind}", "mlodsl", ("jax",))
        for name in dict.fromkeys(row.case.rpartition("/")[0] for row in rows)
        if name in FORMULAS
    }
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def _reading(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [row.figures for row in rows if row.case.startswith(_READING) and row.failure is None]


def _targets(rows: Sequence[Row]) -> Sequence[Target]:
    found = []
    for kind in KINDS:
        values = ratios(rows, kind)
        for words, pick in (("the median formula", np.median), ("the worst formula", np.max)):
            figure = float(pick(list(values.values()))) if values else None
            found.append(Target(f"{kind}: {words}, relative to JAX by hand", figure, 1.05))
    long = [one for one in _reading(rows) if one["lines"] >= 100]
    thousand = next((one["command_seconds"] for one in long if one["lines"] == 1000), None)
    found.append(Target("seconds of `mlodsl check` of 1,000 lines", thousand, 1.0))
    for name in ("parse_seconds", "check_seconds"):
        lines, seconds = [one["lines"] for one in long], [one[name] for one in long]
        words = f"exponent of {name} in the number of lines, from 100 on"
        found.append(Target(words, exponent(lines, seconds), 1.15))
    return found


def _draw(rows: Sequence[Row]) -> Drawing:
    reading = _reading(rows)
    names = list(dict.fromkeys(name for kind in KINDS for name in ratios(rows, kind)))

    def on(canvas: Figure) -> None:
        left, right = canvas.subplots(1, 2)
        for number, kind in enumerate(KINDS):
            values = ratios(rows, kind)
            places = [names.index(name) + 0.25 * (number - 1) for name in values]
            widths = [ratio - 1 for ratio in values.values()]
            left.barh(places, widths, 0.22, left=1, label=kind, color=COLOURS[number])
        left.set_xscale("log")
        left.set_xticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
        left.minorticks_off()
        left.set_xlim(0.5, 20)
        left.axvline(1, color="#444444", linewidth=0.8)
        left.axvline(1.05, color="#444444", linewidth=0.8, linestyle=":")
        left.set_yticks(range(len(names)), names)
        left.invert_yaxis()
        left.grid(axis="y", visible=False)
        left.set_xlabel("time of the compiled model, JAX by hand = 1 (dotted: 1.05)")
        left.set_title("Objectives")
        left.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0)
        lines = [one["lines"] for one in reading]
        for number, (name, label) in enumerate(
            (
                ("command_seconds", "`mlodsl check`, a new process"),
                ("parse_seconds", "parsing"),
                ("check_seconds", "checking"),
            )
        ):
            right.loglog(
                lines, [one[name] for one in reading], "o-", label=label, color=COLOURS[number]
            )
        right.set_xlabel("lines of the model")
        right.set_ylabel("seconds")
        right.set_title("Reading")
        right.legend()

    return Drawing((10, 0.36 * max(len(names), 8) + 1), on)


SUITE = Suite(
    name="overhead",
    title="Compiled objectives beside JAX by hand, and the time that reading a model takes",
    cases=(*FORMULAS, *(f"{_READING}/{lines}" for lines in LINES)),
    quick=("least squares", "row numbers", f"{_READING}/1000"),
    contenders=("mlodsl", "jax"),
    measure=_measure,
    draw=_draw,
    targets=_targets,
)
