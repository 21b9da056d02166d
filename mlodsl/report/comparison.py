"""The same model under several strategies: what each found, next to the best of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlodsl.diagnostics import Diagnostic
from mlodsl.solver import Solution, Status

from .result import FORMAT, plain, result_dict
from .steps import step_dict

# Objectives that differ by less, relative to 1 + their size, are as good as each other.
_TIE = 1e-8


@dataclass(frozen=True, slots=True)
class Contender:
    """One strategy's run.

    Arguments:
        label: the strategy as it was asked for, `itd(truncate=20)`.
        solution: what it found; None where it refused the model.
        refusal: why it refused.
    """

    label: str
    solution: Solution | None
    refusal: tuple[Diagnostic, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether it was solved."""
        return self.solution is not None and self.solution.status is Status.CONVERGED

    @property
    def message(self) -> str:
        """How it ended, or why it didn't begin, in a sentence or two."""
        if self.solution is not None:
            return self.solution.message
        return ". ".join(diagnostic.message for diagnostic in self.refusal)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Contenders of one model.

    Arguments:
        model: its name.
        sense: `minimize` or `maximize`, of the top level as written.
        contenders: in the order asked for.
    """

    model: str
    sense: str
    contenders: tuple[Contender, ...]

    @property
    def best(self) -> Contender | None:
        """The one with the best top objective among those certified; among all, where none is.

        Of several as good as each other, the one whose total gradient is smallest.
        """
        ran = [one for one in self.contenders if one.solution is not None]
        certified = [one for one in ran if one.solution and one.solution.certificate.claim]
        finite = [one for one in certified or ran if np.isfinite(self._loss(one))]
        if not finite:
            return None
        least = min(map(self._loss, finite))
        as_good = [one for one in finite if self._loss(one) <= least + _TIE * (1 + abs(least))]
        return min(as_good, key=_hypergradient_norm)

    def _loss(self, contender: Contender) -> float:
        """The top objective as a minimisation."""
        assert contender.solution is not None
        value = top_objective(contender.solution)
        return -value if self.sense == "maximize" else value


def top_objective(solution: Solution) -> float:
    """The top level's objective, in the sense written."""
    return next(iter(solution.objectives.values()))


def distance(solution: Solution, reference: Solution) -> float:
    """How far the variables of two solutions are apart: Euclidean, relative to 1 + their size."""
    here, there = (
        np.concatenate([np.ravel(value) for value in one.variables.values()])
        for one in (solution, reference)
    )
    return float(np.linalg.norm(here - there) / (1 + np.linalg.norm(there)))


def _hypergradient_norm(contender: Contender) -> float:
    assert contender.solution is not None
    norm = contender.solution.certificate.hypergradient_norm
    return float("inf") if norm is None else norm


def evaluations_below(solution: Solution) -> int:
    """How many gradients of all lower levels together were computed."""
    return sum(list(solution.evaluations.values())[1:])


def comparison_dict(comparison: Comparison) -> dict[str, Any]:
    """A comparison as the file of `mlodsl compare --out` holds it: plain JSON.

    `comparison`, `results` and `traces` have an entry for each strategy, in one order; of one
    that refused the model, `results` and `traces` hold None.
    """
    best = comparison.best
    ran = [one.solution for one in comparison.contenders]
    found: dict[str, Any] = plain(
        {
            "format": FORMAT,
            "model": comparison.model,
            "best": None if best is None else best.label,
            "comparison": [_row(one, best) for one in comparison.contenders],
            "results": [one and result_dict(one, comparison.model) for one in ran],
            "traces": [one and _trace(one, comparison.sense) for one in ran],
        }
    )
    return found


def _row(contender: Contender, best: Contender | None) -> dict[str, object]:
    solution = contender.solution
    if solution is None:
        return {
            "strategy": contender.label,
            "status": "refused",
            "message": contender.message,
            "hints": [diagnostic.hint for diagnostic in contender.refusal if diagnostic.hint],
        }
    certificate = solution.certificate
    reference = None if best is None else best.solution
    return {
        "strategy": contender.label,
        "ran": solution.strategy.name,
        "status": str(solution.status),
        "message": contender.message,
        "objective": top_objective(solution),
        "distance": None if reference is None else distance(solution, reference),
        "hypergradient_norm": certificate.hypergradient_norm,
        "claim": certificate.claim,
        "relative_error": certificate.relative_error,
        "steps": solution.steps,
        "evaluations": solution.evaluations,
        "products": solution.products,
        "seconds": {name: round(value, 6) for name, value in solution.seconds.items()},
    }


def _trace(solution: Solution, sense: str) -> list[dict[str, object]]:
    return [step_dict(step, sense, tuple(solution.evaluations)) for step in solution.trace]
