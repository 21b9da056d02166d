"""The best choice of one who has no level below: local solves from many samples."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .boxes import Bounds
from .functions import Functions
from .kkt import Candidate, piece_program
from .nlp import Answer, solve_program
from .rivals import Rivals

_STEPS = 200
_APART = 0.05
# How much worse a tie may be, relative to 1 + the size of the objective, and how close is the same.
_TIE = 1e-7
_SAME = 1e-4
_MOST_TIES = 4


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly a best choice is looked for.

    Arguments:
        samples, starts: of one who has no level below: points looked at, and those of them that
            are started from.
        deep_starts: of one who has: starts besides the one given; half as many a level down.
        feasibility: how far from his constraints a choice may be.
    """

    samples: int = 512
    starts: int = 4
    deep_starts: int = 2
    feasibility: float = 1e-9

    @property
    def below(self) -> Effort:
        """That of the searches inside."""
        return replace(self, deep_starts=self.deep_starts // 2)


THOROUGH = Effort(samples=4096, starts=8, deep_starts=5, feasibility=1e-10)


def choice_near(functions: Functions, x: np.ndarray) -> Answer:
    """The local choice from a start."""
    program, _ = piece_program(functions, Rivals(functions), ())
    answer = solve_program(program, x, steps=_STEPS)
    if answer.runaway is not None:
        functions.notes.runaways[functions.place.level] = (functions, answer.runaway, ())
        return Answer(answer.point, np.inf, np.inf, answer.runaway)
    return answer


def best_of_samples(
    functions: Functions,
    near: np.ndarray,
    bounds: Bounds,
    generator: np.random.Generator,
    effort: Effort,
) -> list[Candidate]:
    """The best of the local choices from a start and from the best of many samples, and its ties.

    The best comes first; none where no feasible choice was found, or the objective falls without
    end, which is noted.

    Arguments:
        near: a start, which is also what unbounded variables are sampled around.
    """
    drawn = bounds.box(functions, near, ()).sample(generator, effort.samples, near)
    values, violations = functions.many(drawn)
    chosen = [near, *_promising(drawn, values, violations, effort.starts)]
    answers = [choice_near(functions, start) for start in chosen]
    if any(answer.runaway is not None for answer in answers):
        return []
    feasible = [one for one in answers if one.violation <= effort.feasibility]
    return ties_of([Candidate(one.point, one.value, (), complete=True) for one in feasible])


def ties_of(candidates: list[Candidate]) -> list[Candidate]:
    """The best candidate and those as good that are apart from it and from each other."""
    found: list[Candidate] = []
    for one in sorted(candidates, key=lambda candidate: candidate.value):
        if found and one.value > found[0].value + _TIE * (1 + abs(found[0].value)):
            break
        size = _SAME * (1 + np.linalg.norm(one.point))
        if all(np.linalg.norm(one.point - other.point) > size for other in found):
            found.append(one)
    return found[:_MOST_TIES]


def _promising(
    drawn: np.ndarray, values: np.ndarray, violations: np.ndarray, count: int
) -> list[np.ndarray]:
    """Samples to start from, apart from each other: the feasible ones of least value come first,
    then those that are nearest to feasible."""
    feasible = violations <= 1e-9
    values = np.nan_to_num(values, nan=np.inf)
    order = np.lexsort((np.where(feasible, values, violations), ~feasible))
    chosen: list[np.ndarray] = []
    for index in order[: 64 * count]:
        if len(chosen) >= count:
            break
        here = drawn[index]
        distances = [np.linalg.norm(here - other) for other in chosen]
        if min(distances, default=np.inf) > _APART * (1 + np.linalg.norm(here)):
            chosen.append(here)
    return chosen
