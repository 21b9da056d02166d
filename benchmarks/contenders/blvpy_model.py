"""blvpy on the model's text, as `benchmarks.peer_blvpy` translates it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.peer_blvpy import solve_by_blvpy
from benchmarks.problems.problem import Problem

from .contender import Kind, Solved, Unsupported
from .mlodsl_model import compiled


class Blvpy:
    """Two levels of disciplined problems; it solves, and has no hypergradients."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """It has none."""
        raise Unsupported("blvpy computes no hypergradients")

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """With its default options: it takes no tolerance on a hypergradient."""
        if problem.levels != 2:
            raise Unsupported("blvpy's problems have two levels")
        model = compiled(problem)
        names = tuple(model.levels[0].variables)

        def once() -> Solved:
            answer = solve_by_blvpy(model)
            if answer.variables is None:
                raise Unsupported(f"{answer.status}: {answer.message}")
            point = np.concatenate([np.ravel(answer.variables[name]) for name in names])
            return Solved(point, 0, 0, note=answer.status)

        return once


CONTENDER = Blvpy()
