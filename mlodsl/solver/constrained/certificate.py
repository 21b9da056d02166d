"""What is known of a point of a model with constraints, found by other means than the search."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.optimize

from mlodsl.modules import Problem

from ..certificate.names import name_of_entry, quote_choice
from ..certificate.structure import Certificate, LevelCertificate
from .first_order import Conditions, conditions
from .follower import NEAR, Box, LowerBounds, answer_near, best_answer, multipliers
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
from .rivals import Rivals

FEASIBLE = 1e-8
GAP = 1e-7
_FOLLOWER_FEASIBLE = 1e-10
_SAMPLES = 4096
_STARTS = 8
_RADII = (1e-4, 1e-3, 1e-2, 1e-1)
_DIRECTIONS = 6


@dataclass(frozen=True, slots=True)
class Verdict:
    """A certificate, and what speaks for going on.

    Arguments:
        better_answer: of the follower, where one was found.
        better_choice: x and y with a better upper objective close by, where they were found.
    """

    certificate: Certificate
    better_answer: np.ndarray | None = None
    better_choice: tuple[np.ndarray, np.ndarray] | None = None


def certify_candidate(
    problem: Problem,
    functions: Functions,
    rivals: Rivals,
    candidate: Candidate,
    box: Box,
    bounds: LowerBounds,
    *,
    tolerance: float,
    seed: int,
) -> Verdict:
    """Verifies feasibility, the follower's answer, and that no choice close by is better.

    The follower is solved again from many samples and by another method (an interior-point
    trust-region method); the surroundings by answers to choices beside x.

    Arguments:
        tolerance: on the first-order conditions' residual.
    """
    generator = np.random.default_rng(seed + 1)
    x, y, _, _ = functions.shape.split(candidate.point)
    names = problem.level_names
    violation, where = violations(problem, functions, candidate.point)
    found = None
    if candidate.piece is not None:
        found = conditions(functions, rivals, candidate.point, candidate.piece)
    levels = {names[0]: _upper_level(problem, found)}
    findings = []
    better_answer = None
    starts = 0
    if violation > FEASIBLE:
        findings.append(f"{where} is violated by {violation:.3g}")
    if len(names) == 2:
        level, better_answer = _lower_level(problem, functions, x, y, bounds, generator)
        levels[names[1]] = level
        starts = _STARTS + 2
        if better_answer is not None:
            findings.append(
                f"level `{names[1]}` has a better answer, {quote_choice(problem, 1, better_answer)}"
            )
    findings += _order_findings(problem, candidate, found, tolerance)
    better_choice = None
    if better_answer is None and violation <= FEASIBLE:
        better_choice = _better_close_by(functions, candidate, box, bounds, generator)
        if better_choice is not None:
            findings.append(
                f"level `{names[0]}` does better close by, at "
                f"{quote_choice(problem, 0, better_choice[0])}"
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
        starts=starts,
        findings=tuple(findings),
    )
    return Verdict(certificate, better_answer, better_choice)


def violations(problem: Problem, functions: Functions, z: np.ndarray) -> tuple[float, str]:
    """The largest violation of a constraint at z, and which one it is, in words."""
    values, _ = functions.at(z)
    vectors = tuple(map(jnp.asarray, functions.shape.split(z)[: problem.number_of_levels]))
    worst, where = 0.0, ""
    for level, (at_most, equal) in enumerate(
        [(UPPER_AT_MOST, UPPER_EQUAL), (LOWER_AT_MOST, LOWER_EQUAL)][: problem.number_of_levels]
    ):
        names = problem.constraint_labels(level, vectors)
        sizes = (np.maximum(values[at_most], 0), np.abs(values[equal]))
        kept = ([names[0][index] for index in functions.bounded[level]], names[1])
        for size, labels in zip(sizes, kept, strict=True):
            if size.size and not float(np.max(size)) <= worst:
                worst = float(np.max(size))
                where = f"{labels[int(np.argmax(size))]} of level `{problem.level_names[level]}`"
    return worst, where


def _order_findings(
    problem: Problem, candidate: Candidate, found: Conditions | None, tolerance: float
) -> list[str]:
    """What the first- and second-order conditions say against a candidate."""
    names = problem.level_names
    if found is None:
        return [
            f"level `{names[-1]}`: at its answer no multipliers make its conditions hold (no "
            "constraint qualification does), so that those of the level above can't be verified"
        ]
    if not found.residual <= max(tolerance, found.rounding):
        return [
            f"level `{names[0]}`: its first-order conditions, with those of the level below among "
            f"its constraints, hold to {found.residual:.3g} only, above the tolerance "
            f"{tolerance:.3g}"
        ]
    if found.curvature is not None and found.axis is not None and found.curvature < -1e-7:
        along = name_of_entry(problem, 0, found.axis[: problem.sizes[0]])
        return [
            f"level `{names[0]}` is at no minimum: along its active constraints its curvature is "
            f"{found.curvature:.3g}, mostly in `{along}`"
        ]
    if not candidate.complete:
        return [
            f"too many constraints of level `{names[-1]}` are active without force for all ways to "
            "leave them to be looked at"
        ]
    return []


def _upper_level(problem: Problem, found: Conditions | None) -> LevelCertificate:
    if found is None:
        return LevelCertificate(None, None, None, None, None)
    direction = None
    if found.axis is not None:
        direction = name_of_entry(problem, 0, found.axis[: problem.sizes[0]])
    unique = None if found.curvature is None else found.curvature > 1e-9
    return LevelCertificate(found.residual, found.curvature, direction, unique, None)


def _lower_level(
    problem: Problem,
    functions: Functions,
    x: np.ndarray,
    y: np.ndarray,
    bounds: LowerBounds,
    generator: np.random.Generator,
) -> tuple[LevelCertificate, np.ndarray | None]:
    """The follower's level at its answer, and a better answer where there is one."""
    of_at_most, of_equal, residual = multipliers(functions, x, y)
    value = float(functions.below(x, y)[0][0])
    best = best_answer(
        functions,
        x,
        [y],
        bounds,
        generator,
        feasibility=_FOLLOWER_FEASIBLE,
        samples=_SAMPLES,
        starts=_STARTS,
    )
    rivals = [] if best is None else [best.point]
    rivals += _by_another_method(functions, x, y)
    gap, better = 0.0, None
    for rival in rivals:
        values = functions.below(x, rival)[0]
        outside = np.concatenate([np.maximum(values[1], 0), np.abs(values[2])])
        here = value - float(values[0])
        if np.max(outside, initial=0.0) <= _FOLLOWER_FEASIBLE and here > gap:
            gap = here
            better = rival if gap > GAP * (1 + abs(value)) else None
    z = np.concatenate([x, y, of_at_most, of_equal])
    weights = [np.zeros_like(np.asarray(part)) for part in functions.at(z)[0]]
    weights[LOWER] = np.ones_like(weights[LOWER])
    weights[LOWER_AT_MOST], weights[LOWER_EQUAL] = of_at_most, of_equal
    own = slice(functions.shape.upper, functions.shape.choices)
    hessian = functions.curvature(z, weights)[own, own]
    values, slopes = functions.at(z)
    active = values[LOWER_AT_MOST] >= -NEAR
    rows = np.concatenate([slopes[LOWER_AT_MOST][active], slopes[LOWER_EQUAL]])[:, own]
    tangent = scipy.linalg.null_space(rows, rcond=1e-9) if len(rows) else np.eye(y.size)
    smallest, direction, unique = None, None, None
    if tangent.shape[1] == 0:
        # A vertex: the answer is alone where every constraint that holds it has a force.
        unique = bool(np.count_nonzero(of_at_most > NEAR) + of_equal.size >= y.size)
    elif np.all(np.isfinite(hessian)):
        curvatures, axes = np.linalg.eigh(tangent.T @ hessian @ tangent)
        smallest = float(curvatures[0])
        direction = name_of_entry(problem, 1, tangent @ axes[:, 0])
        unique = bool(smallest > 1e-9)
    return LevelCertificate(residual, smallest, direction, unique, None, max(gap, 0.0)), better


def _by_another_method(functions: Functions, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """The follower's answer from y by SciPy's `trust-constr`, made exact by a local solve."""
    shape = functions.shape
    constraints = []
    if shape.at_most:
        constraints.append(
            scipy.optimize.NonlinearConstraint(
                lambda w: functions.below(x, w)[0][1],
                -np.inf,
                0.0,
                jac=lambda w: functions.below(x, w)[1][1],
                hess=scipy.optimize.BFGS(),
            )
        )
    if shape.equal:
        constraints.append(
            scipy.optimize.NonlinearConstraint(
                lambda w: functions.below(x, w)[0][2],
                0.0,
                0.0,
                jac=lambda w: functions.below(x, w)[1][2],
                hess=scipy.optimize.BFGS(),
            )
        )
    with np.errstate(all="ignore"), warnings.catch_warnings():
        # That a function is linear, so that its Hessian isn't updated.
        warnings.simplefilter("ignore", UserWarning)
        found = scipy.optimize.minimize(
            lambda w: float(functions.below(x, w)[0][0]),
            y,
            jac=lambda w: functions.below(x, w)[1][0],
            hess=scipy.optimize.BFGS(),
            constraints=constraints,
            method="trust-constr",
            options={"maxiter": 60},
        )
    if not np.all(np.isfinite(found.x)):
        return []
    return [answer_near(functions, x, np.asarray(found.x, y.dtype)).point]


def _better_close_by(
    functions: Functions,
    candidate: Candidate,
    box: Box,
    bounds: LowerBounds,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray] | None:
    """A choice near x with a better upper objective at the follower's best answer."""
    shape = functions.shape
    x, y, _, _ = shape.split(candidate.point)
    axes = [*np.eye(x.size), *generator.standard_normal((_DIRECTIONS, x.size))]
    size = 1 + float(np.linalg.norm(x))
    rest = np.zeros(shape.at_most + shape.equal)
    for radius in _RADII:
        for axis in axes:
            for sign in (1.0, -1.0):
                step = sign * radius * size * axis / np.linalg.norm(axis)
                other = np.clip(x + step, box.least, box.largest)
                answer = answer_near(functions, other, y).point if shape.lower else y
                values, _ = functions.at(np.concatenate([other, answer, rest]))
                parts = (UPPER_AT_MOST, LOWER_AT_MOST)
                outside = [np.maximum(values[part], 0) for part in parts]
                outside += [np.abs(values[part]) for part in (UPPER_EQUAL, LOWER_EQUAL)]
                if np.max(np.concatenate(outside), initial=0.0) > _FOLLOWER_FEASIBLE:
                    continue
                gain = candidate.value - float(values[UPPER])
                if gain <= 1e-7 * (1 + abs(candidate.value)):
                    continue
                value = float(values[LOWER])
                if shape.lower:
                    best = best_answer(functions, other, [answer], bounds, generator)
                    if best is None or value > best.value + 1e-9 * (1 + abs(value)):
                        continue
                return other, answer
    return None
