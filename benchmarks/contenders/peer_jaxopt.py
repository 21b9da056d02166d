"""jaxopt: `custom_root` around a lower solver, its adjoint system by `solve_cg`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxopt.implicit_diff import custom_root
from jaxopt.linear_solve import solve_cg

from benchmarks.problems.problem import Problem

from .contender import ADJOINT_TOLERANCE, LOWER_TOLERANCE, Kind, Solved, Unsupported


class Jaxopt:
    """Nested where there are more than two levels."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """`jax.grad` through a decorated solver, which for given solutions returns what it is
        given, and for cold ones runs jaxopt's L-BFGS."""
        if problem.levels != 2:
            raise Unsupported("written for two levels")
        from jaxopt import LBFGS

        upper, lower = problem.objectives
        data = {name: jnp.asarray(value) for name, value in problem.data.items()}
        own = jnp.asarray(problem.start)
        guess = jnp.asarray(below[0]) if kind == "given" else jnp.zeros(problem.sizes[1])

        def objective(below: jax.Array, own: jax.Array, data: Any) -> jax.Array:
            return lower(data, own, below)

        linear = partial(solve_cg, tol=ADJOINT_TOLERANCE)

        @custom_root(jax.grad(objective), solve=linear)
        def given(guess: jax.Array, own: jax.Array, data: Any) -> jax.Array:
            return guess

        solver = LBFGS(
            objective, tol=LOWER_TOLERANCE, maxiter=1000, implicit_diff_solve=linear, jit=True
        )

        def answer(guess: jax.Array, own: jax.Array, data: Any) -> jax.Array:
            if kind == "given":
                return given(guess, own, data)
            return solver.run(guess, own, data).params

        @jax.jit
        def evaluate(own: jax.Array, guess: jax.Array, data: Any) -> jax.Array:
            return jax.grad(lambda own: upper(data, own, answer(guess, own, data)))(own)

        return lambda: np.asarray(evaluate(own, guess, data))

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """Not yet."""
        raise Unsupported("not written")


CONTENDER = Jaxopt()
