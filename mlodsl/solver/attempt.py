"""One strategy's run on a problem, with its certificate; and what to try after it."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Array

from mlodsl.calculus import Vectors, choices
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.strategies import Point

from .abilities import careful
from .certificate import Certificate, certify, finish
from .choose import ChosenStrategy
from .lanes import clock, in_lane
from .nest import Nest
from .oracle import evaluate_top
from .plan import exact_nest, optimistic_nest, plan_nest
from .preconditioning import preconditioned_near
from .readings import objectives, project_top
from .run import Run, Watch, response_below, run
from .run_at_once import run_at_once
from .status import Status

# How often a run goes on from where the top level stood still without being at a minimum.
_ESCAPES = 3

# A curvature below, of a level that isn't certainly curved, counts as none.
_FLAT = 1e-8


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run and what is known of the point it returned.

    Arguments:
        values: of all objectives there, as minimisations.
    """

    chosen: ChosenStrategy
    ran: Run
    returned: Point
    values: np.ndarray
    certificate: Certificate
    certificate_seconds: float


def attempt(
    problem: Problem,
    settings: Settings,
    chosen: ChosenStrategy,
    start: Vectors,
    tolerance: float,
    deadline: float | None,
    watch: Watch,
) -> Attempt:
    """Runs a strategy from a start and certifies where it ends.

    Where that is a maximum or a saddle of the top level, it goes on from beside it. Where a run
    that didn't look at the levels' curvature, or left their answers inexact, ends at something
    else than a solution, it begins anew and does neither.

    Arguments:
        start: a vector for each level.
        tolerance: on the top level's residual.
        deadline: on `clock`, after which the run ends; None for none.
    """
    nest = plan_nest(problem, settings, chosen.built)
    exact = exact_nest(problem, nest)
    is_exact, first = exact is nest, start
    ran: Run | None = None
    certifying = 0.0
    escapes = 0
    while True:
        if in_lane():
            ran = run_at_once(nest, start, tolerance=tolerance, deadline=deadline, earlier=ran)
        else:
            ran = run(nest, start, tolerance=tolerance, deadline=deadline, watch=watch, earlier=ran)
        before = clock()
        watch.on_phase("certificate")
        turn = ran.solve_seconds / max(int(ran.state.turns), 1)
        near = preconditioned_near(exact, ran.point, turn)
        if is_exact:
            returned, objectives_there, _ = finish(near, ran.point)
            values = np.asarray(objectives_there)
        else:
            returned = ran.point
            vectors = choices(problem.sizes, 0, returned.flat)
            values = np.asarray(objectives(problem, vectors))
        certificate, _ = certify(
            problem,
            near,
            returned,
            optimistic=functools.partial(optimistic_nest, problem, settings),
            tolerance=tolerance,
            seed=settings.seed,
        )
        certifying += clock() - before
        if certificate.findings and nest.adapts and ran.reason in (None, Status.STALLED):
            nest, start = dataclasses.replace(nest, abilities=careful(nest.abilities)), first
            continue
        if ran.reason is not None or certificate.descent is None or escapes == _ESCAPES:
            break
        escapes += 1
        start = _escape(problem, near, returned, certificate.descent)
    return Attempt(chosen, ran, returned, values, certificate, certifying)


def reconsider(found: Attempt) -> ChosenStrategy | None:
    """What `auto` goes on with after an attempt that its choice of strategy may have failed.

    Implicit differentiation fails at answers that aren't unique, or have no second derivatives;
    penalties where nothing is flat and their bias is all that is in the way.
    """
    chosen, certificate = found.chosen, found.certificate
    ended = found.ran.reason in (None, Status.STALLED, Status.DIVERGED)
    if chosen.otherwise is None or not certificate.findings or not ended or certificate.unbounded:
        return None
    lower = list(certificate.levels.values())[1:]
    known = [level for level in lower if level.min_curvature is not None]
    flat = any(not level.unique and abs(level.min_curvature or 0) <= _FLAT for level in known)
    after = chosen.otherwise()
    if chosen.name != "implicit":
        if flat or len(known) < len(lower):
            return None
        words = "where no answer below is flat"
    elif flat:
        words = "at an answer below that isn't unique"
    elif any(np.isfinite(level.gradient_norm or np.inf) for level in lower if level not in known):
        words = "at an answer below without second derivatives"
        built = dataclasses.replace(after.built, gradients_only=True)
        after = dataclasses.replace(after, built=built)
    else:
        return None
    reason = f"{after.reason}; switched to it from `{chosen.name}`, which ended {words}"
    return dataclasses.replace(after, reason=reason)


def better_of(first: Attempt, second: Attempt) -> Attempt:
    """The certified attempt; of two without a certificate the one of which more is known."""
    if not second.certificate.findings:
        return second
    if not first.certificate.findings:
        return first
    known = [one.certificate.hypergradient_norm for one in (first, second)]
    if known[0] is not None and (known[1] is None or known[0] <= known[1]):
        return first
    return second


def _escape(problem: Problem, nest: Nest, point: Point, descent: np.ndarray) -> tuple[Array, ...]:
    """A start a little off a maximum or a saddle of the top level, on its better side."""
    own = np.asarray(point.own)
    step = 1e-2 * (1 + np.linalg.norm(own)) * descent
    zero = np.zeros((), point.own.dtype)
    trials = []
    for sign in (1.0, -1.0):
        moved = project_top(problem, (own + sign * step).astype(own.dtype))
        trials.append(evaluate_top(nest, moved, response_below(nest, point), zero))
    best = min(trials, key=lambda trial: float(np.nan_to_num(trial.value, nan=np.inf)))
    return choices(problem.sizes, 0, best.flat)
