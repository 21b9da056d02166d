"""The top level at a point: its residual, its curvature, and whether the gradient is true.

Everything comes from re-solved responses: the curvature from central differences of the
total gradient, the check of the gradient from central differences of the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.calculus import choices
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..nest import Nest
from ..oracle import (
    evaluate_top,
    objectives,
    partial_gradient,
    project_top,
    projection_jacobian,
    top_residual,
)
from ..run import response_below
from .curvature import Curvature, of_matrix, of_operator

_DENSE_COLUMNS = 24
_DIRECTIONS = 3
_STEP_SHARES = (1.0, 0.1, 0.01)


class TopLevel:
    """The top level as a function of its own variables, at and around one point.

    Arguments:
        point: the certified point, its lower levels solved to rounding.
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

    def at(self, own: np.ndarray) -> Point:
        """The evaluation at other variables, the lower levels re-solved to rounding."""
        zero = jnp.zeros((), self.point.own.dtype)
        return evaluate_top(self.nest, jnp.asarray(own), self.guess, zero)

    def gradient_at(self, own: np.ndarray) -> np.ndarray:
        """The total gradient at other variables."""
        return np.asarray(self.at(own).gradient)

    def value_at(self, own: np.ndarray) -> float:
        """The plain top objective at the re-solved response, without adjoint correction."""
        return self._value(self.at(own))

    def _value(self, point: Point) -> float:
        return float(objectives(self.problem, _vectors(self.nest, point))[0])

    def rounding(self, generator: np.random.Generator) -> float:
        """The rounding error of the residual: its change when the point moves by a few ulps."""
        changes = []
        for _ in range(3):
            ulps = generator.choice([-4.0, -2.0, 2.0, 4.0], self.own.shape) * self.eps
            moved = self.gradient_at(self.own + ulps * (np.abs(self.own) + self.eps))
            changes.append(float(np.linalg.norm(moved - self.gradient)))
        return max(changes)

    def parts(self) -> float:
        """The larger of the direct and the indirect part of the total gradient."""
        vectors = _vectors(self.nest, self.point)
        direct = np.asarray(partial_gradient(self.problem, vectors))
        return max(float(np.linalg.norm(direct)), float(np.linalg.norm(self.gradient - direct)))

    def violation(self) -> float:
        """How far the point is outside of the level's domain."""
        projected = np.asarray(project_top(self.problem, self.point.own))
        return float(np.linalg.norm(projected - self.own))


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


def tangent(top: TopLevel) -> Tangent:
    """The free directions at the certified point."""
    if not top.nest.plans[0].constrained:
        return Tangent(None, np.ones_like(top.own))
    jacobian = np.asarray(projection_jacobian(top.problem, top.point.own - top.point.gradient))
    values, axes = np.linalg.eigh((jacobian + jacobian.T) / 2)
    kept = values > 1e-6
    return Tangent(axes[:, kept], values[kept])


def curvature(top: TopLevel, free: Tangent) -> Curvature | None:
    """The reduced Hessian of the top level on its free directions."""
    step = top.eps ** (1 / 3) * top.size
    residual = top.own - np.asarray(project_top(top.problem, top.point.own - top.point.gradient))
    gradient = free.restrict(residual) / free.stretch
    if gradient.size == 0:
        return Curvature(np.inf, np.inf, np.zeros(top.own.size), 0.0, 0.0)
    # The gradient's own rounding, divided by the step, is what a flat direction shows. Where it
    # winds (the orbit of a symmetry), what is left of the gradient shows over its radius too.
    noise = 50 * top.eps * (top.parts() + abs(float(top.point.value))) / step
    noise += 10 * top.residual / top.size

    def product(vector: np.ndarray) -> np.ndarray:
        direction = free.lift(vector.reshape(-1))
        ahead = top.gradient_at(top.own + step * direction)
        behind = top.gradient_at(top.own - step * direction)
        change = free.restrict((ahead - behind) / (2 * step))
        return change + (1 / free.stretch - 1) * vector.reshape(-1)

    if gradient.size <= _DENSE_COLUMNS:
        identity = np.eye(gradient.size, dtype=gradient.dtype)
        matrix = np.stack([product(column) for column in identity])
        found = of_matrix((matrix + matrix.T) / 2, gradient, noise)
    else:
        found = of_operator(product, gradient, noise)
    if found is None:
        return None
    return Curvature(
        found.smallest, found.largest, free.lift(found.axis), found.distance, found.floor
    )


def relative_error(
    top: TopLevel, free: Tangent, curvature_size: float, generator: np.random.Generator
) -> float | None:
    """The largest error of g·d against central differences of the re-solved value.

    Along random free directions d of length 1, with the formula of fourth order. Relative to
    the largest of ‖g‖, its two parts (which cancel at a minimum), and the change of the
    gradient over the size of the point. None where there is no free direction, or where the
    value isn't finite around the point.
    """
    size = free.stretch.size
    if size == 0:
        return None
    scale = max(
        top.parts(), curvature_size * top.size, top.eps ** (2 / 3) * abs(float(top.point.value))
    )
    worst = 0.0
    for _ in range(min(_DIRECTIONS, size)):
        direction = generator.standard_normal(size)
        direction = free.lift(direction / np.linalg.norm(direction)).astype(top.own.dtype)
        error = _smallest_difference(top, direction) / (scale if scale > 0 else 1.0)
        if not np.isfinite(error):
            return None
        worst = max(worst, error)
    return worst


def _smallest_difference(top: TopLevel, direction: np.ndarray) -> float:
    """|g·d - central difference|, the smallest over three steps.

    The longest step has the least rounding; a function with features smaller than it (a
    rounded corner) needs a shorter one. A wrong gradient is wrong at all of them.
    """
    slope = float(top.gradient @ direction)
    errors = []
    for share in _STEP_SHARES:
        step = share * top.eps ** (1 / 5) * top.size
        ahead, behind = (
            [top.value_at(top.own + sign * times * step * direction) for times in (1, 2)]
            for sign in (1, -1)
        )
        difference = (8 * (ahead[0] - behind[0]) - (ahead[1] - behind[1])) / (12 * step)
        errors.append(abs(difference - slope) if np.isfinite(difference) else np.inf)
        if errors[-1] <= top.eps**0.5 * (abs(slope) + top.parts()):
            break
    return min(errors)


def _vectors(nest: Nest, point: Point) -> tuple[Array, ...]:
    return choices(nest.game.sizes, 0, point.flat)
