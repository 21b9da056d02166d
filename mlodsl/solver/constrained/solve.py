"""A problem with constraints in, a certified solution out."""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.strategies import Implicit

from ..certificate.structure import Certificate, LevelCertificate
from ..choose import ChosenStrategy
from ..rules import Built
from ..run import Step, Watch
from ..solution import LocalSolution, Solution, as_written, values_of_params
from ..status import Status
from .certificate import Verdict, certify_candidate, violations
from .first_order import conditions, polish
from .functions import LOWER, UPPER, Functions
from .kkt import Candidate
from .nlp import nearest_feasible
from .search import LocalAnswer, Search, new_search, search_from, starts_of

# Starts where none are asked for.
_STARTS = 12
_MOST_CERTIFIED = 4
_UNBOUNDED = -1e10
_TOLERANCE = 1e-8


def is_constrained(problem: Problem) -> bool:
    """Whether the model has `subject to`, or a domain below the top level."""
    levels = range(problem.number_of_levels)
    return any(
        bool(problem.structure.player(level).constraints)
        or (level > 0 and problem.has_domain(level))
        for level in levels
    )


def solve_constrained(problem: Problem, settings: Settings, watch: Watch) -> Solution:
    """Solves a model of one or two levels with constraints by its follower's KKT conditions.

    Raises:
        ModelError: where the settings ask for what is not built for such models.
    """
    began = time.perf_counter()
    chosen = choose_constrained(problem, settings)
    count = _STARTS if settings.starts == "auto" else int(settings.starts)
    deadline = np.inf if settings.timeout is None else began + settings.timeout
    watch.on_phase("compile")
    functions = Functions.of(problem, settings.seed)
    shape = functions.shape
    functions.at(np.concatenate([*functions.start, np.zeros(shape.at_most + shape.equal)]))
    here = new_search(functions, settings.seed)
    compiled = time.perf_counter()
    watch.on_phase("solve")
    reason: Status | None = None
    trace: list[Step] = []
    tried = 0
    try:
        for start in starts_of(here, count):
            if tried == settings.max_steps:
                reason = Status.MAX_STEPS
                break
            if time.perf_counter() > deadline and tried:
                reason = Status.TIMEOUT
                break
            known = len(here.found)
            search_from(here, start, functions.start[1])
            tried += 1
            if len(here.found) > known:
                trace.append(_step(problem, here, tried, time.perf_counter() - compiled))
                watch.on_step(trace[-1])
    except KeyboardInterrupt:
        reason = Status.INTERRUPTED
    solved = time.perf_counter()
    watch.on_phase("certificate")
    tolerance = _TOLERANCE if settings.tolerance is None else settings.tolerance
    best, verdict = _certified(problem, settings, here, tolerance)
    status, message = _judge(problem, here, best, verdict, reason, tried)
    x, y, _, _ = shape.split(best.point)
    values, _ = functions.at(best.point)
    levels = range(problem.number_of_levels)
    names = problem.level_names
    ended = time.perf_counter()
    return Solution(
        status=status,
        message=message,
        strategy=chosen,
        params=values_of_params(problem),
        variables=_named(problem, x, y),
        objectives=as_written(problem, np.array([values[UPPER], values[LOWER]])[levels]),
        certificate=verdict.certificate,
        steps=tried,
        evaluations=dict(zip(names, functions.counts, strict=False)),
        products=dict.fromkeys(names, 0),
        seconds={
            "compile": compiled - began,
            "solve": solved - compiled,
            "certificate": ended - solved,
            "total": ended - began,
        },
        seed=settings.seed,
        device=str(jax.devices()[0].platform),
        trace=trace,
        local_solutions=tuple(_local(problem, here, one.candidate) for one in _sorted(here)),
    )


def unknowns_with_multipliers(problem: Problem, seed: int) -> int:
    """How many variables and multipliers of the lower level there are."""
    return Functions.of(problem, seed).shape.all


def choose_constrained(problem: Problem, settings: Settings) -> ChosenStrategy:
    """`kkt` for a model with constraints, and why.

    Raises:
        ModelError: where the settings ask for what is not built for such models.
    """
    wrong = []
    name = settings.strategy.name
    if name not in ("auto", "kkt"):
        message = f"`{name}` can't keep constraints yet"
        wrong.append(Diagnostic("E507", message, None, "use `kkt` or `auto`"))
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
            "the model has constraints: the lower level is replaced by its KKT conditions, whose "
            "pieces are searched from several starts; ruled out: strategies that differentiate an "
            "answer without constraints"
        )
    chosen_by = "auto" if name == "auto" else "user"
    return ChosenStrategy("kkt", chosen_by, reason, {}, Built(Implicit(), {}))


def _sorted(here: Search) -> list[LocalAnswer]:
    return sorted(here.found, key=lambda one: one.candidate.value)


def _certified(
    problem: Problem, settings: Settings, here: Search, tolerance: float
) -> tuple[Candidate, Verdict]:
    """The best local answer at which the follower has no better one, with its certificate.

    A better choice that the certificate finds close by is followed.
    """
    functions = here.functions
    last: tuple[Candidate, Verdict] | None = None
    for _ in range(_MOST_CERTIFIED):
        answers = _sorted(here)
        if not answers:
            break
        found = answers[0]
        candidate = polish(functions, here.rivals, found.candidate)
        verdict = certify_candidate(
            problem,
            functions,
            here.rivals,
            candidate,
            here.box,
            here.bounds,
            tolerance=tolerance,
            seed=settings.seed,
        )
        last = (candidate, verdict)
        if verdict.better_answer is not None:
            here.found.remove(found)
            x = functions.shape.split(candidate.point)[0]
            if here.rivals.add(x, verdict.better_answer):
                search_from(here, x, verdict.better_answer)
        elif verdict.better_choice is not None:
            search_from(here, *verdict.better_choice)
            if _sorted(here)[0] is found:
                return last
        else:
            return last
    return last or _nowhere(problem, functions)


def _nowhere(problem: Problem, functions: Functions) -> tuple[Candidate, Verdict]:
    """The least violated point where no local answer was found, and what is wrong with it."""
    shape = functions.shape
    own = nearest_feasible(functions, np.concatenate(functions.start))
    z = np.concatenate([own, np.zeros(shape.at_most + shape.equal)])
    violation, where = violations(problem, functions, z)
    if violation > 1e-6:
        finding = (
            f"no point was found that keeps all constraints: the nearest one violates {where} by "
            f"{violation:.3g}"
        )
    else:
        finding = (
            "there are points that keep all constraints, but none was found at which level "
            f"`{problem.level_names[-1]}` answers best and level `{problem.level_names[0]}` keeps "
            "its own"
        )
    blank = LevelCertificate(None, None, None, None, None)
    certificate = Certificate(
        claim=None,
        hypergradient_norm=None,
        rounding=None,
        levels=dict.fromkeys(problem.level_names, blank),
        constraint_violation=violation,
        checked_against=None,
        relative_error=None,
        response_error=None,
        starts=0,
        findings=(finding,),
    )
    value = float(functions.at(z)[0][UPPER])
    return Candidate(z, value, None, complete=False), Verdict(certificate)


def _judge(
    problem: Problem,
    here: Search,
    best: Candidate,
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
    if not here.found and verdict.better_answer is None:
        return Status.INFEASIBLE, findings
    if best.value <= _UNBOUNDED:
        side = "above" if problem.senses[0] == "maximize" else "below"
        return Status.DIVERGED, f"{top} is unbounded {side}; bound its variables"
    if verdict.certificate.findings:
        return Status.STALLED, findings
    optimum = "maximum" if problem.senses[0] == "maximize" else "minimum"
    message = f"{top} is at a local {optimum} of its own problem within its constraints"
    if problem.number_of_levels == 2:
        message += (
            f", and level `{problem.level_names[1]}` is at its best answer, as far as solving it "
            f"again from {verdict.certificate.starts} other starts and by another method can tell"
        )
    count = len(here.found)
    message += f"; the best of {count} local answer{'s' * (count != 1)} from {tried} starts"
    return Status.CONVERGED, message


def _step(problem: Problem, here: Search, tried: int, seconds: float) -> Step:
    candidate = _sorted(here)[0].candidate
    residual = float("nan")
    if candidate.piece is not None:
        found = conditions(here.functions, here.rivals, candidate.point, candidate.piece)
        residual = found.residual
    count = problem.number_of_levels
    counts = tuple(here.functions.counts[:count])
    return Step(tried, candidate.value, residual, seconds, counts, (0,) * count)


def _named(problem: Problem, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    vectors = tuple(map(jnp.asarray, (x, y)[: problem.number_of_levels]))
    return {name: np.asarray(value) for name, value in problem.unpack(vectors).items()}


def _local(problem: Problem, here: Search, candidate: Candidate) -> LocalSolution:
    x, y, _, _ = here.functions.shape.split(candidate.point)
    sign = -1 if problem.senses[0] == "maximize" else 1
    return LocalSolution(sign * candidate.value, _named(problem, x, y))
