"""The upper level under f(x, y) ≤ f(x, ŷ) alone, where KKT conditions need not hold.

Without a constraint qualification the follower's best answer may have no multipliers, and its
KKT conditions leave it out. What always holds is that no rival is better: the value-function
reformulation, with as many rivals as it takes.
"""

from __future__ import annotations

import numpy as np

from .follower import LowerBounds, best_answer
from .functions import (
    LOWER,
    LOWER_AT_MOST,
    LOWER_EQUAL,
    UPPER,
    UPPER_AT_MOST,
    UPPER_EQUAL,
    Functions,
)
from .kkt import Candidate
from .nlp import Evaluation, Program, solve_program
from .rivals import Rivals

_STEPS = 300
_ROUNDS = 8
_GAP = 1e-9


def minimize_under_rivals(
    functions: Functions, start: np.ndarray, bounds: LowerBounds, generator: np.random.Generator
) -> Candidate | None:
    """A local minimum among the follower's answers that no rival beats; None where none is found.

    Arguments:
        start: x and y.
        bounds: of the lower variables.
    """
    shape = functions.shape
    rivals = Rivals(functions)
    rest = np.zeros(shape.at_most + shape.equal)

    def evaluate(own: np.ndarray) -> Evaluation:
        z = np.concatenate([own, rest])
        values, slopes = functions.at(z)
        rival_values, rival_slopes = rivals.constraints(z)
        at_most, equal = (UPPER_AT_MOST, LOWER_AT_MOST), (UPPER_EQUAL, LOWER_EQUAL)
        return Evaluation(
            float(values[UPPER]),
            slopes[UPPER][: shape.choices],
            np.concatenate([*(values[part] for part in at_most), rival_values]),
            np.concatenate([*(slopes[part] for part in at_most), rival_slopes])[:, : shape.choices],
            np.concatenate([values[part] for part in equal]),
            np.concatenate([slopes[part] for part in equal])[:, : shape.choices],
        )

    unbounded = np.full(shape.choices, np.inf)
    program = Program(evaluate, -unbounded, unbounded)
    for _ in range(_ROUNDS):
        x, y = start[: shape.upper], start[shape.upper :]
        best = best_answer(functions, x, [y], bounds, generator)
        if best is None or not rivals.add(x, best.point):
            return None
        answer = solve_program(program, np.concatenate([x, best.point]), steps=_STEPS)
        if answer.violation > 1e-8:
            return None
        start = answer.point
        x, y = start[: shape.upper], start[shape.upper :]
        z = np.concatenate([start, rest])
        value = float(functions.at(z)[0][LOWER])
        best = best_answer(functions, x, [y], bounds, generator)
        if best is None or value <= best.value + _GAP * (1 + abs(value)):
            return Candidate(z, float(functions.at(z)[0][UPPER]), None, complete=False)
    return None
