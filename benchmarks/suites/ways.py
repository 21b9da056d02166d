"""One total gradient by each way to it, from zero: is the way that is chosen the fastest?

The bounds in `mlodsl/solver/abilities.py`, by which a nest's way is chosen, come from here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.drawing import draw_bars
from benchmarks.problems.games import smooth_game
from mlodsl.report.pictures.canvas import Drawing

from .comparing import UNIT, prepared, timed
from .suite import Job, Row, Suite, Target

_CASES = {
    f"{levels}x{size}": (levels, size)
    for levels, sizes in ((2, (10, 30, 300)), (3, (3, 10, 30, 100, 300)), (4, (3, 10, 30)))
    for size in sizes
}
# Abilities that force a way; those not named stay as they were chosen.
_WAYS: dict[str, dict[str, bool]] = {
    UNIT: {},
    "matrices": {"jointly": True, "ahead": False, "verified": False},
    "products, then matrices": {"jointly": True, "ahead": True, "verified": True},
    "one inside the other": {"jointly": False, "ahead": False, "verified": False},
}
_TOLERANCE = 1e-8
# As fast as the best but for the noise of a measurement, and for what sizes alone can't tell.
_NEARLY = 1.3


def _measure(job: Job) -> Iterator[Row]:
    import jax
    import jax.numpy as jnp

    import mlodsl
    from benchmarks.papers.running import planned
    from mlodsl.calculus import flat_size
    from mlodsl.solver.oracle import total_gradient

    jax.config.update("jax_enable_x64", True)
    problem = smooth_game(*_CASES[job.case])
    model = mlodsl.compile(problem.text, data=dict(problem.data))
    folded, _, chosen = planned(model, strategy="implicit")
    own, tolerance = jnp.asarray(problem.start), jnp.asarray(_TOLERANCE)
    guess = jnp.zeros(flat_size(folded.sizes, 1))

    def make(way: str) -> Callable[[], np.ndarray]:
        abilities = dataclasses.replace(chosen.abilities, **_WAYS[way])
        nest = dataclasses.replace(chosen, abilities=abilities)
        return lambda: np.asarray(total_gradient(nest, own, guess, tolerance)[0])

    ready = yield from prepared(job, make)
    exact = ready[UNIT].answer

    def figures(way: str, answer: np.ndarray) -> dict[str, Any]:
        return {"difference": float(np.linalg.norm(answer - exact) / np.linalg.norm(exact))}

    yield from timed(job, ready, figures)


def _targets(rows: Sequence[Row]) -> Sequence[Target]:
    """The chosen way beside the best of all."""
    found = []
    for case in dict.fromkeys(row.case for row in rows):
        ratios = [row.figures["ratio"] for row in rows if row.case == case and row.failure is None]
        slower = 1 / min(ratios) if ratios else None
        found.append(Target(f"{case}: the chosen way beside the best", slower, _NEARLY))
    return found


def _draw(rows: Sequence[Row]) -> Drawing:
    return draw_bars(rows, tuple(_WAYS), "ratio", "processor time, the chosen way = 1")


SUITE = Suite(
    name="ways",
    title="One total gradient by each way that the solver knows",
    cases=tuple(_CASES),
    quick=("3x10",),
    contenders=tuple(_WAYS),
    measure=_measure,
    draw=_draw,
    targets=_targets,
)
