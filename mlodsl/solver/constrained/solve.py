"""A problem with constraints in, a certified solution out."""

from __future__ import annotations

import time
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.strategies import Implicit

from ..choose import ChosenStrategy
from ..rules import Built
from ..run import Step, Watch
from ..solution import (
    LocalSolution,
    Solution,
    as_written,
    devices_of,
    platform_of,
    values_of_params,
)
from ..status import Status
from .certificate import Verdict, certify_candidate
from .first_order import conditions, polish
from .functions import Functions
from .kkt import Candidate, deeper
from .place import NOBODY
from .search import keep_as_fallback, search_from
from .state import LocalAnswer, Search, Tools, new_search, no_piece, rival_of, starts_of
from .trouble import can_be_kept, nowhere, runaway_sentence

# Starts where none are asked for, by the number of levels.
_STARTS = (12, 12, 8, 5)
_MOST_CERTIFIED = 8
_TOLERANCE = 1e-8


def is_constrained(problem: Problem) -> bool:
    """Whether the model has `subject to`, players, or a domain below the top level."""
    levels = problem.structure.checked.levels
    return any(
        info.has_players
        or any(player.constraints for player in info.players)
        or (level > 0 and problem.has_domain(level))
        for level, info in enumerate(levels)
    )


@dataclass(frozen=True, slots=True)
class Run:
    """A search that is over, and the best that it found."""

    search: Search
    best: Candidate
    solution: Solution


def solve_constrained(problem: Problem, settings: Settings, watch: Watch) -> Solution:
    """Solves a model with constraints or players by the KKT conditions of its lower levels.

    Raises:
        ModelError: where the settings ask for what is not built for such models.
    """
    return run_search(problem, settings, watch).solution


def run_search(
    problem: Problem, settings: Settings, watch: Watch, *, everything: bool = False
) -> Run:
    """As `solve_constrained`, with the search itself.

    Arguments:
        everything: whether constraints with infinite bounds take part too.
    """
    began = time.perf_counter()
    chosen = choose_constrained(problem, settings)
    deepest = min(problem.number_of_levels, len(_STARTS))
    count = _STARTS[deepest - 1] if settings.starts == "auto" else int(settings.starts)
    deadline = np.inf if settings.timeout is None else began + settings.timeout
    watch.on_phase("compile")
    functions = Functions.of(problem, settings.seed, everything=everything)
    functions.at(functions.start_below(), deeper(no_piece(functions)))
    here = new_search(functions, Tools(np.random.default_rng(settings.seed), deadline=deadline))
    here.by_value = chosen.name == "value_function"
    compiled = time.perf_counter()
    watch.on_phase("solve")
    reason: Status | None = None
    trace: list[Step] = []
    tried = 0
    try:
        # Where nothing seems to keep all constraints, few searches tell whether that is so.
        kept = can_be_kept(problem, here)
        for start in starts_of(here, functions.start_below(), count if kept else min(count, 3)):
            if tried == settings.max_steps:
                reason = Status.MAX_STEPS
                break
            if here.tools.is_late and tried:
                reason = Status.TIMEOUT
                break
            known = len(here.found)
            search_from(here, start)
            tried += 1
            if len(here.found) > known:
                trace.append(_step(problem, here, tried, time.perf_counter() - compiled))
                watch.on_step(trace[-1])
    except KeyboardInterrupt:
        reason = Status.INTERRUPTED
    solved = time.perf_counter()
    watch.on_phase("certificate")
    here.tools.deadline = np.inf
    tolerance = _TOLERANCE if settings.tolerance is None else settings.tolerance
    best, verdict = _certified(problem, here, tolerance)
    status, message = _judge(problem, here, verdict, reason, tried)
    ended = time.perf_counter()
    names = problem.level_names
    solution = Solution(
        status=status,
        message=message,
        strategy=chosen,
        params=values_of_params(problem),
        variables=_named(problem, functions.vectors(best.point)),
        objectives=as_written(problem, functions.objectives(best.point)),
        certificate=verdict.certificate,
        steps=tried,
        evaluations=dict(zip(names, functions.notes.counts, strict=True)),
        products=dict.fromkeys(names, 0),
        seconds={
            "compile": compiled - began,
            "solve": solved - compiled,
            "certificate": ended - solved,
            "total": ended - began,
        },
        seed=settings.seed,
        device=platform_of(best.point),
        devices=devices_of(problem),
        trace=trace,
        local_solutions=tuple(_local(problem, here, one.candidate) for one in _sorted(here)),
    )
    return Run(here, best, solution)


def unknowns_with_multipliers(problem: Problem, seed: int) -> int:
    """How many variables and multipliers of the lower levels there are."""
    return Functions.of(problem, seed).place.all


def choose_constrained(problem: Problem, settings: Settings) -> ChosenStrategy:
    """`kkt`, or `value_function` by name, for a model with constraints, and why.

    Raises:
        ModelError: where the settings ask for what is not built for such models.
    """
    wrong = []
    name = settings.strategy.name
    if name not in ("auto", "kkt", "value_function"):
        message = f"`{name}` can't keep constraints"
        wrong.append(Diagnostic("E507", message, None, "use `kkt`, `value_function` or `auto`"))
    if name == "value_function" and not _has_one_follower(problem):
        message = "`value_function` keeps constraints in models of two levels without players alone"
        wrong.append(Diagnostic("E507", message, None, "use `kkt` or `auto`"))
    if name == "value_function" and settings.strategy.options:
        message = "under constraints `value_function` has no options: it needs no penalty"
        wrong.append(Diagnostic("E507", message, None, "remove them"))
    if settings.precision != "float64":
        message = "models with constraints are solved in float64 alone"
        wrong.append(Diagnostic("E507", message, None, "remove `precision`"))
    if settings.batch_size is not None:
        message = "`batch_size` cannot be used yet: steps take all rows"
        wrong.append(Diagnostic("E804", message, None, "remove it"))
    if any(own != type(own)() for _, own in settings.levels):
        message = "`kkt` solves all levels at once, so that options of single levels don't fit"
        wrong.append(Diagnostic("E507", message, None, "remove `level NAME { … }` from `solve`"))
    if wrong:
        raise ModelError(wrong)
    reason = "named in the settings"
    if name == "auto":
        reason = (
            "the model has constraints or players: the lower levels are replaced by their KKT "
            "conditions, whose pieces are searched from several starts; ruled out: strategies that "
            "differentiate an answer without constraints"
        )
    chosen_by = "auto" if name == "auto" else "user"
    title = "kkt" if name == "auto" else name
    return ChosenStrategy(title, chosen_by, reason, {}, Built(Implicit(), {}))


def _has_one_follower(problem: Problem) -> bool:
    levels = problem.structure.checked.levels
    return len(levels) == 2 and not any(level.has_players for level in levels)


def _certified(problem: Problem, here: Search, tolerance: float) -> tuple[Candidate, Verdict]:
    """The best local answer at which no level below has a better one, with its certificate.

    A better choice that the certificate finds close by is followed. Where no local answer stands
    the certificate, the best choice with its answer is returned.
    """
    functions = here.functions
    last: tuple[Candidate, Verdict] | None = None
    for _ in range(_MOST_CERTIFIED):
        found = here.best
        if found is None:
            break
        candidate = polish(functions, here.rivals, found.candidate)
        verdict = certify_candidate(here, candidate, tolerance=tolerance)
        last = (candidate, verdict)
        if verdict.better_answer is not None:
            here.found.remove(found)
            keep_as_fallback(here, verdict.better_answer)
            if here.rivals.add(rival_of(functions, verdict.better_answer)):
                search_from(here, verdict.better_answer.point)
        elif verdict.wrong_below:
            here.found.remove(found)
            search_from(here, candidate.point)
        elif verdict.better_choice is not None:
            search_from(here, verdict.better_choice)
            if here.best is found:
                return last
        else:
            return last
    if here.fallback is not None:
        return here.fallback, certify_candidate(here, here.fallback, tolerance=tolerance)
    return last or nowhere(problem, functions)


def _judge(
    problem: Problem,
    here: Search,
    verdict: Verdict,
    reason: Status | None,
    tried: int,
) -> tuple[Status, str]:
    findings = ". ".join(one[:1].upper() + one[1:] for one in verdict.certificate.findings)
    top = f"level `{problem.level_names[0]}`"
    if reason is not None:
        words = {
            Status.TIMEOUT: "stopped at the time limit",
            Status.MAX_STEPS: "stopped at the limit of steps",
            Status.INTERRUPTED: "interrupted",
        }
        starts = f"{tried} start{'s' * (tried != 1)}"
        return reason, f"{words[reason]} after {starts}" + (f". {findings}" if findings else "")
    runaway = runaway_sentence(here)
    if runaway is not None:
        return Status.DIVERGED, runaway
    if not here.found and here.fallback is None and verdict.better_answer is None:
        infeasible = (verdict.certificate.constraint_violation or 0.0) > 1e-6
        # In deeper models, and of players, some answers are out of the search's reach.
        in_reach = problem.number_of_levels <= 2 and here.functions.place.level != NOBODY
        return Status.INFEASIBLE if infeasible or in_reach else Status.STALLED, findings
    if verdict.certificate.findings:
        return Status.STALLED, findings
    optimum = "maximum" if problem.senses[0] == "maximize" else "minimum"
    message = f"{top} is at a local {optimum} of its own problem within its constraints"
    if here.functions.place.level == NOBODY:
        message = f"{top} is at an equilibrium of its players"
    lower = [f"`{name}`" for name in problem.level_names[1:]]
    if lower:
        levels = f"level {lower[0]} is at its best answer"
        if len(lower) > 1:
            levels = f"levels {', '.join(lower[:-1])} and {lower[-1]} are at their best answers"
        message += (
            f", and {levels}, as far as solving again from {verdict.certificate.starts} other "
            "starts and by another method can tell"
        )
    count = len(here.found)
    message += f"; the best of {count} local answer{'s' * (count != 1)} from {tried} starts"
    return Status.CONVERGED, message


def _step(problem: Problem, here: Search, tried: int, seconds: float) -> Step:
    best = here.best
    assert best is not None, "a step is told where an answer was found"
    candidate = best.candidate
    residual = float("nan")
    if candidate.piece is not None:
        residual = conditions(
            here.functions, here.rivals, candidate.point, candidate.piece, second=False
        ).residual
    counts = tuple(here.functions.notes.counts)
    return Step(tried, candidate.value, residual, seconds, counts, (0,) * len(counts))


def _sorted(here: Search) -> list[LocalAnswer]:
    return sorted(here.found, key=lambda one: one.candidate.value)


def _named(problem: Problem, vectors: tuple[np.ndarray, ...]) -> dict[str, np.ndarray]:
    # Last digits outside of a domain are rounding.
    inside = (problem.project(level, jnp.asarray(own)) for level, own in enumerate(vectors))
    found = problem.unpack(tuple(inside))
    return {name: np.asarray(value) for name, value in found.items()}


def _local(problem: Problem, here: Search, candidate: Candidate) -> LocalSolution:
    sign = -1 if problem.senses[0] == "maximize" else 1
    objective = None if here.functions.place.level == NOBODY else sign * candidate.value
    return LocalSolution(objective, _named(problem, here.functions.vectors(candidate.point)))
