"""optimistix as its documentation has it: linear solves to one tolerance, its own or one named.

Single gradients by conjugate gradients, from the given solutions or from zero; solves with its
default linear solver and a fixed tolerance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import lineax
import numpy as np
import optimistix

from benchmarks.problems.problem import Problem

from .contender import (
    ADJOINT_TOLERANCE,
    FIXED_TOLERANCE,
    LOWER_TOLERANCE,
    Kind,
    Solved,
    Unsupported,
)
from .outer import solver_of_answers

# Its conjugate gradients stop at once where a component of the right-hand side is zero and this is.
_ABSOLUTE = 1e-9


class PlainOptimistix:
    """Two levels, by `root_find` with no options."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """`jax.grad` through a root find that starts at the given solution, or at zero."""
        lower, upper = _lower(problem), problem.objectives[0]
        start = below[0] if kind == "given" else np.zeros(problem.sizes[1])
        data = {name: jnp.asarray(value) for name, value in problem.data.items()}
        linear = lineax.CG(rtol=ADJOINT_TOLERANCE, atol=_ABSOLUTE)
        newton = optimistix.Newton(rtol=LOWER_TOLERANCE, atol=LOWER_TOLERANCE, linear_solver=linear)
        positive = frozenset({lineax.positive_semidefinite_tag})

        @jax.jit
        def evaluate(data: Any, guess: Any, own: Any) -> Any:
            def value(own: Any) -> Any:
                found = optimistix.root_find(
                    lower,
                    newton,
                    guess,
                    (data, own),
                    adjoint=optimistix.ImplicitAdjoint(linear),
                    tags=positive,
                )
                return upper(data, own, found.value)

            return jax.grad(value)(own)

        arguments = data, jnp.asarray(start), jnp.asarray(problem.start)
        return lambda: np.asarray(evaluate(*arguments))

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """BFGS on total gradients, the lower level started from where it last ended."""
        lower = _lower(problem)

        def answers(data: Any, own: Any, guesses: Any, exact: float) -> Any:
            newton = optimistix.Newton(rtol=exact, atol=exact)
            return (optimistix.root_find(lower, newton, guesses[0], (data, own)).value,)

        return solver_of_answers(problem, answers, tolerance, FIXED_TOLERANCE)


def _lower(problem: Problem) -> Callable[[Any, Any], Any]:
    """The lower level's gradient, as `root_find` takes it."""
    if problem.levels > 2:
        raise Unsupported("two levels alone: the contender `optimistix` nests")
    objective = problem.objectives[1]

    def stationarity(below: Any, given: Any) -> Any:
        data, own = given
        return jax.grad(objective, 2)(data, own, below)

    return stationarity


CONTENDER = PlainOptimistix()
