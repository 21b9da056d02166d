"""The certificate of a point: all checks, and the findings that speak against it."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from mlodsl.calculus import choices
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..nest import Nest
from ..oracle import evaluate_top
from ..outcome import Outcome
from ..run import response_below
from .curvature import Curvature
from .degeneracy import degeneracy_findings
from .lower import LowerLevel, certify_lower_level, read_lower_levels
from .names import name_of_entry
from .restarts import search_better_responses
from .sentences import (
    better_sentence,
    curvature_sentence,
    distance_sentence,
    level_words,
    runaway_sentence,
    unsolved_sentence,
)
from .structure import Certificate, LevelCertificate
from .top import Tangent, TopLevel, curvature, relative_error, tangent

_RESTART_SECONDS = 5.0


def finish_point(nest: Nest, point: Point) -> Point:
    """The point with its lower levels solved as far as rounding lets them."""
    zero = jnp.zeros((), point.own.dtype)
    return evaluate_top(nest, point.own, response_below(nest, point), zero)


def certify(
    problem: Problem, nest: Nest, returned: Point, *, tolerance: float, seed: int
) -> tuple[Certificate, Point]:
    """Verifies a point of the top level, by other means than those that found it.

    Arguments:
        nest: the exact nest: Newton at every lower level.
        returned: the point with the lower variables that are returned.
        tolerance: what the top level's residual must be within.
        seed: of random directions and starts.

    Returns:
        The certificate, and the point with its lower levels re-solved.
    """
    generator = np.random.default_rng(seed)
    point = finish_point(nest, returned)
    reads = read_lower_levels(nest, point)
    levels = {problem.level_names[read.level]: certify_lower_level(problem, read) for read in reads}
    outcomes = np.asarray(point.outcomes)
    unbounded = bool(np.any(outcomes == Outcome.UNBOUNDED))
    findings = lower_findings(problem, reads, outcomes)
    if findings or not bool(jnp.all(jnp.isfinite(point.gradient)) & jnp.isfinite(point.value)):
        findings = findings or _nonfinite_finding(problem)
        top_name = problem.level_names[0]
        levels = {top_name: LevelCertificate(None, None, None, None, None), **levels}
        return (
            Certificate(
                None, None, None, levels, None, None, None, None, 0, tuple(findings), unbounded
            ),
            point,
        )
    findings += degeneracy_findings(problem, nest, point, reads)
    deviation = _response_error(nest, returned, point)
    precision = float(np.sqrt(np.finfo(np.asarray(point.own).dtype).eps))
    if deviation > 100 * precision:
        findings.append(
            f"the lower levels' returned answer is off their best response by {deviation:.3g}, "
            "relative to 1 + its size"
        )
    better, starts = search_better_responses(
        nest, problem, point, generator, seconds=_RESTART_SECONDS
    )
    findings += [better_sentence(problem, response) for response in better]
    top = TopLevel(nest, problem, point)
    free = tangent(top)
    rounding = top.rounding(generator)
    size, descent = 0.0, None
    # Rounding excuses a residual only while it is small beside the gradient's own parts.
    excused = min(10 * rounding, precision * top.parts())
    if not top.residual <= max(tolerance, excused):
        findings.append(
            f"level `{problem.level_names[0]}`: its total gradient, with the levels below "
            f"re-solved, has norm {top.residual:.3g}, above the tolerance {tolerance:.3g}"
        )
        own_certificate = LevelCertificate(top.residual, None, None, None, None)
    else:
        own_certificate, more, found = _top_level(problem, top, free, rounding)
        findings += more
        if found is not None:
            size = max(abs(found.smallest), abs(found.largest))
            descent = found.axis if found.smallest < -found.floor else None
    error = relative_error(top, free, size, generator)
    accuracy = 1e-4 if precision < 1e-6 else 2e-2
    if error is None and free.stretch.size:
        findings.append("the total gradient could not be checked: the value isn't finite nearby")
    if error is not None and not error <= accuracy:
        findings.append(
            f"the total gradient disagrees with finite differences of the true best responses: "
            f"relative error {error:.3g}"
        )
    certificate = Certificate(
        claim=None if findings else "local",
        hypergradient_norm=top.residual,
        rounding=rounding,
        levels={problem.level_names[0]: own_certificate, **levels},
        constraint_violation=top.violation(),
        checked_against=None if error is None else "finite differences",
        relative_error=error,
        response_error=deviation,
        starts=starts,
        findings=tuple(findings),
        unbounded=unbounded or any(response.unbounded for response in better),
        descent=descent,
    )
    return certificate, point


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
        size = 1 + float(np.linalg.norm(read.own))
        eps = float(np.finfo(read.own.dtype).eps)
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
    before, after = (
        np.concatenate([np.asarray(part) for part in choices(sizes, 0, at.flat)[1:]])
        for at in (returned, point)
    )
    return float(np.linalg.norm(before - after) / (1 + np.linalg.norm(after)))


def _top_level(
    problem: Problem, top: TopLevel, free: Tangent, rounding: float
) -> tuple[LevelCertificate, list[str], Curvature | None]:
    """The top level's certificate, its findings, and its curvature where it is free to move."""
    name, sought, _ = level_words(problem, 0)
    found = curvature(top, free)
    if found is None:
        sentence = f"{name}: its curvature could not be computed around the point"
        return LevelCertificate(top.residual, None, None, None, None), [sentence], None
    if not np.isfinite(found.smallest):
        # No free direction: the point is a vertex of the domain.
        return LevelCertificate(top.residual, None, None, True, 0.0), [], None
    direction = name_of_entry(problem, 0, found.axis)
    certificate = LevelCertificate(
        gradient_norm=top.residual,
        min_curvature=found.smallest,
        direction=direction,
        unique=found.is_positive,
        distance=found.distance,
    )
    findings = []
    if found.smallest < -found.floor:
        findings.append(
            f"{name} is not at a {sought}: its total gradient vanishes, but its curvature along "
            f"`{direction}` is {found.smallest:.3g}; start it elsewhere"
        )
    elif not found.is_positive:
        if not _flat_on_both_sides(top, found.axis, rounding):
            findings.append(distance_sentence(problem, 0, top.residual, np.inf))
    elif found.distance > 1e-6 * top.size and not _newton_contracts(top, free, rounding):
        findings.append(distance_sentence(problem, 0, top.residual, found.distance))
    return certificate, findings, found


def _flat_on_both_sides(top: TopLevel, axis: np.ndarray, rounding: float) -> bool:
    """Whether a direction without curvature is a flat minimum and not the end of a slope.

    The value must rise on both sides, or on neither, out to the size of the point.
    """
    here = top.value_at(top.own)
    noise = 1e3 * top.eps * abs(here) + 10 * rounding * top.size
    changes = [
        top.value_at((top.own + sign * top.size * axis).astype(top.own.dtype)) - here
        for sign in (1.0, -1.0)
    ]
    rises = [change > noise for change in changes]
    falls = any(not change >= -noise for change in changes)
    return not falls and rises[0] == rises[1]


def _newton_contracts(top: TopLevel, free: Tangent, rounding: float) -> bool:
    """Whether steps of a secant method along the gradient shrink it as at a true minimum.

    At a minimum with curvature a step of Newton's length leaves next to nothing of the
    gradient; where it fades out exponentially or by a power, a good part is left.
    """
    direction = free.restrict(top.gradient)
    norm = float(np.linalg.norm(direction))
    if norm == 0:
        return True
    unit = free.lift(direction / norm).astype(top.own.dtype)
    step = top.eps ** (1 / 3) * top.size
    slope = float(unit @ (top.gradient_at(top.own + step * unit) - top.gradient)) / step
    if slope <= 0:
        return False
    moved = top.gradient_at((top.own - norm / slope * unit).astype(top.own.dtype))
    left = abs(float(unit @ moved))
    return left <= 0.1 * norm + 10 * rounding
