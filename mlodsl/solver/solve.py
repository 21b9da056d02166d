"""A problem and settings in, a certified solution out."""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Array

from mlodsl.modules import Problem
from mlodsl.settings import Settings

from .choose import choose_strategy
from .constrained import is_constrained, solve_constrained
from .lanes import clock
from .run import Watch
from .several import judge_trials, local_answers, local_solutions, try_starts
from .solution import (
    LocalSolution,
    Solution,
    as_written,
    devices_of,
    platform_of,
    values_of_params,
)


def solve(problem: Problem, settings: Settings, watch: Watch | None = None) -> Solution:
    """Solves a problem as the settings say and certifies the point it returns.

    Computes in the problem's precision; for float64 it switches 64-bit arithmetic on around
    itself.

    Raises:
        ModelError: where the settings don't fit the problem.
    """
    with jax.enable_x64(True):
        began, watch = clock(), watch or Watch()
        folded = problem.fold()
        if is_constrained(folded):
            return solve_constrained(folded, settings, watch)
        return solve_smooth(folded, settings, watch, began)


def solve_smooth(problem: Problem, settings: Settings, watch: Watch, began: float) -> Solution:
    """As `solve`, where 64-bit arithmetic is on, for models without constraints.

    Arguments:
        problem: its lets folded.
        began: when, on `clock`.
    """
    watch.on_phase("compile")
    chosen = choose_strategy(problem, settings)
    chosen_after = clock() - began
    deadline = None if settings.timeout is None else began + settings.timeout
    trials = try_starts(problem, settings, chosen, deadline, watch)
    best = trials.best
    status, message = best.status, best.message
    several: tuple[LocalSolution, ...] = ()
    if trials.count > 1:
        status, message = judge_trials(trials)
        several = local_solutions(problem, local_answers(trials))
    found, ran = best.found, best.found.ran
    attempts = [one for trial in trials.all for one in trial.attempts]
    return Solution(
        status=status,
        message=message,
        strategy=found.chosen,
        params=values_of_params(problem),
        variables={name: np.asarray(value) for name, value in problem.unpack(best.vectors).items()},
        objectives=as_written(problem, best.values),
        certificate=found.certificate,
        steps=int(ran.state.steps),
        evaluations=_by_level(problem, ran.state.point.evaluations),
        products=_by_level(problem, ran.state.point.products),
        seconds={
            "compile": chosen_after + sum(one.ran.compile_seconds for one in attempts),
            "solve": sum(one.ran.solve_seconds for one in attempts),
            "certificate": sum(one.certificate_seconds for one in attempts),
            "total": clock() - began,
        },
        seed=settings.seed,
        device=platform_of(found.returned.flat),
        devices=devices_of(problem),
        trace=ran.trace,
        local_solutions=several,
    )


def _by_level(problem: Problem, counts: Array) -> dict[str, int]:
    return dict(zip(problem.level_names, np.asarray(counts).tolist(), strict=True))
