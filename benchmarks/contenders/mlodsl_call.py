"""mlodsl as a user calls it for one gradient: `model.hypergradient`, with all that it checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.problems.problem import Problem

from .contender import ADJOINT_TOLERANCE, Kind, Solved, Unsupported
from .mlodsl_model import compiled


class MlodslCall:
    """The public call; the difference to the contender `mlodsl` is what Python does around it."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """With lower levels solved from the model's start; it takes no given solutions."""
        if kind == "given":
            raise Unsupported("`model.hypergradient` solves the lower levels itself")
        model = compiled(problem)
        (name,) = model.levels[0].variables
        choices = {name: problem.start}
        strategy = f"implicit(tolerance = {ADJOINT_TOLERANCE})"
        return lambda: np.asarray(model.hypergradient(choices, strategy=strategy)[name]).ravel()

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """The contender `mlodsl` does."""
        raise Unsupported("the contender `mlodsl` calls `solve`")


CONTENDER = MlodslCall()
