"""What the host asks of the compiled code: evaluations of the top level, and small readings.

Everything here is compiled once for a structure (a model's text, its sizes, the options) and
serves every value of its params; the instances of a batch call it together.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from mlodsl.calculus import Factor, Game, Vectors, choices, lagrangian, operators
from mlodsl.strategies import Point

from .lanes import in_lane, joined, recall
from .level import LevelState, digest, evaluate, needed_below, propose, residual
from .movers import Proposal
from .nest import Nest
from .outcome import Outcome

LATE = 10_000
"""A turn at which every strategy is as exact as it gets."""

digest_turn = eqx.filter_jit(digest)


@eqx.filter_jit
def propose_turn(
    nest: Nest, guess: Float[Array, " flat"], goal: Float[Array, ""], state: LevelState
) -> tuple[Proposal, Float[Array, ""]]:
    """What the top level's next turn evaluates, and how exactly."""
    proposal = propose(nest, 0, (), guess, state)
    return proposal, needed_below(nest, 0, state.point, goal)


def evaluate_top(
    nest: Nest,
    own: Array | np.ndarray,
    guess: Array | np.ndarray,
    tolerance: Array | np.ndarray,
    turn: int | Int[Array, ""] = LATE,
) -> Point:
    """The top level's total gradient at `own`, the levels below solved from `guess`.

    Where they may be solved all at once, what solves them one inside the other is compiled
    only once that fails; under a transformation it is part of the same code.

    Arguments:
        turn: how many evaluations the run has had; strategies that start inexact look at it.
    """
    return _evaluate(nest, own, guess, tolerance, turn)[0]


def evaluate_with_objectives(
    nest: Nest, own: Array | np.ndarray, guess: Array | np.ndarray
) -> tuple[Point, Float[Array, " levels"]]:
    """As `evaluate_top` to rounding, with the plain objectives of all levels at that answer."""
    return _evaluate(nest, own, guess, np.zeros((), own.dtype), LATE)


def _evaluate(
    nest: Nest,
    own: Array | np.ndarray,
    guess: Array | np.ndarray,
    tolerance: Array | np.ndarray,
    turn: int | Int[Array, ""],
) -> tuple[Point, Float[Array, " levels"]]:
    asked = (nest, own, guess, tolerance, np.asarray(turn, np.int32))
    # A lane's numbers are known.
    known = in_lane() or not any(
        isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(asked)
    )
    if not known or not recall(nest, _solves_jointly):
        return _evaluate_top(*asked, "both")
    found = _evaluate_top(*asked, "joint")
    if np.max(found[0].outcomes) < Outcome.STALLED:
        return found
    return _evaluate_top(*asked, "nested")


def _solves_jointly(nest: Nest) -> bool:
    return nest.solves_jointly(1)


@joined
def _evaluate_top(
    nest: Nest,
    own: Float[Array, " own"],
    guess: Float[Array, " below"],
    tolerance: Array,
    turn: Int[Array, ""],
    way: Literal["both", "joint", "nested"],
) -> tuple[Point, Float[Array, " levels"]]:
    nest = dataclasses.replace(nest, way=way)
    proposal = Proposal(own, guess, jnp.zeros((), own.dtype), jnp.array(0, jnp.int32))
    with_factor = nest.plans[0].mover.needs_factor
    point = evaluate(nest, 0, (), proposal, tolerance, turn, with_factor=with_factor)
    return point, _objectives(nest.game, choices(nest.game.sizes, 0, point.flat))


@joined
def top_residual(nest: Nest, point: Point) -> Float[Array, ""]:
    """The norm of the top level's total gradient g, in a domain of x - proj(x - g)."""
    return residual(nest, 0, point)


@joined
def objectives(game: Game, vectors: Vectors) -> Float[Array, " levels"]:
    """All objectives, as minimisations, at the variables of all levels."""
    return _objectives(game, vectors)


@joined
def objectives_of_many(game: Game, vectors: Vectors) -> Float[Array, "many levels"]:
    """As `objectives`, at several points, which are stacked along the first axis."""
    return jax.vmap(lambda *one: _objectives(game, one))(*vectors)


def _objectives(game: Game, vectors: Vectors) -> Float[Array, " levels"]:
    return jnp.stack([game.objective(level, vectors) for level in range(len(game.sizes))])


@joined
def partial_gradient(game: Game, vectors: Vectors) -> Float[Array, " own"]:
    """The top objective's gradient in its own variables, the levels below held still."""
    return jax.grad(lambda own: game.objective(0, (own, *vectors[1:])))(vectors[0])


@joined
def stationarity(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"]
) -> Float[Array, " flat"]:
    """∇_{u_k} L_k; it holds the total gradients of level k and of all levels below."""
    return jax.grad(lambda point: lagrangian(game, level, above, point))(flat)


@joined
def reduced_product(
    nest: Nest,
    level: int,
    above: Vectors,
    flat: Float[Array, " flat"],
    below: Factor | None,
    vector: Float[Array, " own"],
) -> Float[Array, " own"]:
    """S_k v, the reduced Hessian of a level times a vector, without forming it."""
    plans = nest.place(level, above).plans
    return operators(nest.game, level, above, flat, below, plans).reduced(vector)


@joined
def project_top(game: Game, own: Float[Array, " own"]) -> Float[Array, " own"]:
    """The nearest point of the top level's domain."""
    return game.project(0, own)


@joined
def projection_jacobian(game: Game, own: Float[Array, " own"]) -> Float[Array, "own own"]:
    """The derivative of the projection on the top level's domain."""
    return jax.jacfwd(lambda vector: game.project(0, vector))(own)
