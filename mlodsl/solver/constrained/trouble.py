"""What is wrong where no answer was found: no feasible point, no best answer, no lower bound."""

from __future__ import annotations

import numpy as np

from mlodsl.modules import Problem

from ..certificate.names import quote_choice
from ..certificate.structure import Certificate, LevelCertificate
from .certificate import Verdict
from .feasibility import nearest_feasible, violations
from .functions import Functions
from .kkt import Candidate
from .place import NOBODY
from .search import runs_away
from .state import Search, starts_of

_FEASIBLE = 1e-6
_STARTS = 6


def can_be_kept(problem: Problem, here: Search) -> bool:
    """Whether a point that keeps all constraints of all levels is found from a few starts."""
    functions = here.functions
    if problem.structure.uses_duals:
        # Multipliers are known at answers alone.
        return True
    generator = np.random.default_rng(0)
    for start in starts_of(here, functions.start_below(), _STARTS):
        # Beside the start, too: at a symmetric point a violation may have no derivative.
        for scale in (0.0, 1.0):
            moved = tuple(
                vector + scale * generator.standard_normal(vector.size)
                for vector in functions.vectors(start)
            )
            if violations(problem, nearest_feasible(problem, moved))[0] <= _FEASIBLE:
                return True
    return False


def nowhere(problem: Problem, functions: Functions) -> tuple[Candidate, Verdict]:
    """The least violated point where no local answer was found, and what is wrong with it."""
    vectors, finding = _reason(problem, functions)
    blank = LevelCertificate(None, None, None, None, None)
    certificate = Certificate(
        claim=None,
        hypergradient_norm=None,
        rounding=None,
        levels={name: blank for level in problem.objective_names for name in level},
        constraint_violation=violations(problem, vectors)[0],
        checked_against=None,
        relative_error=None,
        response_error=None,
        starts=0,
        findings=(finding,),
    )
    blind = Candidate(functions.start_below(vectors), 0.0, None, complete=False)
    return blind, Verdict(certificate)


def _reason(problem: Problem, functions: Functions) -> tuple[tuple[np.ndarray, ...], str]:
    names = problem.level_names
    start = functions.start
    vectors = nearest_feasible(problem, start)
    violation, where = violations(problem, vectors)
    if violation > _FEASIBLE:
        for level in range(1, len(names)):
            # Where the levels from here down fail whatever those above want, they are to blame.
            held = nearest_feasible(problem, start, still=level)
            worst, which = violations(problem, held)
            below = any(f"level `{name}`" in which for name in names[level:])
            if worst > _FEASIBLE and below:
                choice = quote_choice(problem, level - 1, held[level - 1])
                return held, (
                    f"level `{names[level]}` has no answer that keeps all constraints: where level "
                    f"`{names[level - 1]}` chooses {choice}, the nearest one violates {which} by "
                    f"{worst:.3g}, and no other choice was found to mend it"
                )
        return vectors, (
            f"no point was found that keeps all constraints: the nearest one violates {where} by "
            f"{violation:.3g}"
        )
    if functions.place.level == NOBODY:
        return vectors, (
            "there are points that keep all constraints, but no equilibrium of level "
            f"`{names[0]}` was found"
        )
    if len(names) > 1:
        return vectors, (
            "there are points that keep all constraints, but none was found at which level "
            f"`{names[1]}` answers best and level `{names[0]}` keeps its own"
        )
    return vectors, f"level `{names[0]}` could not be solved from any start"


def runaway_sentence(here: Search) -> str | None:
    """A level whose objective falls without end: the top one though those below answer best, or,
    where no answer was found, one below."""
    runaways = here.functions.notes.runaways
    top = here.functions.place.level
    if top in runaways and runs_away(here.functions, here.tools, here.effort):
        functions, z, _ = runaways[top]
        return _unbounded(functions, z)
    below = [level for level in runaways if level != top]
    if below and not here.found:
        functions, z, _ = runaways[max(below)]
        return _unbounded(functions, z)
    return None


def _unbounded(functions: Functions, z: np.ndarray) -> str:
    problem, place = functions.problem, functions.place
    title = problem.objective_names[place.level][place.player]
    player = problem.structure.players(place.level)[place.player]
    side = "above" if player.sense == "maximize" else "below"
    sentence = f"level `{title}` is unbounded {side}"
    if place.level > 0:
        above = functions.vectors(z)[place.level - 1]
        choice = quote_choice(problem, place.level - 1, above)
        sentence += f" where level `{problem.level_names[place.level - 1]}` chooses {choice}"
    return f"{sentence}; bound its variables"
