"""optimistix as its documentation has it: the default linear solver, and a fixed tolerance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import optimistix

from benchmarks.problems.problem import Problem

from .contender import FIXED_TOLERANCE, Kind, Solved, Unsupported
from .outer import solver_of_answers


class PlainOptimistix:
    """Two levels, by `root_find` with no options."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """Measured with its faster options alone."""
        raise Unsupported("the contender `optimistix` computes single gradients")

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """BFGS on total gradients, the lower level started from where it last ended."""
        if problem.levels > 2:
            raise Unsupported("the contender `optimistix` nests")
        lower = problem.objectives[1]

        def stationarity(below: Any, given: Any) -> Any:
            data, own = given
            return jax.grad(lower, 2)(data, own, below)

        def answers(data: Any, own: Any, guesses: Any, exact: float) -> Any:
            newton = optimistix.Newton(rtol=exact, atol=exact)
            return (optimistix.root_find(stationarity, newton, guesses[0], (data, own)).value,)

        return solver_of_answers(problem, answers, tolerance, FIXED_TOLERANCE)


CONTENDER = PlainOptimistix()
