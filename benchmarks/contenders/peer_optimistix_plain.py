"""optimistix as its documentation has it: no tags, its default linear solver, a fixed tolerance.

Where single gradients have many variables they go by conjugate gradients, all to one tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lineax
import numpy as np

from benchmarks.problems.problem import Problem

from .contender import FIXED_TOLERANCE, Kind, Solved
from .outer import solver_of_answers
from .peer_optimistix import MANY, Linear, Nest, conjugate_gradients, total_gradient


def _default(size: int, exact: float) -> Linear:
    return Linear(*2 * [lineax.AutoLinearSolver(well_posed=None)], frozenset())


def _with_conjugate_gradients(size: int, exact: float) -> Linear:
    return Linear(*2 * [conjugate_gradients()]) if size > MANY else _default(size, exact)


class PlainOptimistix:
    """Any number of levels, as far as compiling goes."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """`jax.grad` through nested root finds that start at the given solutions, or at zero."""
        return total_gradient(problem, kind, below, _with_conjugate_gradients, finds=True)

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """BFGS on total gradients, each lower level started from where it last ended."""

        def answers(data: Any, own: Any, guesses: Any, exact: float) -> Any:
            return Nest(problem, guesses, False, exact, _default).answers(data, (own,))

        return solver_of_answers(problem, answers, tolerance, FIXED_TOLERANCE)


CONTENDER = PlainOptimistix()
