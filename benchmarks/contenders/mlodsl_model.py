"""mlodsl itself: a model's text, no options, and its compiled hypergradient."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

import mlodsl
from benchmarks.papers.running import planned
from benchmarks.problems.problem import Problem
from mlodsl.calculus import point_of
from mlodsl.solver import Step, Watch, solve
from mlodsl.solver.oracle import total_gradient

from .contender import ADJOINT_TOLERANCE, LOWER_TOLERANCE, Kind, Solved


def compiled(problem: Problem) -> mlodsl.Model:
    """The problem's model."""
    names = problem.data if problem.model_data is None else problem.model_data
    return mlodsl.compile(problem.text, data={name: problem.data[name] for name in names})


class Mlodsl:
    """Linear solves are as exact as those of the others; everything else is as by default."""

    def hypergradient(
        self, problem: Problem, kind: Kind, below: Sequence[np.ndarray]
    ) -> Callable[[], np.ndarray]:
        """What `model.hypergradient` computes once its arguments are read.

        It starts at lower solutions that are given, and looks whether they are minima.
        """
        model = compiled(problem)
        strategy = f"implicit(tolerance = {ADJOINT_TOLERANCE})"
        folded, _, nest = planned(model, strategy=strategy)
        sizes = folded.sizes
        vectors = below if kind == "given" else map(np.zeros, sizes[1:])
        # Lower levels are solved to a hundredth of what is asked of the hypergradient.
        tolerance = jnp.asarray(100 * LOWER_TOLERANCE)
        own, guess = jnp.asarray(problem.start), jnp.asarray(point_of(sizes, 1, tuple(vectors)))

        def evaluate() -> np.ndarray:
            return np.asarray(total_gradient(nest, own, guess, tolerance)[0])

        return evaluate

    def solve(self, problem: Problem, tolerance: float) -> Callable[[], Solved]:
        """`model.solve` with no option but the tolerance, until its certificate begins.

        What counts is from the start to the returned point, its `solve` phase.
        """
        model = compiled(problem)
        settings = model._settings({"tolerance": tolerance})

        def once() -> Solved:
            began = ended = 0.0
            steps: list[Step] = []
            states: list[Any] = []

            def on_phase(phase: str) -> None:
                nonlocal began, ended
                if phase == "solve":
                    began = time.process_time()
                elif phase == "certificate":
                    ended = time.process_time()
                    raise _SolvedNow

            watch = Watch(on_phase=on_phase, on_step=steps.append, save=states.append)
            with contextlib.suppress(_SolvedNow):
                solve(model.problem, settings, watch)
            return Solved(
                point=np.asarray(states[-1].point.own),
                steps=steps[-1].step,
                hypergradients=steps[-1].evaluations[0],
                seconds=ended - began,
                note=f"products {steps[-1].products}",
            )

        return once


class _SolvedNow(Exception):
    """The certificate would begin."""


CONTENDER = Mlodsl()
