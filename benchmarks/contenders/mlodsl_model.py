"""mlodsl itself: a model's text, no options, and its compiled hypergradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import mlodsl
from benchmarks.papers.running import planned
from benchmarks.problems.problem import Problem
from mlodsl.calculus import point_of
from mlodsl.solver.oracle import LATE, evaluate_top

from .contender import ADJOINT_TOLERANCE, LOWER_TOLERANCE, Kind, Solved


def compiled(problem: Problem) -> mlodsl.Model:
    """The problem's model."""
    return mlodsl.compile(problem.text, data=dict(problem.data))


class Mlodsl:
    """Linear solves are as exact as those of the others; everything else is as by default."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """The compiled evaluation that `model.solve` calls in each turn of the top level.

        For given lower solutions the lower levels are held still.
        """
        model = compiled(problem)
        strategy = f"implicit(tolerance = {ADJOINT_TOLERANCE})"
        folded, _, nest = planned(model, strategy=strategy)
        sizes = folded.sizes
        given = kind == "given"
        vectors = tuple(map(jnp.asarray, below)) if given else tuple(map(jnp.zeros, sizes[1:]))
        still = jnp.zeros(len(sizes), bool).at[1:].set(given)
        nest = eqx.tree_at(lambda n: n.frozen, nest, still)
        arrays, static = eqx.partition(nest, eqx.is_array)
        # Lower levels are solved to a hundredth of what is asked of the hypergradient.
        tolerance = jnp.asarray(100 * LOWER_TOLERANCE)
        arguments = arrays, jnp.asarray(problem.start), point_of(sizes, 1, vectors), tolerance

        @jax.jit
        def evaluate(arrays: Any, own: Any, guess: Any, tolerance: Any) -> Any:
            return evaluate_top(eqx.combine(arrays, static), own, guess, tolerance, LATE).gradient

        return lambda: np.asarray(evaluate(*arguments))

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """`model.solve`, less the certificate."""
        model = compiled(problem)
        name = model.levels[0].name

        def once() -> Solved:
            result = model.solve(tolerance=tolerance)
            found = result.to_dict()
            point = np.concatenate(
                [np.ravel(result[variable]) for variable in model.levels[0].variables]
            )
            return Solved(
                point=point,
                steps=result.steps,
                hypergradients=found["evaluations"][name],
                compile_seconds=found["seconds"]["compile"],
                note=f"{result.status}; certificate {found['seconds']['certificate']:.3g} s",
            )

        return once


CONTENDER = Mlodsl()
