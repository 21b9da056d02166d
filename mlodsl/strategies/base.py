"""What a strategy is: a way to the total gradient of a level's objective.

How a level *moves* is the solver's business and combines with any strategy; how the levels
below answer comes in as the function `respond`.
"""

from __future__ import annotations

import abc
from typing import Protocol, runtime_checkable

import equinox as eqx
from jaxtyping import Array, Float, Int

from mlodsl.calculus import EliminationPlan, Factor, Game, Vectors


class Response(eqx.Module):
    """The answer of level k and all below it to the levels above.

    Arguments:
        flat: u_k, the variables of the levels k … n - 1 and their multipliers.
        factor: of K_k = ∇² L_k at u_k.
        outcomes: for each level of the model how its own solve ended (`Outcome`).
        evaluations: for each level how many of its total gradients were computed.
    """

    flat: Float[Array, " flat"]
    factor: Factor
    outcomes: Int[Array, " levels"]
    evaluations: Int[Array, " levels"]


class Point(eqx.Module):
    """A level's choice, and what is known there.

    Arguments:
        own: x_k.
        value: of level k's objective, as a minimisation, anticipating the levels below.
        gradient: its total gradient.
        flat: u_k, with the response of the levels below.
        below: the factor of K_{k+1}; None at the bottom.
        factor: the factor of K_k, where it was asked for.
        outcomes, evaluations: of the levels below, as in `Response`.
    """

    own: Float[Array, " own"]
    value: Float[Array, ""]
    gradient: Float[Array, " own"]
    flat: Float[Array, " flat"]
    below: Factor | None
    factor: Factor | None
    outcomes: Int[Array, " levels"]
    evaluations: Int[Array, " levels"]


@runtime_checkable
class Respond(Protocol):
    """Solves level `level` and all below it, given the choices of the levels above."""

    def __call__(self, level: int, above: Vectors, guess: Float[Array, " flat"]) -> Response:
        """The response, started from `guess` (a u_level)."""
        ...


class AbstractStrategy(eqx.Module):
    """A way to a total gradient. Its options are its fields."""

    @abc.abstractmethod
    def elimination_plans(self, sizes: tuple[int, ...]) -> tuple[EliminationPlan, ...]:
        """How K_k is solved with at each level."""

    @abc.abstractmethod
    def evaluate(
        self,
        game: Game,
        level: int,
        above: Vectors,
        own: Float[Array, " own"],
        guess: Float[Array, " below"],
        respond: Respond,
        *,
        with_factor: bool,
    ) -> Point:
        """The total gradient of `level` at `own`, the levels below started from `guess`."""
