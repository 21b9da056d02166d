"""What is known of a point of a model with constraints, found by other means than the search."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from ..certificate.names import quote_choice
from ..certificate.structure import Certificate, LevelCertificate
from .feasibility import violations
from .first_order import Conditions, conditions
from .functions import Functions
from .kkt import Candidate, deeper
from .lowest import THOROUGH, Effort, choice_near
from .place import OWN
from .search import better_below, responses
from .standing import certify_player, entry_name, standing_of, title_of
from .state import Response, Search, Tools, no_piece, player_point, with_players_moved

FEASIBLE = 1e-8
_OUTSIDE = 1e-10
_RADII = (1e-4, 1e-3, 1e-2, 1e-1)
_DIRECTIONS = 6
# How many other equilibria of the next level are looked for.
_EQUILIBRIA = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """A certificate, and what speaks for going on.

    Arguments:
        better_answer: of the next level, where one was found.
        wrong_below: whether a level below the next one has a better answer.
        better_choice: a z with a better objective close by, where it was found.
    """

    certificate: Certificate
    better_answer: Response | None = None
    wrong_below: bool = False
    better_choice: np.ndarray | None = None


def certify_candidate(here: Search, candidate: Candidate, *, tolerance: float) -> Verdict:
    """Verifies feasibility, the answers of all levels below, and that no choice close by is better.

    Every level is solved again from many samples, the lowest one by another method too (an
    interior-point trust-region method); the surroundings by answers to choices beside the top's.

    Arguments:
        tolerance: on the first-order conditions' residual.
    """
    functions = here.functions
    problem = functions.problem
    vectors = functions.vectors(candidate.point)
    violation, where = violations(problem, vectors, functions.duals(candidate.point))
    found = None
    if candidate.piece is not None:
        found = conditions(functions, here.rivals, candidate.point, candidate.piece)
    levels, findings = {}, []
    if violation > FEASIBLE:
        findings.append(f"{where} is violated by {violation:.3g}")
    if functions.place.own is not None:
        levels[title_of(functions)] = _top_level(functions, candidate, found)
    lower = certify_below(functions, candidate, here.tools)
    levels |= lower.levels
    findings += lower.findings
    findings += _order_findings(functions, candidate, found, tolerance)
    better_choice = None
    if not findings and functions.place.size:
        better_choice = _better_close_by(here, candidate)
        if better_choice is not None:
            own = functions.vectors(better_choice)[0]
            findings.append(
                f"level `{problem.level_names[0]}` does better close by, at "
                f"{quote_choice(problem, 0, own)}"
            )
    certificate = Certificate(
        claim=None if findings else "local",
        hypergradient_norm=None if found is None else found.residual,
        rounding=None if found is None else found.rounding,
        levels=levels,
        constraint_violation=violation,
        checked_against=None,
        relative_error=None,
        response_error=None,
        starts=THOROUGH.starts + 2 if functions.place.below is not None else 0,
        findings=tuple(findings),
    )
    return Verdict(certificate, lower.better_answer, lower.wrong_below, better_choice)


@dataclass(frozen=True, slots=True)
class Lower:
    """What is known of all levels below.

    Arguments:
        levels: their certificates, by level or `level.player`.
        findings: what speaks against their answers.
        better_answer: of the next level, where one was found.
        wrong_below: whether a level below the next one has a better answer.
    """

    levels: dict[str, LevelCertificate]
    findings: list[str]
    better_answer: Response | None
    wrong_below: bool


def certify_below(functions: Functions, candidate: Candidate, tools: Tools) -> Lower:
    """Solves each level below again, those above it standing still."""
    levels: dict[str, LevelCertificate] = {}
    findings: list[str] = []
    better_answer, wrong_below = None, False
    below, point = functions, candidate
    while below.place.below is not None:
        better, sentences, certificates = _next_level(tools, below, point)
        levels |= certificates
        findings += sentences
        if below is functions:
            better_answer = better
        else:
            for name, level in certificates.items():
                if level.unique is False:
                    findings.append(
                        f"level `{name}` has several best answers, or may have; which of them suit "
                        "the levels above best is known for the level right below the top alone"
                    )
            wrong_below |= better is not None
        mine = below.of_player(point.point, 0)
        piece = None if point.piece is None else point.piece[1:]
        z = player_point(below, point.point, 0)
        value = float(mine.at(z, deeper(piece))[0][OWN])
        below, point = mine, Candidate(z, value, piece, complete=True)
    return Lower(levels, findings, better_answer, wrong_below)


def _next_level(
    tools: Tools, above: Functions, candidate: Candidate
) -> tuple[Response | None, list[str], dict[str, LevelCertificate]]:
    """The players of the next level at their answer, and a better answer where there is one."""
    problem = above.problem
    gap, better = better_below(above, candidate, tools, THOROUGH, deep=False)
    certificates, findings = {}, []
    if np.isnan(gap):
        name = problem.level_names[len(above.above_below(candidate.point))]
        findings.append(
            f"level `{name}` could not be solved again here, so that nothing is known of its answer"
        )
    piece = None if candidate.piece is None else candidate.piece[1:]
    for player in range(above.players_below):
        mine = above.of_player(candidate.point, player)
        z = player_point(above, candidate.point, player)
        standing = certify_player(mine, z, piece, gap)
        certificates[title_of(mine)] = standing.certificate
        level = mine.place.level
        curvature = standing.certificate.min_curvature
        if curvature is not None and curvature < -1e-7:
            findings.append(
                f"level `{title_of(mine)}` is at no minimum: along its active constraints its "
                f"curvature is {curvature:.3g}, mostly in `{standing.certificate.direction}`"
            )
        if standing.better is not None and better is None:
            point = candidate.point.copy()
            shape = above.place.below
            assert shape is not None, "there is a level below"
            point[above.place.size :][shape.players[player].own] = standing.better[
                : mine.place.size
            ]
            better = Response(point, candidate.piece or no_piece(above), holds=False)
    if better is not None:
        own = above.place.answer(better.point)
        who = f"level `{problem.level_names[level]}`"
        if above.players_below > 1:
            findings.append(f"{who} is at no equilibrium: a player does better by {gap:.3g}")
        else:
            findings.append(f"{who} has a better answer, {quote_choice(problem, level, own)}")
    return better, findings, certificates


def _order_findings(
    functions: Functions, candidate: Candidate, found: Conditions | None, tolerance: float
) -> list[str]:
    """What the first- and second-order conditions say against a candidate."""
    names = functions.problem.level_names
    if found is None:
        return [
            f"level `{names[-1]}`: at its answer no multipliers make its conditions hold (no "
            "constraint qualification does), so that those of the level above can't be verified"
        ]
    if not found.residual <= max(tolerance, found.rounding):
        return [
            f"level `{names[0]}`: its first-order conditions, with those of the levels below among "
            f"its constraints, hold to {found.residual:.3g} only, above the tolerance "
            f"{tolerance:.3g}"
        ]
    if found.curvature is not None and found.axis is not None and found.curvature < -1e-7:
        along = entry_name(functions, found.axis)
        return [
            f"level `{names[0]}` is at no minimum: along its active constraints its curvature is "
            f"{found.curvature:.3g}, mostly in `{along}`"
        ]
    if not candidate.complete:
        return [
            f"several constraints below level `{names[0]}` are active without force, and not all "
            "ways to leave them could be looked at"
        ]
    return []


def _top_level(
    functions: Functions, candidate: Candidate, found: Conditions | None
) -> LevelCertificate:
    if found is None:
        return LevelCertificate(None, None, None, None, None)
    return standing_of(functions, candidate, found)


def _better_close_by(here: Search, candidate: Candidate) -> np.ndarray | None:
    """A z near the candidate with a better objective at the best answers of the levels below.

    Where these are indifferent between the candidate's answer and others, each is followed.
    """
    functions, tools = here.functions, here.tools
    x = functions.place.split(candidate.point)[0]
    axes = [*np.eye(x.size), *tools.generator.standard_normal((_DIRECTIONS, x.size))]
    size = 1 + float(np.linalg.norm(x))
    bases = [candidate, *_twins(here, candidate)]
    piece = candidate.piece or no_piece(functions)
    box = tools.bounds.box(functions, candidate.point, deeper(piece))
    for base in bases[1:]:
        if _is_better(here, candidate, base):
            return base.point
    for radius, axis, sign, base in itertools.product(_RADII, axes, (1.0, -1.0), bases):
        step = sign * radius * size * axis / np.linalg.norm(axis)
        other = base.point.copy()
        other[: x.size] = np.clip(x + step, box.least, box.largest)
        moved = _answered(here, other, base.piece)
        if moved is not None and _is_better(here, candidate, moved):
            return moved.point
    return None


def _twins(here: Search, candidate: Candidate) -> list[Candidate]:
    """Other answers to the candidate's choice that are as good for the next level."""
    functions = here.functions
    if functions.place.below is None:
        return []
    own = functions.place.answer(candidate.point)
    apart = 1e-3 * (1 + np.linalg.norm(own))
    found = responses(functions, candidate.point, None, here.tools, THOROUGH)
    if functions.players_below > 1:
        for _ in range(_EQUILIBRIA):
            moved = with_players_moved(functions, candidate.point, here.tools)
            found += responses(functions, moved, None, here.tools, here.effort)
    return [
        Candidate(one.point, np.nan, one.piece, complete=True)
        for one in found
        if np.linalg.norm(functions.place.answer(one.point) - own) > apart
    ]


def _is_better(here: Search, candidate: Candidate, moved: Candidate) -> bool:
    """Whether another point is feasible, answered best, and better than the candidate."""
    functions = here.functions
    value = float(functions.at(moved.point, deeper(moved.piece))[0][OWN])
    if not candidate.value - value > 1e-7 * (1 + abs(candidate.value)):
        return False
    z = moved.point
    if violations(functions.problem, functions.vectors(z), functions.duals(z))[0] > _OUTSIDE:
        return False
    gap, _ = better_below(functions, moved, here.tools, here.effort)
    return gap <= 1e-9 * (1 + abs(value))


def _answered(
    here: Search, z: np.ndarray, piece: tuple[np.ndarray, ...] | None
) -> Candidate | None:
    """The answer near z to its own choice, its objective not yet known."""
    functions = here.functions
    if functions.place.below is None:
        return Candidate(z, np.nan, (), complete=True)
    if functions.is_last_but_one and not functions.problem.structure.uses_duals:
        mine = functions.of_player(z, 0)
        point = z.copy()
        point[functions.place.size : functions.place.choices] = choice_near(
            mine, player_point(functions, z, 0)
        ).point
        return Candidate(point, np.nan, piece or no_piece(functions), complete=True)
    if piece is not None:
        values, _, followed = functions.follow(z, piece)
        if np.all(np.isfinite(values)):
            return Candidate(followed, np.nan, piece, complete=True)
    quick = Effort(samples=128, starts=2, deep_starts=0)
    found = responses(functions, z, None, here.tools, quick)
    return Candidate(found[0].point, np.nan, found[0].piece, complete=True) if found else None
