"""optimistix: root finds of gradients, nested, with `ImplicitAdjoint`.

What makes it fast here: the Hessians are tagged positive semidefinite, so that many variables go
with conjugate gradients and few with Cholesky (its default, an untagged solve, is several times
slower), and levels are solved by its Newton's method.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import lineax
import numpy as np
import optimistix

from benchmarks.problems.problem import Problem

from .contender import ADJOINT_TOLERANCE, LOWER_TOLERANCE, Kind, Solved
from .outer import share_of, solver_of_answers

MANY = 400
"""Variables of a level, above which matrices take longer than conjugate gradients."""
# Its conjugate gradients stop at once where a component of the right-hand side is zero and this is.
_ABSOLUTE = 1e-9
# Newton's own steps need not be exact.
_INEXACT = 0.1
POSITIVE = frozenset({lineax.positive_semidefinite_tag})


class Linear(NamedTuple):
    """How linear systems are solved: those of Newton's steps, the adjoint ones, and what is known
    of the matrices."""

    steps: Any
    adjoint: Any
    tags: frozenset[Any] = POSITIVE


def conjugate_gradients() -> Any:
    """To the tolerance of all contenders."""
    return lineax.CG(rtol=ADJOINT_TOLERANCE, atol=_ABSOLUTE)


def tuned(size: int, exact: float) -> Linear:
    """Cholesky, or from many variables on conjugate gradients, in Newton's steps inexact ones."""
    if size > MANY:
        inexact = lineax.CG(rtol=_INEXACT, atol=_INEXACT * exact)
        return Linear(inexact, conjugate_gradients())
    return Linear(*2 * [lineax.AutoLinearSolver(well_posed=True)])


class _Given(optimistix.AbstractRootFinder):
    """Returns the point it starts from."""

    rtol: float = 0.0
    atol: float = 0.0
    norm: Any = optimistix.max_norm

    def init(self, fn: Any, y: Any, args: Any, options: Any, f: Any, aux: Any, tags: Any) -> Any:
        """No state."""
        return None

    def step(self, fn: Any, y: Any, args: Any, options: Any, state: Any, tags: Any) -> Any:
        """Never taken."""
        _, aux = fn(y, args)
        return y, state, aux

    def terminate(self, fn: Any, y: Any, args: Any, options: Any, state: Any, tags: Any) -> Any:
        """At once."""
        return jnp.array(True), optimistix.RESULTS.successful

    def postprocess(
        self,
        fn: Any,
        y: Any,
        aux: Any,
        args: Any,
        options: Any,
        state: Any,
        tags: Any,
        result: Any,
    ) -> Any:
        """The point itself."""
        return y, aux, {}


class Nest:
    """The total gradients of a problem's levels, each through the answers of those below."""

    def __init__(
        self,
        problem: Problem,
        guesses: Sequence[Any],
        given: bool,
        exact: float,
        linear: Callable[[int, float], Linear] = tuned,
    ) -> None:
        self.problem = problem
        self.linear = linear
        self.guesses = tuple(guesses)
        self.given = given
        self.exact = exact

    def answers(self, data: Any, above: tuple[Any, ...]) -> tuple[Any, ...]:
        """The levels' below the `above`."""
        level = len(above)
        if level == self.problem.levels:
            return ()
        linear = self.linear(self.problem.sizes[level], self.exact)
        solver = (
            _Given()
            if self.given
            else optimistix.Newton(rtol=1e-10, atol=self.exact, linear_solver=linear.steps)
        )
        own = optimistix.root_find(
            lambda own, args: self.gradient(args[0], args[1], own),
            solver,
            self.guesses[level - 1],
            (data, above),
            adjoint=optimistix.ImplicitAdjoint(linear.adjoint),
            tags=linear.tags,
        ).value
        return (own, *self.answers(data, (*above, own)))

    def gradient(self, data: Any, above: tuple[Any, ...], own: Any) -> Any:
        """The total gradient of the level below `above`."""
        objective = self.problem.objectives[len(above)]

        def anticipating(own: Any) -> Any:
            here = (*above, own)
            return objective(data, *here, *self.answers(data, here))

        return jax.grad(anticipating)(own)


def total_gradient(
    problem: Problem,
    kind: Kind,
    below: Sequence[np.ndarray],
    linear: Callable[[int, float], Linear],
    *,
    finds: bool,
) -> Callable[[], np.ndarray]:
    """`jax.grad` through nested root finds, from given solutions or from zero.

    Arguments:
        finds: whether roots are looked for, or the guesses returned.
    """
    guesses = below if kind == "given" else [np.zeros(size) for size in problem.sizes[1:]]
    data = {name: jnp.asarray(value) for name, value in problem.data.items()}

    @jax.jit
    def evaluate(data: Any, guesses: Any, own: Any) -> Any:
        nest = Nest(problem, guesses, not finds, LOWER_TOLERANCE, linear)
        return nest.gradient(data, (), own)

    arguments = data, tuple(map(jnp.asarray, guesses)), jnp.asarray(problem.start)
    return lambda: np.asarray(evaluate(*arguments))


class Optimistix:
    """Any number of levels, as far as compiling goes."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """`jax.grad` through nested root finds, which return given solutions as they are."""
        return total_gradient(problem, kind, below, tuned, finds=kind == "cold")

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """BFGS on total gradients, each lower level started from where it last ended."""

        def answers(data: Any, own: Any, guesses: Any, exact: float) -> Any:
            return Nest(problem, guesses, False, exact).answers(data, (own,))

        return solver_of_answers(problem, answers, tolerance, share_of(tolerance))


CONTENDER = Optimistix()
