"""Ten updates by the paper's ITD scheme on the wine problem: a measure, not a way to solve it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.papers.schemes import METHODS
from benchmarks.papers.updates import compiled_update
from benchmarks.papers.wine_data import SCHEME, wine_model
from benchmarks.problems.problem import Problem

from .contender import Kind, Solved, Unsupported

_UPDATES = 10


class PaperItd:
    """30 × 3 unrolled steps differentiated in reverse, as in `benchmarks.papers.wine_time`."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """It has none."""
        raise Unsupported("only the wine problem's updates are measured")

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """The updates, all from the problem's start: they take the same time anywhere."""
        if problem.name != "wine":
            raise Unsupported("only the wine problem's updates are measured")
        update = compiled_update(wine_model("red"), strategy=METHODS["ITD"], level=SCHEME)

        def once() -> Solved:
            for _ in range(_UPDATES):
                update()
            return Solved(None, _UPDATES, _UPDATES, note="10 updates, far from solved")

        return once


CONTENDER = PaperItd()
