"""Several starts: each solved and certified by itself, the best answer kept, all of them told."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlodsl.calculus import Vectors, choices, on_host
from mlodsl.modules import Problem
from mlodsl.settings import Settings

from .attempt import Attempt, attempt, better_of, reconsider
from .certificate.standstill import reach_of
from .choose import ChosenStrategy
from .judge import in_a_row, judge
from .lanes import clock, in_lane
from .plan import top_tolerance
from .run import Step, Watch
from .solution import LocalSolution
from .starts import count_of_starts, starting_points
from .status import Status

_STOPPED = {
    Status.TIMEOUT: "stopped at the time limit",
    Status.INTERRUPTED: "interrupted",
}

_WORDS = {
    Status.MAX_STEPS: "stopped at the limit of steps",
    Status.TIMEOUT: "stopped at the time limit",
    Status.STALLED: "stalled",
    Status.DIVERGED: "diverged",
    Status.INFEASIBLE: "infeasible",
    Status.INTERRUPTED: "interrupted",
}

# Where answers are flat, how far apart ones that are as good may be and still count as one.
_FLAT_APART = 1e-2
_AS_GOOD = 1e-9


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one start.

    Arguments:
        attempts: all that were made; of two the second is by another strategy.
        found: the better one.
        vectors: the returned point, a vector for each level.
        values: the objectives there, as minimisations.
    """

    attempts: tuple[Attempt, ...]
    found: Attempt
    status: Status
    message: str
    vectors: Vectors
    values: np.ndarray

    @property
    def rank(self) -> tuple[bool, bool, bool, float]:
        """Less is better: converged before not, then the top level's objective.

        Of starts that did not converge, what is known of one whose level ran away is no answer.
        """
        value = float(self.values[0])
        return (
            self.status is not Status.CONVERGED,
            self.status is Status.DIVERGED,
            self.found.certificate.hypergradient_norm is None,
            value if np.isfinite(value) else np.inf,
        )


@dataclass(frozen=True, slots=True)
class Trials:
    """What came of all starts.

    Arguments:
        all: in the order of the starts; at least one.
        count: how many were asked for.
        stopped: what kept the others from being tried, or the last one from being solved.
        tolerance: on the top level's residual.
    """

    all: tuple[Trial, ...]
    count: int
    stopped: Status | None
    tolerance: float

    @property
    def best(self) -> Trial:
        """The one that is the result."""
        return min(self.all, key=lambda trial: trial.rank)


def try_starts(
    problem: Problem,
    settings: Settings,
    chosen: ChosenStrategy,
    deadline: float | None,
    watch: Watch,
) -> Trials:
    """Solves and certifies from as many starts as the settings ask for.

    All run the same compiled code. No start begins after the deadline; one that is interrupted
    is the last.

    Arguments:
        deadline: on `clock`; None for none.
        watch: a checkpoint is of the first start's first attempt.
    """
    count = count_of_starts(settings)
    tolerance = top_tolerance(problem, settings)
    found: list[Trial] = []
    stopped: Status | None = None
    starts = starting_points(problem, settings.seed, count)
    try:
        for number, start in enumerate(starts, start=1):
            if found and deadline is not None and clock() > deadline:
                stopped = Status.TIMEOUT
                break
            seen = watch if count == 1 else _numbered(watch, number)
            trial = _try_start(problem, settings, chosen, start, tolerance, deadline, seen)
            found.append(trial)
            if trial.status in _STOPPED:
                stopped = trial.status
                break
    except KeyboardInterrupt:
        if not found or in_lane():
            raise
        stopped = Status.INTERRUPTED
    return Trials(tuple(found), count, stopped, tolerance)


def _numbered(watch: Watch, number: int) -> Watch:
    """The watch over one of several starts; a checkpoint is of the first."""

    def on_step(step: Step) -> None:
        watch.on_step(dataclasses.replace(step, start=number))

    fresh = Watch(watch.on_phase, on_step)
    return dataclasses.replace(watch, on_step=on_step) if number == 1 else fresh


def _try_start(
    problem: Problem,
    settings: Settings,
    chosen: ChosenStrategy,
    start: Vectors,
    tolerance: float,
    deadline: float | None,
    watch: Watch,
) -> Trial:
    """An attempt by the chosen strategy, and where `auto` chose it and it failed, by another."""
    found = attempt(problem, settings, chosen, start, tolerance, deadline, watch)
    attempts = [found]
    second = reconsider(found)
    if second is not None:
        watch.on_phase("again")
        watch.on_phase("compile")
        fresh = Watch(watch.on_phase, watch.on_step)
        attempts.append(attempt(problem, settings, second, start, tolerance, deadline, fresh))
        found = better_of(*attempts)
    vectors = choices(problem.sizes, 0, on_host(np.asarray(found.returned.flat)))
    status, message = judge(problem, found, tolerance)
    return Trial(tuple(attempts), found, status, message, vectors, found.values)


# ---------------------------------------------------------------- what is told of them


def local_answers(trials: Trials) -> list[Trial]:
    """The certified answers that differ, best first; of those that don't, the best one."""
    found: list[Trial] = []
    converged = [trial for trial in trials.all if trial.status is Status.CONVERGED]
    for trial in sorted(converged, key=lambda one: one.rank):
        if not any(_are_one(trial, other, trials.tolerance) for other in found):
            found.append(trial)
    return found


def _are_one(trial: Trial, other: Trial, tolerance: float) -> bool:
    """Whether two answers are of one minimum, as far as each may be off it."""
    mine, its = (np.asarray(one.vectors[0]) for one in (trial, other))
    apart = float(np.max(np.abs(mine - its) / (1 + np.abs(its)), initial=0.0))
    if apart <= 2 * reach_of(float(np.finfo(its.dtype).eps), tolerance):
        return True
    values = (float(trial.values[0]), float(other.values[0]))
    as_good = abs(values[0] - values[1]) <= _AS_GOOD * (1 + abs(values[1]))
    return as_good and _is_flat(trial) and _is_flat(other) and apart <= _FLAT_APART


def _is_flat(trial: Trial) -> bool:
    return next(iter(trial.found.certificate.levels.values())).unique is False


def local_solutions(problem: Problem, answers: Sequence[Trial]) -> tuple[LocalSolution, ...]:
    """The answers as the result file holds them."""
    sign = -1 if problem.senses[0] == "maximize" else 1
    return tuple(
        LocalSolution(
            sign * float(one.values[0]),
            {name: np.asarray(value) for name, value in problem.unpack(one.vectors).items()},
        )
        for one in answers
    )


def judge_trials(trials: Trials) -> tuple[Status, str]:
    """The status and the message of several starts: those of the best, and how many led where."""
    best = trials.best
    tally = _tally(trials)
    if trials.stopped is None:
        return best.status, f"{best.message}; {tally}"
    begun, count = len(trials.all), trials.count
    where = f"{_STOPPED[trials.stopped]} after {begun} of {count} starts; {tally}"
    details = best.message
    if best.status in _STOPPED:
        details = in_a_row(best.found.certificate.findings)
    return trials.stopped, in_a_row(tuple(filter(None, (where, details))))


def _tally(trials: Trials) -> str:
    tried, statuses = len(trials.all), Counter(trial.status for trial in trials.all)
    converged = statuses.pop(Status.CONVERGED, 0)
    others = ", ".join(f"{number} {_WORDS[status]}" for status, number in statuses.items())
    if not converged:
        return f"none of {tried} start{'s' * (tried != 1)} converged ({others})"
    words = f"{converged} of {tried} start{'s' * (tried != 1)} converged"
    words += f" ({others})" if others else ""
    answers = len(local_answers(trials))
    if answers == 1:
        return f"{words}, all to this answer" if converged > 1 else words
    return f"{words}, to {answers} local answers, of which this is the best"
