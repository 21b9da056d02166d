"""A problem and settings in, a certified solution out."""

from __future__ import annotations

import time

import jax
import numpy as np
from jaxtyping import Array

from mlodsl.calculus import choices
from mlodsl.modules import Problem
from mlodsl.settings import Settings

from .attempt import attempt, better_of, reconsider
from .choose import choose_strategy
from .constrained import is_constrained, solve_constrained
from .judge import judge
from .oracle import objectives
from .plan import top_tolerance
from .run import Watch
from .solution import Solution, as_written, values_of_params


def solve(problem: Problem, settings: Settings, watch: Watch | None = None) -> Solution:
    """Solves a problem as the settings say and certifies the point it returns.

    Computes in the problem's precision; for float64 it switches 64-bit arithmetic on around
    itself.

    Raises:
        ModelError: where the settings don't fit the problem.
    """
    with jax.enable_x64(True):
        return _solve(problem, settings, watch or Watch())


def _solve(problem: Problem, settings: Settings, watch: Watch) -> Solution:
    began = time.perf_counter()
    problem = problem.fold()
    if is_constrained(problem):
        return solve_constrained(problem, settings, watch)
    tolerance = top_tolerance(problem, settings)
    watch.on_phase("compile")
    chosen = choose_strategy(problem, settings)
    chosen_after = time.perf_counter() - began
    deadline = None if settings.timeout is None else began + settings.timeout
    found = attempt(problem, settings, chosen, tolerance, deadline, watch)
    attempts = [found]
    second = reconsider(found)
    if second is not None:
        watch.on_phase("compile")
        # A checkpoint is of the first run.
        fresh = Watch(watch.on_phase, watch.on_step)
        attempts.append(attempt(problem, settings, second, tolerance, deadline, fresh))
        found = better_of(*attempts)
    ran, certificate = found.ran, found.certificate
    vectors = choices(problem.sizes, 0, found.returned.flat)
    values = np.asarray(objectives(problem, vectors))
    status, message = judge(problem, found, tolerance)
    return Solution(
        status=status,
        message=message,
        strategy=found.chosen,
        params=values_of_params(problem),
        variables={name: np.asarray(value) for name, value in problem.unpack(vectors).items()},
        objectives=as_written(problem, values),
        certificate=certificate,
        steps=int(ran.state.steps),
        evaluations=_by_level(problem, ran.state.point.evaluations),
        products=_by_level(problem, ran.state.point.products),
        seconds={
            "compile": chosen_after + sum(one.ran.compile_seconds for one in attempts),
            "solve": sum(one.ran.solve_seconds for one in attempts),
            "certificate": sum(one.certificate_seconds for one in attempts),
            "total": time.perf_counter() - began,
        },
        seed=settings.seed,
        device=str(jax.devices()[0].platform),
        trace=ran.trace,
    )


def _by_level(problem: Problem, counts: Array) -> dict[str, int]:
    return dict(zip(problem.level_names, np.asarray(counts).tolist(), strict=True))
