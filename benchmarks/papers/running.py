"""Runs a model step by step under given options, and keeps every point on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import mlodsl
from mlodsl.calculus import choices, flat_size, point_of
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.solver import Watch
from mlodsl.solver.choose import choose_strategy
from mlodsl.solver.level import run_level
from mlodsl.solver.nest import Nest
from mlodsl.solver.oracle import evaluate_top
from mlodsl.solver.plan import plan_nest, top_tolerance
from mlodsl.solver.rules import Built
from mlodsl.solver.run import run
from mlodsl.solver.state import LevelState
from mlodsl.strategies import Implicit

NEVER = 1e-300
"""A tolerance that isn't reached: a run goes on to `max_steps`, or until rounding stops it."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A run, a row for each accepted step and one for the start.

    Arguments:
        points: each level's variables, an array (rows, size) for each level.
        norms: of the total gradient as the strategy computed it.
        evaluations: (rows, levels), how many total gradients were computed so far.
        seconds: since the run began, compiling left out.
    """

    points: tuple[np.ndarray, ...]
    norms: np.ndarray
    evaluations: np.ndarray
    seconds: np.ndarray

    @property
    def top(self) -> np.ndarray:
        """The top level's variables, (rows, size)."""
        return self.points[0]


def planned(model: mlodsl.Model, **options: Any) -> tuple[Problem, Settings, Nest]:
    """The problem, the settings and the nest of a model under the options of `model.solve`."""
    with jax.enable_x64(True):
        settings = model._settings(options)
        problem = model.problem.fold()
        chosen = choose_strategy(problem, settings)
        return problem, settings, plan_nest(problem, settings, chosen.built)


def follow(model: mlodsl.Model, **options: Any) -> Trajectory:
    """Runs the model, without a certificate, and keeps every point of its top level."""
    problem, settings, nest = planned(model, **options)
    points: list[tuple[np.ndarray, ...]] = []
    last = -1

    def keep(state: LevelState) -> None:
        nonlocal last
        if int(state.steps) > last:
            last = int(state.steps)
            found = choices(problem.sizes, 0, state.point.flat)
            points.append(tuple(np.asarray(vector) for vector in found))

    with jax.enable_x64(True):
        ran = run(
            nest,
            problem.start(jax.random.PRNGKey(settings.seed)),
            tolerance=top_tolerance(problem, settings),
            deadline=settings.timeout and time.perf_counter() + settings.timeout,
            watch=Watch(save=keep),
        )
    levels = range(problem.number_of_levels)
    return Trajectory(
        tuple(np.stack([point[level] for point in points]) for level in levels),
        np.array([step.residual for step in ran.trace]),
        np.array([step.evaluations for step in ran.trace]),
        np.array([step.seconds for step in ran.trace]),
    )


def whole_run(model: mlodsl.Model, **options: Any) -> Callable[[], LevelState]:
    """A function that runs the model and returns the last state.

    Its loop is compiled as a whole, for very many steps, and on the first call.
    """
    problem, settings, nest = planned(model, **options)
    with jax.enable_x64(True):
        start = point_of(problem.sizes, 0, problem.start(jax.random.PRNGKey(settings.seed)))
        tolerance = jnp.asarray(top_tolerance(problem, settings))

    def once() -> LevelState:
        with jax.enable_x64(True):
            return jax.block_until_ready(_run_top(nest, start, tolerance))

    return once


@eqx.filter_jit
def _run_top(nest: Nest, start: jax.Array, tolerance: jax.Array) -> LevelState:
    return run_level(nest, 0, (), start, tolerance)


def inference(model: mlodsl.Model) -> Callable[[Sequence[np.ndarray]], tuple[float, float]]:
    """A function from a point to the top objective and the norm of its total gradient after
    "an inference run": the lower levels solved to convergence, started from that point."""
    with jax.enable_x64(True):
        problem = model.problem.fold()
        nest = plan_nest(problem, Settings(), Built(Implicit(), {}))
        unknowns = flat_size(problem.sizes, 1)

    def infer(point: Sequence[np.ndarray]) -> tuple[float, float]:
        with jax.enable_x64(True):
            own, *below = (jnp.asarray(vector) for vector in point)
            guess = point_of(problem.sizes, 1, tuple(below))
            assert guess.size == unknowns
            found = evaluate_top(nest, own, guess, jnp.asarray(1e-12))
            return float(found.value), float(jnp.linalg.norm(found.gradient))

    return infer
