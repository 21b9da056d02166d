"""The top level as a function around a point, and how exactly it can be computed there.

Everything comes from re-solved responses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Array

from mlodsl.calculus import choices
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..nest import Nest
from ..oracle import (
    evaluate_with_objectives,
    objectives,
    partial_gradient,
    project_top,
    projection_jacobian,
    top_residual,
)
from ..run import response_below


class TopLevel:
    """The top level as a function of its own variables, at and around one point.

    Arguments:
        point: the certified point, its lower levels solved to rounding.

    `value` is the plain top objective there, without adjoint correction.
    """

    def __init__(self, nest: Nest, problem: Problem, point: Point) -> None:
        self.nest = nest
        self.problem = problem
        self.point = point
        self.own = np.asarray(point.own)
        self.gradient = np.asarray(point.gradient)
        self.eps = float(np.finfo(self.own.dtype).eps)
        self.size = 1 + float(np.linalg.norm(self.own))
        self.guess = response_below(nest, point)
        self.residual = float(top_residual(nest, point))
        vectors = choices(nest.game.sizes, 0, point.flat)
        self.value = float(objectives(problem, vectors)[0])
        direct = np.asarray(partial_gradient(problem, vectors))
        self.direct, self.indirect = direct, self.gradient - direct

    def at(self, own: np.ndarray) -> Point:
        """The evaluation at other variables, the lower levels re-solved to rounding."""
        return self.evaluate(own, self.guess)[0]

    def point_and_value_at(self, own: np.ndarray) -> tuple[Point, float]:
        """As `at`, with the plain top objective there, without adjoint correction."""
        return self.evaluate(own, self.guess)

    def gradient_at(self, own: np.ndarray) -> np.ndarray:
        """The total gradient at other variables."""
        return np.asarray(self.at(own).gradient)

    def value_at(self, own: np.ndarray) -> float:
        """The plain top objective at the re-solved response, without adjoint correction."""
        return self.point_and_value_at(own)[1]

    def parts(self) -> float:
        """The larger of the direct and the indirect part of the total gradient."""
        return max(float(np.linalg.norm(self.direct)), float(np.linalg.norm(self.indirect)))

    def unit(self, direction: np.ndarray) -> float:
        """How far along a direction the entry that changes most has changed by 1 + its size."""
        return 1 / float(np.max(np.abs(direction) / (1 + np.abs(self.own))))

    def violation(self) -> float:
        """How far the point is outside of the level's domain."""
        return float(np.linalg.norm(self.project(self.own) - self.own))

    def project(self, own: np.ndarray) -> np.ndarray:
        """The nearest point of the level's domain."""
        if not self.nest.plans[0].constrained:
            return own.astype(self.own.dtype)
        return np.asarray(project_top(self.problem, own.astype(self.own.dtype)))

    def evaluate(self, own: np.ndarray, guess: Array | np.ndarray) -> tuple[Point, float]:
        """The evaluation and the plain objective, the lower levels started from a guess."""
        own = own.astype(self.own.dtype)
        point, values = evaluate_with_objectives(self.nest, own, guess)
        return point, float(values[0])


@dataclass(frozen=True, slots=True)
class Rounding:
    """How far rounding, and the re-solving of the levels below, move what is computed.

    Arguments:
        value: of the objective.
        gradient: of each entry of the total gradient.
    """

    value: float
    gradient: np.ndarray

    def along(self, direction: np.ndarray) -> float:
        """Of the slope along a direction."""
        return float(np.abs(direction) @ self.gradient)


def measure_rounding(top: TopLevel, generator: np.random.Generator) -> tuple[Rounding, float]:
    """What changes when the point moves by a few ulps and the levels below start a little off.

    Returns:
        The rounding errors of value and gradient, and the change of the residual's norm by the
        ulps of the point alone.
    """
    precision = top.eps**0.5
    value = top.value
    changes: list[np.ndarray] = []
    values: list[float] = []
    for turn in range(4):
        ulps = generator.choice([-4.0, -2.0, 2.0, 4.0], top.own.shape) * top.eps
        guess = np.asarray(top.guess)
        if turn % 2:
            guess = guess * (1 + precision * generator.standard_normal(guess.shape))
        moved, there = top.evaluate(
            top.own + ulps * (np.abs(top.own) + top.eps),
            guess.astype(top.own.dtype),
        )
        changes.append(np.asarray(moved.gradient) - top.gradient)
        values.append(abs(there - value))
    ulps_alone = max(float(np.linalg.norm(change)) for change in changes[::2])
    parts = np.abs(top.direct) + np.abs(top.indirect)
    measured = np.max(np.abs(changes), axis=0)
    # A gradient that jumps is not an inexact one: rounding is small beside the gradient's parts.
    gradient = 2 * np.minimum(measured, precision * top.parts()) + 20 * top.eps * parts
    value_error = 4 * min(max(values), precision * (abs(value) + top.parts() * top.size))
    return Rounding(value_error + 8 * top.eps * abs(value), gradient), ulps_alone


@dataclass(frozen=True, slots=True)
class Tangent:
    """The free directions at a point of a domain.

    With J the derivative of the projection at x - g, an orthonormal basis U of its range and
    eigenvalues j: the Hessian of the Lagrangian on the range is 1/j - 1 + Uᵀ H U.
    """

    basis: np.ndarray | None
    stretch: np.ndarray

    def lift(self, vector: np.ndarray) -> np.ndarray:
        """A free direction as a change of the level's variables."""
        return vector if self.basis is None else self.basis @ vector

    def restrict(self, vector: np.ndarray) -> np.ndarray:
        """The free part of a vector."""
        return vector if self.basis is None else self.basis.T @ vector

    def restrict_errors(self, errors: np.ndarray) -> np.ndarray:
        """What errors of a vector's entries come to in its free part."""
        return errors if self.basis is None else np.abs(self.basis).T @ errors


def tangent(top: TopLevel) -> Tangent:
    """The free directions at the certified point."""
    if not top.nest.plans[0].constrained:
        return Tangent(None, np.ones_like(top.own))
    jacobian = np.asarray(projection_jacobian(top.problem, top.point.own - top.point.gradient))
    values, axes = np.linalg.eigh((jacobian + jacobian.T) / 2)
    kept = values > 1e-6
    return Tangent(axes[:, kept], values[kept])
