"""The certificate of a point: all checks, and the findings that speak against it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import equinox as eqx
import numpy as np

from mlodsl.calculus import choices
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..nest import Nest
from ..oracle import Evaluation, evaluate_with_objectives
from ..outcome import Outcome
from ..readings import objectives
from ..run import response_below
from .degeneracy import degeneracy_findings
from .differences import Differences
from .lower import LowerLevel, certify_lower_level, read_lower_levels
from .norms import eps_of, norm
from .optimistic import is_valley, select_tie, valley_findings
from .restarts import search_better_responses
from .sentences import (
    better_sentence,
    curvature_sentence,
    distance_sentence,
    level_words,
    runaway_sentence,
    unsolved_sentence,
)
from .standstill import judge_top
from .structure import Certificate, LevelCertificate
from .top import Look, TopLevel, look_for_rounding, measure_rounding, tangent
from .top_curvature import secants_of_axes

_RESTART_SECONDS = 5.0


def finish_point(nest: Nest, point: Point) -> Point:
    """The point with its lower levels solved as far as rounding lets them."""
    return finish(nest, point).point


def finish(nest: Nest, point: Point) -> Evaluation:
    """As `finish_point`, with all objectives there, as minimisations."""
    return evaluate_with_objectives(nest, point.own, response_below(nest, point))


def certify(
    problem: Problem,
    nest: Nest,
    returned: Point,
    *,
    optimistic: Callable[[], Nest | None],
    tolerance: float,
    seed: int,
) -> tuple[Certificate, Point]:
    """Verifies a point of the top level, by other means than those that found it.

    Arguments:
        nest: the exact nest: Newton at every lower level.
        returned: the point with the lower variables that are returned.
        optimistic: makes the nest that selects among the answers of a flat second level; None
            for models of another number of levels.
        tolerance: what the top level's residual must be within.
        seed: of random directions and starts.

    Returns:
        The certificate, and the point with its lower levels re-solved.
    """
    generator = np.random.Generator(np.random.PCG64(_sequence(seed)))
    point, _, slopes = finish(nest, returned)
    reads = read_lower_levels(nest, point, slopes=slopes)
    outcomes = np.asarray(point.outcomes)
    unbounded = Outcome.UNBOUNDED in outcomes.tolist()
    top_name = problem.level_names[0]
    solving = nest
    selecting = optimistic() if is_valley(problem, reads) else None
    if selecting is not None:
        solving = selecting
        point, reads = select_tie(nest, selecting, returned)
        findings = valley_findings(problem, selecting, point, reads[0], tolerance, generator)
    else:
        findings = lower_findings(problem, reads, outcomes)
    finite = np.isfinite(point.value) and np.isfinite(np.asarray(point.gradient)).all()
    if findings or not finite:
        findings = findings or _nonfinite_finding(problem)
        levels = {problem.level_names[r.level]: certify_lower_level(problem, r) for r in reads}
        levels = {top_name: LevelCertificate(None, None, None, None, None), **levels}
        return (
            Certificate(
                None, None, None, levels, None, None, None, None, 0, tuple(findings), unbounded
            ),
            point,
        )
    if solving is nest:
        findings += degeneracy_findings(problem, nest, point, reads)
    deviation = _response_error(nest, returned, point)
    precision = math.sqrt(eps_of(point.own))
    if deviation > 100 * precision:
        findings.append(
            f"the lower levels' returned answer is off their best response by {deviation:.3g}, "
            "relative to 1 + its size"
        )
    search = search_better_responses(
        nest, problem, point, reads, generator, seconds=_RESTART_SECONDS
    )
    findings += [better_sentence(problem, response) for response in search.better]
    findings += [search.twin] if search.twin is not None else []
    top = TopLevel(solving, problem, point, search.value, search.direct)
    free = tangent(top)
    by_ulps_alone = look_for_rounding(top, generator)
    secants, differences = secants_of_axes(top, free), Differences(top, free, generator)
    looks = (by_ulps_alone, None if secants is None else secants.look, differences.look)
    Look.together([look for look in looks if look is not None])
    rounding, by_ulps = measure_rounding(top, by_ulps_alone)
    size, descent = 0.0, None
    # Rounding excuses a residual only while it is small beside the gradient's own parts.
    excused = min(10 * by_ulps, precision * top.parts)
    if not top.residual <= max(tolerance, excused):
        findings.append(
            f"level `{top_name}`: its total gradient, with the levels below re-solved, has norm "
            f"{top.residual:.3g}, above the tolerance {tolerance:.3g}"
        )
        own_certificate = LevelCertificate(top.residual, None, None, None, None)
    else:
        verdict = judge_top(top, free, rounding, secants, tolerance, generator)
        own_certificate, descent = verdict.certificate, verdict.descent
        findings += verdict.findings
        size = verdict.largest
    check = differences.check(rounding, size)
    error = check.relative_error
    accuracy = 1e-4 if precision < 1e-6 else 2e-2
    if error is None and free.stretch.size:
        findings.append("the total gradient could not be checked: the value isn't finite nearby")
    if error is not None and not error <= accuracy:
        findings.append(
            f"the total gradient disagrees with finite differences of the true best responses: "
            f"relative error {error:.3g}"
        )
        # A wrong derivative would lead a run that goes on from here back again.
        descent = None
    gaps = search.gaps
    if deviation > 100 * precision:
        reads, lost = _as_returned(nest, problem, returned, point)
        gaps = np.maximum(gaps, lost)
    lower = {
        problem.level_names[read.level]: certify_lower_level(
            problem, read, float(gaps[read.level]), float(search.noise[read.level])
        )
        for read in reads
    }
    certificate = Certificate(
        claim=None if findings else "local",
        hypergradient_norm=top.residual,
        rounding=by_ulps,
        levels={top_name: own_certificate, **lower},
        constraint_violation=top.violation(),
        checked_against=None if error is None else "finite differences",
        relative_error=error,
        response_error=deviation,
        starts=search.starts,
        findings=tuple(findings),
        unbounded=unbounded or any(response.unbounded for response in search.better),
        descent=descent,
        difference_norm=check.norm,
        difference_error=check.error,
    )
    return certificate, point


@functools.lru_cache(maxsize=8)
def _sequence(seed: int) -> np.random.SeedSequence:
    """What a seed is made into by `numpy.random.default_rng`, as that takes most of its time."""
    return np.random.SeedSequence(seed)


def _as_returned(
    nest: Nest, problem: Problem, returned: Point, solved: Point
) -> tuple[list[LowerLevel], np.ndarray]:
    """The lower levels as they are returned, not solved again, and by how much each level's
    objective is above that of the solved ones."""
    still = np.arange(len(nest.game.sizes)) > 0
    held = eqx.tree_at(lambda n: n.frozen, nest, still)
    reads = read_lower_levels(held, finish_point(held, returned))
    values = (
        np.asarray(objectives(problem, choices(nest.game.sizes, 0, at.flat)))
        for at in (returned, solved)
    )
    here, there = values
    return reads, here - there


def lower_findings(problem: Problem, reads: list[LowerLevel], outcomes: np.ndarray) -> list[str]:
    """What is wrong at the lower levels, one sentence: of several faults the lowest level's.

    A gradient that fades out comes last: it often is another level's fault.
    """
    for read in reversed(reads):
        outcome = int(outcomes[read.level])
        sentence = (
            runaway_sentence(problem, read, outcome)
            or unsolved_sentence(problem, read, outcome)
            or curvature_sentence(problem, read)
        )
        if sentence is not None:
            return [sentence]
    for read in reversed(reads):
        assert read.curvature is not None
        distance = read.curvature.distance
        size = 1 + norm(read.own)
        eps = eps_of(read.own)
        if not distance <= eps**0.4 * size:
            return [distance_sentence(problem, read.level, read.gradient_norm, distance)]
    return []


def _nonfinite_finding(problem: Problem) -> list[str]:
    name = level_words(problem, 0)[0]
    return [
        f"{name}: its objective or total gradient is not a finite number at this point; "
        "set a start with `var … = …` where it is"
    ]


def _response_error(nest: Nest, returned: Point, point: Point) -> float:
    """How far the returned lower variables are from the re-solved ones."""
    sizes = nest.game.sizes
    if len(sizes) == 1:
        return 0.0
    before, after = (np.asarray(at.flat)[sizes[0] : sum(sizes)] for at in (returned, point))
    return norm(before - after) / (1 + norm(after))
