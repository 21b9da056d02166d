"""What a certificate says. What was not computed is None, never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class LevelErrors:
    """How exact the figures of a level are: estimates of what rounding does to each.

    Arguments:
        gradient_norm, min_curvature, gap: of the figure of that name.
    """

    gradient_norm: float | None = None
    min_curvature: float | None = None
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class LevelCertificate:
    """One level at its re-solved answer.

    Arguments:
        gradient_norm: of its total gradient (at the top in a domain: of x - proj(x - g)).
        min_curvature: the smallest eigenvalue of its reduced Hessian, as a minimisation,
            anticipating the levels below; at the top within the tangent space of its domain.
        direction: the variable entry that the smallest curvature points along most.
        unique: whether the curvature is positive, so that the answer is locally unique.
        distance: the length of the Newton step from the point, an estimate of its error.
        gap: of a lower level: its objective at the answer less the best value that was found
            from other starts; 0 where nothing better was found.
        errors: of the figures.
        complementarity: the largest product of a constraint's slack and its multiplier.
        strict: whether every active inequality has a multiplier that isn't 0.
        multipliers: of the level's constraints, by what they come from; of inequalities ≥ 0.
    """

    gradient_norm: float | None
    min_curvature: float | None
    direction: str | None
    unique: bool | None
    distance: float | None
    gap: float | None = None
    errors: LevelErrors = LevelErrors()
    complementarity: float | None = None
    strict: bool | None = None
    multipliers: dict[str, list[float]] | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was verified at the returned point, independently of how it was found.

    Arguments:
        claim: "local" where all of it holds, else None.
        hypergradient_norm: the top level's residual, with the lower levels re-solved.
        rounding: an estimate of that norm's own rounding error.
        levels: by name, top first.
        constraint_violation: how far the point is outside of the top level's domain.
        checked_against: "finite differences" of the true best responses, where they were.
        relative_error: of the total gradient against them.
        response_error: how far the returned lower variables are from the re-solved ones,
            relative to 1 + their size.
        starts: how many other starting points the lower levels were re-solved from.
        findings: why the point is not certified, a sentence each; empty where it is.
        unbounded: whether a level was found to be without bound.
        descent: where the top level stands still without being at a minimum: a direction of
            length 1 along which its objective falls.
        difference_norm: the norm of the total gradient by central differences along the free
            directions; None above 8 of them.
        difference_error: an estimate of that norm's rounding error.
    """

    claim: str | None
    hypergradient_norm: float | None
    rounding: float | None
    levels: dict[str, LevelCertificate]
    constraint_violation: float | None
    checked_against: str | None
    relative_error: float | None
    response_error: float | None
    starts: int
    findings: tuple[str, ...]
    unbounded: bool = False
    descent: np.ndarray | None = None
    difference_norm: float | None = None
    difference_error: float | None = None
