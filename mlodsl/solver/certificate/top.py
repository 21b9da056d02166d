"""The top level as a function around a point, and how exactly it can be computed there.

Everything comes from re-solved responses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlodsl.modules import Problem
from mlodsl.strategies import Point

from ..lanes import Each, Judge, in_tuple
from ..nest import Nest
from ..oracle import Evaluations, at_once, evaluate_many
from ..readings import project_top, projection_jacobian, top_residual
from ..run import response_below
from .norms import eps_of, norm

# How far a point is moved to see what rounding does.
_ULPS = np.array([-4.0, -2.0, 2.0, 4.0])


class TopLevel:
    """The top level as a function of its own variables, at and around one point.

    Arguments:
        point: the certified point, its lower levels solved to rounding.
        value: of the plain top objective there, without adjoint correction.
        direct: its gradient in the level's own variables alone.

    `parts` is the larger of the direct and the indirect part of the total gradient, in norm.
    """

    def __init__(
        self,
        nest: Nest,
        problem: Problem,
        point: Point,
        value: float,
        direct: np.ndarray,
    ) -> None:
        self.nest = nest
        self.problem = problem
        self.point = point
        self.own = np.asarray(point.own)
        self.gradient = np.asarray(point.gradient)
        self.eps = eps_of(self.own)
        self.size = 1 + norm(self.own)
        self.guess = np.asarray(response_below(nest, point))
        constrained = nest.plans[0].constrained
        self.residual = float(top_residual(nest, point)) if constrained else norm(self.gradient)
        self.value = value
        self.direct, self.indirect = direct, self.gradient - direct
        self.parts = max(norm(direct), norm(self.indirect))
        self._scale = 1 + np.abs(self.own)

    def at(
        self,
        owns: np.ndarray,
        guesses: np.ndarray | None = None,
        judge: Judge | None = None,
        given: tuple[Any, ...] = (),
    ) -> Evaluations:
        """The evaluations at other variables, a row each, the lower levels re-solved to rounding.

        Arguments:
            guesses: where those start, a row each; by default at their answer to the point.
            judge, given: as in `evaluate_many`.
        """
        guess = self.guess if guesses is None else Each(guesses)
        return evaluate_many(self.nest, Each(owns.astype(self.own.dtype)), guess, judge, *given)

    def guesses(self, count: int) -> np.ndarray:
        """Where the lower levels start by default, a row each."""
        return np.repeat(self.guess[None], count, axis=0)

    def gradient_at(self, own: np.ndarray) -> np.ndarray:
        """The total gradient at other variables."""
        gradient: np.ndarray = self.at(own[None]).gradients[0]
        return gradient

    def value_at(self, own: np.ndarray) -> float:
        """The plain top objective at the re-solved response, without adjoint correction."""
        return float(self.at(own[None]).objectives[0, 0])

    def units(self, directions: np.ndarray) -> np.ndarray:
        """How far along directions, a row each, the entry that changes most has changed by 1 + its
        size."""
        return np.asarray(1 / (np.abs(directions) / self._scale).max(1))

    def violation(self) -> float:
        """How far the point is outside of the level's domain."""
        if not self.nest.plans[0].constrained:
            return 0.0
        return norm(self.project(self.own) - self.own)

    @property
    def at_once(self) -> bool:
        """Whether evaluations that may turn out not to be needed cost little."""
        return at_once(self.nest)

    def project(self, own: np.ndarray) -> np.ndarray:
        """The nearest point of the level's domain."""
        if not self.nest.plans[0].constrained:
            return own.astype(self.own.dtype)
        return np.asarray(project_top(self.problem, own.astype(self.own.dtype)))

    def project_rows(self, owns: np.ndarray) -> np.ndarray:
        """As `project`, of rows."""
        owns = owns.astype(self.own.dtype)
        if not self.nest.plans[0].constrained:
            return owns
        return project_top.of_many(in_tuple, self.problem, Each(owns))[0]


class Look:
    """Evaluations around a point that a check begins with, made when they are first asked for.

    Arguments:
        owns, guesses: as of `TopLevel.at`.
    """

    def __init__(self, top: TopLevel, owns: np.ndarray, guesses: np.ndarray | None = None) -> None:
        self.owns, self.guesses = owns, guesses
        self._top = top
        self._found: Evaluations | None = None

    @property
    def found(self) -> Evaluations:
        """The evaluations, a row each."""
        if self._found is None:
            self._found = self._top.at(self.owns, self.guesses)
        return self._found

    @staticmethod
    def together(looks: Sequence[Look]) -> None:
        """Makes the evaluations of one or several looks around one point in one go."""
        top = looks[0]._top
        guesses = [
            top.guesses(len(look.owns)) if look.guesses is None else look.guesses for look in looks
        ]
        found = top.at(np.concatenate([look.owns for look in looks]), np.concatenate(guesses))
        first = 0
        for look in looks:
            last = first + len(look.owns)
            look._found = found.of_rows(first, last)
            first = last


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
        return float(np.abs(direction).dot(self.gradient))


def look_for_rounding(top: TopLevel, generator: np.random.Generator) -> Look:
    """At the point moved by a few ulps; of two of four places the levels below start off too."""
    places = (generator.random((4, top.own.size)) * len(_ULPS)).astype(int)
    ulps = _ULPS[places] * top.eps
    guesses = top.guesses(4)
    guesses[1::2] *= 1 + top.eps**0.5 * generator.standard_normal((2, top.guess.size))
    return Look(top, top.own + ulps * (np.abs(top.own) + top.eps), guesses)


def measure_rounding(top: TopLevel, look: Look) -> tuple[Rounding, float]:
    """What changes when the point moves by a few ulps and the levels below start a little off.

    Arguments:
        look: by `look_for_rounding`.

    Returns:
        The rounding errors of value and gradient, and the change of the residual's norm by the
        ulps of the point alone.
    """
    precision = top.eps**0.5
    value = top.value
    changes = look.found.gradients - top.gradient
    values = np.abs(look.found.objectives[:, 0] - value).tolist()
    ulps_alone = max(norm(change) for change in changes[::2])
    parts = np.abs(top.direct) + np.abs(top.indirect)
    measured = np.abs(changes).max(0)
    # A gradient that jumps is not an inexact one: rounding is small beside the gradient's parts.
    gradient = 2 * np.minimum(measured, precision * top.parts) + 20 * top.eps * parts
    value_error = 4 * min(max(values), precision * (abs(value) + top.parts * top.size))
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
