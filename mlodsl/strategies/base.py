"""What a strategy is: a way to the total gradient of a level's objective.

How a level *moves* is the solver's business and combines with any strategy; how the levels
below answer comes in as the function `respond`.
"""

from __future__ import annotations

import abc
from typing import Protocol, runtime_checkable

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mlodsl.calculus import EliminationPlan, Factor, Game, NewtonFactor, Vectors
from mlodsl.modules import Record


class Response(Record):
    """The answer of level k and all below it to the levels above.

    Arguments:
        flat: u_k, the variables of the levels k … n - 1 and their multipliers.
        factor: of K_k = ∇² L_k at u_k; None where it wasn't asked for.
        outcomes: for each level of the model how its own solve ended (`Outcome`).
        evaluations: for each level how many of its total gradients were computed.
        products: for each level how many products with its Hessians.
    """

    flat: Float[Array, " flat"]
    factor: Factor | None
    outcomes: Int[Array, " levels"]
    evaluations: Int[Array, " levels"]
    products: Int[Array, " levels"]


class Point(Record):
    """A level's choice, and what is known there.

    Arguments:
        own: x_k.
        value: of level k's objective, as a minimisation, anticipating the levels below.
        gradient: its total gradient.
        error: how inexact the strategy left the gradient on purpose, on this evaluation;
            0 where it did all that the accuracy asked for.
        flat: u_k, with the response of the levels below.
        below: the factor of K_{k+1}; None at the bottom, and where the strategy needs none.
        factor: the factor of K_k, where it was asked for.
        outcomes, evaluations, products: of the levels below, as in `Response`.
    """

    own: Float[Array, " own"]
    value: Float[Array, ""]
    gradient: Float[Array, " own"]
    error: Float[Array, ""]
    flat: Float[Array, " flat"]
    below: Factor | None
    factor: NewtonFactor | None
    outcomes: Int[Array, " levels"]
    evaluations: Int[Array, " levels"]
    products: Int[Array, " levels"]


class Query(Record):
    """Where a total gradient is asked for, and how well.

    Arguments:
        game: the objectives.
        level: k, whose total gradient is wanted.
        above: the choices of the levels above it.
        own: x_k.
        guess: u_{k+1}, where the solves of the levels below start.
        plans: how K_k is solved with at each level.
        accuracy: the error of the gradient that is small enough.
        turn: how many evaluations the level has had in this solve.
        with_factor: whether the factor of K_k is wanted too.
        loose: the residual that linear solves may leave, relative to the right-hand side, where it
            is above their own tolerance.
        multipliers: m_{k+1}, from which they start; None for zero.
    """

    game: Game
    level: int = eqx.field(static=True)
    above: Vectors
    own: Float[Array, " own"]
    guess: Float[Array, " below"]
    plans: tuple[EliminationPlan, ...]
    accuracy: Float[Array, ""]
    turn: Int[Array, ""]
    with_factor: bool = eqx.field(static=True)
    loose: float | Float[Array, ""] = 0.0
    multipliers: Float[Array, " below"] | None = None

    @property
    def is_bottom(self) -> bool:
        """Whether there is no level below."""
        return self.level + 1 == len(self.game.sizes)


def summed(responses: Response, flat: Float[Array, " flat"]) -> Response:
    """Many responses, stacked along a leading axis, as one: worst outcomes, sums of counts.

    Arguments:
        flat: the answer that counts.
    """
    return Response(
        flat=flat,
        factor=None,
        outcomes=jnp.max(responses.outcomes, axis=0),
        evaluations=jnp.sum(responses.evaluations, axis=0, dtype=jnp.int32),
        products=jnp.sum(responses.products, axis=0, dtype=jnp.int32),
    )


def answered(
    query: Query,
    response: Response,
    value: Float[Array, ""],
    gradient: Float[Array, " own"],
    *,
    multipliers: Float[Array, " below"] | None = None,
    products: int | Int[Array, ""] = 0,
) -> Point:
    """The point of a query whose levels below have answered, without factors.

    Arguments:
        multipliers: m_{k+1}, where the strategy has any.
        products: with K_{k+1}, beside those of the response.
    """
    level = query.level
    none = jnp.zeros_like(response.flat) if multipliers is None else multipliers
    return Point(
        own=query.own,
        value=value,
        gradient=gradient,
        error=jnp.zeros_like(value),
        flat=jnp.concatenate([query.own, response.flat, none]),
        below=None,
        factor=None,
        outcomes=response.outcomes,
        evaluations=response.evaluations.at[level].add(1),
        products=response.products.at[level + 1].add(products),
    )


@runtime_checkable
class Respond(Protocol):
    """Solves level `level` and all below it, given the choices of the levels above."""

    def __call__(
        self,
        game: Game,
        level: int,
        above: Vectors,
        guess: Float[Array, " flat"],
        tolerance: Float[Array, ""],
        *,
        with_factor: bool,
    ) -> Response:
        """The response, started from `guess` (a u_level).

        Arguments:
            tolerance: on the norm of the level's total gradient.
        """
        ...


class AbstractStrategy(Record):
    """A way to a total gradient. Its options are its fields.

    `keeps_factor`: whether its points hold the factor of K_{k+1}.
    """

    keeps_factor: eqx.AbstractClassVar[bool]

    @property
    @abc.abstractmethod
    def everywhere(self) -> bool:
        """Whether the levels in between find their own total gradients by the strategy too.

        Else they do by implicit differentiation, and the strategy is the top level's alone.
        """

    @property
    @abc.abstractmethod
    def judges_by_slopes(self) -> bool:
        """Whether the gradient isn't the derivative of the value, so that a step is to be
        judged by the gradients at its ends and not by how the value changed."""

    @abc.abstractmethod
    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The total gradient at the point that the query names."""
