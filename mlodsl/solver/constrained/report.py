"""The lower levels' answer under constraints, and what is known of it."""

from __future__ import annotations

import numpy as np

from mlodsl.calculus import Vectors
from mlodsl.modules import Problem

from ..solution import ResponseReport, answering_variables, as_written
from .certificate import certify_below
from .feasibility import violations
from .functions import Functions
from .kkt import Candidate, deeper
from .lowest import THOROUGH
from .place import OWN
from .search import responses
from .state import Tools, in_favour


def constrained_report(problem: Problem, above: Vectors, start: Vectors) -> ResponseReport:
    """The best answer to the choices of the leading levels, each level below solved again."""
    leading, below = (tuple(map(np.asarray, part)) for part in (above, start))
    functions = Functions.between(problem, leading, below)
    tools = Tools(np.random.default_rng(0))
    z = functions.start_below()
    found = in_favour(functions, responses(functions, z, None, tools, THOROUGH))
    name = problem.level_names[len(above)]
    if not found:
        worst, where = violations(problem, functions.vectors(z))
        finding = f"level `{name}` has no answer here that keeps its constraints"
        if worst:
            finding += f"; where it starts, {where} is violated by {worst:.3g}"
        return _report(functions, z, {}, [finding])
    best = found[0]
    values, _, exact = functions.follow(best.point, best.piece)
    z = exact if np.all(np.isfinite(values)) else best.point
    value = float(functions.at(z, deeper(best.piece))[0][OWN])
    lower = certify_below(functions, Candidate(z, value, best.piece, complete=True), tools)
    findings = list(lower.findings)
    if not best.holds:
        findings.append(
            f"level `{name}`: at its answer no multipliers make its conditions hold (no constraint "
            "qualification does)"
        )
    return _report(functions, z, lower.levels, findings)


def _report(
    functions: Functions, z: np.ndarray, levels: dict, findings: list[str]
) -> ResponseReport:
    problem, level = functions.problem, len(functions.above)
    return ResponseReport(
        variables=answering_variables(problem, level, functions.vectors(z)),
        objectives=as_written(problem, functions.objectives(z)),
        levels=levels,
        findings=tuple(findings),
    )
