"""What a contender is asked for: compiled hypergradients, and whole solves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from benchmarks.problems.problem import Problem

LOWER_TOLERANCE = 1e-9
"""On the norm of a lower level's gradient, where lower levels are solved from zero."""
ADJOINT_TOLERANCE = 1e-8
"""On the residual of an iterative linear solve, relative to its right-hand side."""

FIXED_TOLERANCE = 1e-8
"""On lower levels and adjoints of the peers that aren't tuned, whatever the progress."""

Kind = Literal["given", "cold"]
"""Whether the lower solutions are given, or are to be found from zero."""


class Unsupported(Exception):
    """A case that a contender can't do; the message is its package's own, or says what lacks."""


@dataclass(frozen=True, slots=True)
class Solved:
    """Where a solve ended.

    Arguments:
        point: the top level's variables; None where nothing was to be solved.
        steps: of the top level.
        hypergradients: how many were computed.
        seconds: of the processor, where less than the whole call counts.
        note: what it says of itself.
    """

    point: np.ndarray | None
    steps: int
    hypergradients: int
    seconds: float | None = None
    note: str = ""


class Contender(Protocol):
    """One way to solve multilevel problems."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """A function that computes the total gradient at the problem's start.

        Its first call compiles. Each call runs to the end and computes everything anew.

        Arguments:
            below: the solution of each lower level there, for `given`.

        Raises:
            Unsupported: it can't do the case.
        """
        ...

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """A function that solves the problem from its start, the lower levels from zero.

        Arguments:
            tolerance: on the norm of the hypergradient.

        Raises:
            Unsupported: it can't do the case.
        """
        ...
