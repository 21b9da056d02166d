"""Whether the top level, where its residual vanishes, is at a minimum of its own problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .curvature import Curvature
from .names import name_of_entry
from .norms import norm
from .sentences import (
    degenerate_sentence,
    distance_sentence,
    fall_sentence,
    far_sentence,
    flattening_sentence,
    level_words,
)
from .structure import LevelCertificate, LevelErrors
from .surroundings import explore
from .top import Rounding, Tangent, TopLevel
from .top_curvature import Secants, curvature, newton_contracts, rises_after

_EXPLORE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of the top level at a standstill.

    Arguments:
        descent: a direction of descent, where it is no minimum and one was found.
        largest: the largest curvature in size.
    """

    certificate: LevelCertificate
    findings: list[str]
    descent: np.ndarray | None = None
    largest: float = 0.0


def judge_top(
    top: TopLevel,
    free: Tangent,
    rounding: Rounding,
    secants: Secants | None,
    tolerance: float,
    generator: np.random.Generator,
) -> Verdict:
    """The top level's curvature, its distance from the minimum, and what rays from it show.

    Arguments:
        secants: by `secants_of_axes`.
    """
    problem = top.problem
    name, sought, _ = level_words(problem, 0)
    found = curvature(top, free, rounding, secants)
    if found is None:
        sentence = f"{name}: its curvature could not be computed around the point"
        return Verdict(LevelCertificate(top.residual, None, None, None, None), [sentence])
    reach = reach_of(top.eps, tolerance)
    findings: list[str] = []
    if np.isfinite(found.smallest):
        certificate, largest = _certificate(top, found, rounding), _size(found)
        if found.smallest < -found.floor:
            findings.append(
                f"{name} is not at a {sought}: its total gradient vanishes, but its curvature "
                f"along `{certificate.direction}` is {found.smallest:.3g}; start it elsewhere"
            )
            return Verdict(certificate, findings, found.axis, largest)
        findings += _distance_findings(top, free, found, rounding, reach)
    else:
        # No free direction: the point is a vertex of the domain.
        certificate, largest = LevelCertificate(top.residual, None, None, True, 0.0), 0.0
    if findings:
        return Verdict(certificate, findings, None, largest)
    around = explore(top, rounding, found, reach, generator, seconds=_EXPLORE_SECONDS)
    if around.fall is not None:
        sentence = fall_sentence(problem, around.fall)
        return Verdict(certificate, [sentence], around.fall.direction, largest)
    if around.one_sided:
        findings.append(distance_sentence(problem, 0, top.residual, np.inf))
    return Verdict(certificate, findings, None, largest)


def reach_of(eps: float, tolerance: float) -> float:
    """How far from the minimum a certified point may be, relative to 1 + its size.

    More where a looser tolerance than the precision's own was asked for.
    """
    usual = 1e-8 if eps < 1e-12 else 1e-4
    return min(0.3, eps**0.4 * max(1.0, 10 * tolerance / usual if tolerance > usual else 1.0))


def _certificate(top: TopLevel, found: Curvature, rounding: Rounding) -> LevelCertificate:
    return LevelCertificate(
        gradient_norm=top.residual,
        min_curvature=found.smallest,
        direction=name_of_entry(top.problem, 0, found.axis),
        unique=found.is_positive,
        distance=found.distance,
        errors=LevelErrors(norm(rounding.gradient), found.error),
    )


def _size(found: Curvature) -> float:
    return max(abs(found.smallest), abs(found.largest))


def _distance_findings(
    top: TopLevel, free: Tangent, found: Curvature, rounding: Rounding, reach: float
) -> list[str]:
    """A minimum that curvature and gradient together put too far off, or nowhere."""
    if not found.is_positive:
        return []
    if found.newton is not None:
        relative = float((np.abs(found.newton) / (1 + np.abs(top.own))).max())
    else:
        relative = found.distance / top.size
    if relative <= min(reach, top.eps**0.4):
        return []
    noise = float(np.linalg.norm(rounding.gradient))
    contracts = newton_contracts(top, free, noise)
    if contracts and relative <= reach:
        return []
    step = _newton_step(top, found)
    rises = rises_after(top, step, noise)
    if rises == np.inf:
        return [flattening_sentence(top.problem, top.residual, step)]
    if rises is not None and rises > 2:
        return [degenerate_sentence(top.problem, top.residual, found.distance)]
    if not contracts:
        return [distance_sentence(top.problem, 0, top.residual, found.distance)]
    return [far_sentence(top.problem, top.residual, found.distance)]


def _newton_step(top: TopLevel, found: Curvature) -> np.ndarray:
    """-H⁻¹ g; where H isn't a matrix, as far along its flattest axis."""
    if found.newton is not None:
        return -found.newton
    return -float(np.sign(found.axis @ top.gradient)) * found.distance * found.axis
