"""Time, compile time and memory of one hypergradient as levels and variables grow.

Lower levels are solved from zero, linear systems are chosen by size, as by default. Each case has
a process of its own, so its peak of memory is that of this case alone. Times are the processor's.
"""

from __future__ import annotations

import dataclasses
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.problems.games import smooth_game
from mlodsl.report.pictures.canvas import COLOURS, Drawing

from .fitting import exponent, factor
from .suite import Job, Row, Suite, Target

LEVELS, SIZES, LARGE = (2, 3, 4, 5, 6, 7), (10, 30, 100, 300), (1_000, 10_000, 100_000, 1_000_000)
_SIZE, _DEPTH = 10, 3
PAPER = {"variables": 3.0, "levels": 4.0}
"""The exponents of paper 000's cost, O(d³ n⁴)."""
_TOLERANCE = 1e-9  # on the norms of the lower levels' gradients
_GIB = 2**30

_CASES: dict[str, tuple[int, int]] = {
    **{f"levels/{levels}": (levels, _SIZE) for levels in LEVELS},
    **{f"variables/{size}": (_DEPTH, size) for size in SIZES},
    **{f"matrix-free/{size}": (2, size) for size in LARGE},
}


def _measure(job: Job) -> Iterator[Row]:
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    import mlodsl
    from benchmarks.papers.running import planned
    from mlodsl.calculus import point_of
    from mlodsl.solver.compiling import compiler_options, effort_of
    from mlodsl.solver.level import evaluate as evaluate_level
    from mlodsl.solver.movers import Proposal
    from mlodsl.solver.oracle import LATE
    from mlodsl.solver.outcome import Outcome

    jax.config.update("jax_enable_x64", True)
    job.begin("mlodsl")
    levels, size = _CASES[job.case]
    problem = smooth_game(levels, size)
    model = mlodsl.compile(problem.text, data=dict(problem.data))
    folded, _, nest = planned(model, strategy="implicit")
    # As `evaluate_top` does: all lower levels at once, where they may be.
    nest = dataclasses.replace(nest, way="joint" if nest.solves_jointly(1) else "nested")
    arrays, static = eqx.partition(nest, eqx.is_array)
    below = point_of(folded.sizes, 1, tuple(map(jnp.zeros, folded.sizes[1:])))
    # Lower levels are solved to a hundredth of what is asked of the hypergradient.
    arguments = arrays, jnp.asarray(problem.start), below, jnp.asarray(100 * _TOLERANCE)

    @jax.jit
    def evaluate(arrays: Any, own: Any, guess: Any, tolerance: Any) -> Any:
        nest = eqx.combine(arrays, static)
        proposal = Proposal(own, guess, jnp.zeros(()), jnp.array(0, jnp.int32))
        with_factor = nest.plans[0].mover.needs_factor
        turn = jnp.asarray(LATE, jnp.int32)
        return evaluate_level(nest, 0, (), proposal, tolerance, turn, with_factor=with_factor)

    began = time.process_time()
    traced = evaluate.lower(*arguments)
    middle = time.process_time()
    options = compiler_options(effort_of(folded.sizes, seldom=False))
    compiled = traced.compile(compiler_options=options)
    ended = time.process_time()
    point = jax.block_until_ready(compiled(*arguments))
    times = []
    for _ in range(job.repeats):
        spent = time.process_time()
        jax.block_until_ready(compiled(*arguments))
        times.append(time.process_time() - spent)
        if sum(times) > 10:
            break
    memory = compiled.memory_analysis()
    yield Row(
        job.case,
        "mlodsl",
        {
            "levels": levels,
            "variables": size,
            "seconds": float(np.median(times)),
            "trace_seconds": middle - began,
            "compile_seconds": ended - began,
            "temporary_bytes": None if memory is None else int(memory.temp_size_in_bytes),
            "peak_bytes": _peak_bytes(),
            "hypergradient_norm": float(jnp.linalg.norm(point.gradient)),
            "solved": bool(np.max(point.outcomes) < Outcome.STALLED),
        },
    )


def _peak_bytes() -> int:
    """The largest memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


# ---------------------------------------------------------------- what it shows


def series(rows: Sequence[Row], kind: str, across: str, figure: str) -> tuple[list[Any], list[Any]]:
    """A figure of the cases of one kind, against `levels` or `variables`."""
    found = [
        row.figures
        for row in rows
        if row.case.startswith(f"{kind}/") and row.figures.get(figure) is not None
    ]
    return [one[across] for one in found], [one[figure] for one in found]


def _targets(rows: Sequence[Row]) -> Sequence[Target]:
    compiling = series(rows, "levels", "levels", "compile_seconds")
    steps = [after / before for before, after in zip(compiling[1], compiling[1][1:], strict=False)]
    memory = series(rows, "matrix-free", "variables", "temporary_bytes")
    peaks = dict(zip(*series(rows, "matrix-free", "variables", "peak_bytes"), strict=True))
    peak = peaks.get(LARGE[-1])
    return (
        Target("factor of compile time a level, fitted", factor(*compiling), 2.5),
        Target("factor of compile time a level, the largest", max(steps, default=None), 2.5),
        Target("exponent of matrix-free memory in the variables", exponent(*memory), 1.05),
        Target("GiB of the process at 1e6 lower variables", peak and peak / _GIB, 4.0),
        Target(
            f"exponent of time in the variables at {_DEPTH} levels (paper: 3)",
            exponent(*series(rows, "variables", "variables", "seconds")),
            PAPER["variables"],
        ),
        Target(
            f"exponent of time in the levels at {_SIZE} variables (paper: 4)",
            exponent(*series(rows, "levels", "levels", "seconds")),
            PAPER["levels"],
        ),
    )


def _draw(rows: Sequence[Row]) -> Drawing:
    def on(canvas: Figure) -> None:
        (compiling, levels), (variables, memory) = canvas.subplots(2, 2)
        n, seconds = series(rows, "levels", "levels", "compile_seconds")
        compiling.semilogy(n, seconds, "o-", color=COLOURS[0], label=_times("a level", n, seconds))
        _finish(compiling, "Compile time", "levels", "seconds")
        n, seconds = series(rows, "levels", "levels", "seconds")
        levels.loglog(n, seconds, "o-", color=COLOURS[0], label=_power("n", n, seconds))
        _paper(levels, n, seconds, PAPER["levels"], "n")
        _finish(levels, f"Hypergradient, {_SIZE} variables a level", "levels n", "seconds")
        for axes in (compiling, levels):
            axes.set_xticks(LEVELS, [str(one) for one in LEVELS], minor=False)
            axes.xaxis.minorticks_off()
        d, seconds = series(rows, "variables", "variables", "seconds")
        label = f"{_DEPTH} levels, {_power('d', d, seconds)}"
        variables.loglog(d, seconds, "o-", color=COLOURS[0], label=label)
        _paper(variables, d, seconds, PAPER["variables"], "d")
        d, seconds = series(rows, "matrix-free", "variables", "seconds")
        label = f"2 levels, {_power('d', d, seconds)}"
        variables.loglog(d, seconds, "s-", color=COLOURS[1], label=label)
        # Room for the legend, beside the lines.
        variables.set_ymargin(0.25)
        _finish(variables, "Hypergradient", "variables d of each level", "seconds")
        for number, (figure, words) in enumerate(
            (("temporary_bytes", "the program's temporary memory"), ("peak_bytes", "the process"))
        ):
            d, sizes = series(rows, "matrix-free", "variables", figure)
            gibs = [one / _GIB for one in sizes]
            memory.loglog(d, gibs, "o-", color=COLOURS[number], label=words)
        memory.axhline(4, color="#444444", linewidth=0.8, linestyle=":")
        _finish(memory, "Memory, two levels, matrix-free", "variables d of each level", "GiB")

    return Drawing((9, 7), on)


def _times(of: str, steps: Sequence[float], values: Sequence[float]) -> str:
    fitted = factor(steps, values)
    return "measured" if fitted is None else f"measured: × {fitted:.2f} {of}"


def _power(letter: str, sizes: Sequence[float], values: Sequence[float]) -> str:
    fitted = exponent(sizes, values)
    return "measured" if fitted is None else f"measured: {letter}^{fitted:.2f}"


def _paper(
    axes: Any, sizes: Sequence[float], values: Sequence[float], power: float, letter: str
) -> None:
    """The paper's growth, through the first measured point."""
    if sizes:
        line = [values[0] * (size / sizes[0]) ** power for size in sizes]
        label = f"paper 000: {letter}^{power:.0f}"
        axes.loglog(sizes, line, "--", color="#888888", label=label)


def _finish(axes: Any, title: str, across: str, up: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if axes.get_legend_handles_labels()[0]:
        axes.legend()


SUITE = Suite(
    name="growth",
    title="One hypergradient against the number of levels and of variables",
    cases=tuple(_CASES),
    quick=("levels/2", "matrix-free/1000"),
    contenders=("mlodsl",),
    measure=_measure,
    draw=_draw,
    targets=_targets,
)
