"""A choice under f(x, y) ≤ f(x, ŷ) alone, where the KKT conditions below need not hold.

Without a constraint qualification the follower's best answer may have no multipliers, and its
KKT conditions leave it out. What always holds is that no rival is better: the value-function
reformulation, with as many rivals as it takes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .functions import Functions
from .kkt import Candidate
from .nlp import Evaluation, Program, solve_program
from .place import AT_MOST, BELOW, CONDITIONS, EQUAL, OWN, SLACK
from .rivals import Rival, Rivals

_STEPS = 300
_ROUNDS = 8
_GAP = 1e-9


def minimize_under_rivals(
    functions: Functions, start: np.ndarray, best_answer: Callable[[np.ndarray], Rival | None]
) -> Candidate | None:
    """A local minimum among the answers that no rival beats; None where none is found.

    Arguments:
        functions: of one above the lowest level, where one player answers.
        start: x and y.
        best_answer: the best answer to the x of a z.
    """
    place = functions.place
    rivals = Rivals(functions)
    rest = np.zeros(place.all - place.choices)
    count = place.choices

    def evaluate(own: np.ndarray) -> Evaluation:
        z = np.concatenate([own, rest])
        values, slopes = functions.at(z, ())
        rival_values, rival_slopes = rivals.constraints(z, ())
        # Stationarity comes first among the conditions, then the follower's equations.
        stationary = count - place.size
        return Evaluation(
            float(values[OWN]),
            slopes[OWN][:count],
            np.concatenate([values[AT_MOST], -values[SLACK], rival_values]),
            np.concatenate([slopes[AT_MOST], -slopes[SLACK], rival_slopes])[:, :count],
            np.concatenate([values[EQUAL], values[CONDITIONS][stationary:]]),
            np.concatenate([slopes[EQUAL], slopes[CONDITIONS][stationary:]])[:, :count],
        )

    unbounded = np.full(count, np.inf)
    program = Program(evaluate, -unbounded, unbounded)
    for _ in range(_ROUNDS):
        best = best_answer(np.concatenate([start, rest]))
        if best is None or not rivals.add(best):
            return None
        own = np.concatenate([start[: place.size], place.answer(best.point)])
        answer = solve_program(program, own, steps=_STEPS)
        if answer.violation > 1e-8:
            return None
        start = answer.point
        z = np.concatenate([start, rest])
        value = float(functions.at(z, ())[0][BELOW][0])
        best = best_answer(z)
        if best is None:
            return None
        if value <= float(functions.at(best.point, ())[0][BELOW][0]) + _GAP * (1 + abs(value)):
            return Candidate(z, float(functions.at(z, ())[0][OWN]), None, complete=False)
    return None
