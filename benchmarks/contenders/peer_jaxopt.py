"""jaxopt: its L-BFGS at each lower level, `custom_root` with `solve_cg` for the derivatives.

Levels are nested: the solver of a level differentiates through those of the levels below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxopt import LBFGS
from jaxopt.implicit_diff import custom_root
from jaxopt.linear_solve import solve_cg

from benchmarks.problems.problem import Problem

from .contender import ADJOINT_TOLERANCE, LOWER_TOLERANCE, Kind, Solved
from .outer import share_of, solver_of_answers

_MEMORY = 30


class Nest:
    """A problem's levels, each anticipating the answers of those below."""

    def __init__(
        self, problem: Problem, guesses: Sequence[Any], given: bool, exact: float, adjoint: float
    ) -> None:
        self.problem = problem
        self.guesses = tuple(guesses)
        self.given = given
        self.exact = exact
        self.linear = partial(solve_cg, tol=adjoint)

    def answers(self, data: Any, above: tuple[Any, ...]) -> tuple[Any, ...]:
        """The levels' below the `above`."""
        level = len(above)
        if level == self.problem.levels:
            return ()

        def objective(own: Any, above: Any, data: Any) -> Any:
            return self.anticipating(data, above, own)

        guess = self.guesses[level - 1]
        if self.given:
            solve = custom_root(jax.grad(objective), solve=self.linear)(
                lambda guess, above, data: guess
            )
            own = solve(guess, above, data)
        else:
            solver = LBFGS(
                objective,
                tol=self.exact,
                maxiter=2000,
                history_size=_MEMORY,
                implicit_diff_solve=self.linear,
            )
            own = solver.run(guess, above, data).params
        return (own, *self.answers(data, (*above, own)))

    def anticipating(self, data: Any, above: tuple[Any, ...], own: Any) -> Any:
        """The objective of the level below `above`."""
        here = (*above, own)
        return self.problem.objectives[len(above)](data, *here, *self.answers(data, here))


class Jaxopt:
    """Any number of levels that its derivatives go through.

    Arguments:
        exact: how exact lower levels and adjoints of a solve are; None: as its tolerance asks for.
    """

    def __init__(self, exact: float | None = None) -> None:
        self._exact = exact

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """`jax.grad` through decorated solvers, which for given solutions return these."""
        given = kind == "given"
        guesses = below if given else [np.zeros(size) for size in problem.sizes[1:]]
        data = {name: jnp.asarray(value) for name, value in problem.data.items()}

        @jax.jit
        def evaluate(data: Any, guesses: Any, own: Any) -> Any:
            nest = Nest(problem, guesses, given, LOWER_TOLERANCE, ADJOINT_TOLERANCE)
            return jax.grad(lambda own: nest.anticipating(data, (), own))(own)

        arguments = data, tuple(map(jnp.asarray, guesses)), jnp.asarray(problem.start)
        return lambda: np.asarray(evaluate(*arguments))

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """BFGS on total gradients, each lower level started from where it last ended."""

        def answers(data: Any, own: Any, guesses: Any, exact: float) -> Any:
            return Nest(problem, guesses, False, exact, exact).answers(data, (own,))

        return solver_of_answers(problem, answers, tolerance, self._exact or share_of(tolerance))


CONTENDER = Jaxopt()
