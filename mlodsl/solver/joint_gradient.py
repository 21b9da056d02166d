"""The top level's total gradient from the joint answer of all levels below.

With K_1 m = -∇_{u_1} f_0 the total gradient is ∂f_0/∂x_0 + ⟨m, ∂/∂x_0 ∇_{u_1} L_1⟩, and the factor
of K_1 and that last derivative are at hand where the levels below were solved: nothing of their
objectives is differentiated, nor compiled, a second time.

Of an answer that was found by products alone K_1 is evaluated once, there: its factor tells whether
every level is at a minimum, how far the answer still is off, and m.
"""

from __future__ import annotations

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mlodsl.calculus import (
    LARGEST_ORDER,
    BlockFactor,
    block_factor_at,
    block_solve,
    choices,
    in_one_kernel,
    lagrangian,
    response_gradient,
)
from mlodsl.strategies import Point, Response

from .joint import NEAR, JointAnswer, is_near, newton_by_products, solve_jointly
from .movers import Proposal
from .nest import Nest
from .outcome import Outcome


def evaluate_jointly(nest: Nest, proposal: Proposal, accuracy: Float[Array, ""]) -> Point:
    """The top level at the proposal; where the levels below gave no answer, its outcomes say so.

    Arguments:
        accuracy: the norm of ∇ L_1 that is small enough.
    """
    game, own = nest.game, proposal.own

    def top(own: Array, flat: Array) -> Array:
        return game.objective(0, (own, *choices(game.sizes, 1, flat)))

    answer = solve_jointly(
        nest,
        1,
        (own,),
        proposal.guess,
        accuracy,
        wanted_above=jax.grad(functools.partial(top, own)),
    )
    response = joint_response(nest, 1, answer, with_factor=True)
    value, direct = jax.value_and_grad(top)(own, answer.flat)
    factor, multipliers = answer.factor, answer.multipliers
    assert isinstance(factor, BlockFactor)
    return Point(
        own=own,
        value=value + multipliers @ answer.gradient,
        gradient=direct + answer.cross @ multipliers,
        error=jnp.zeros_like(value),
        flat=jnp.concatenate([own, answer.flat, multipliers]),
        below=factor,
        factor=None,
        outcomes=response.outcomes,
        evaluations=response.evaluations.at[0].add(1),
        products=response.products,
    )


def gradient_by_products(
    nest: Nest, own: Float[Array, " own"], guess: Float[Array, " below"], accuracy: Float[Array, ""]
) -> tuple[Float[Array, " own"], Int[Array, " levels"]]:
    """The top level's total gradient where products from the guess lead to strict minima.

    No level may be held still.

    Arguments:
        accuracy: the norm of ∇ L_1 that is small enough.

    Returns:
        The gradient, and how the solve of each level ended; where that says that they have
        stalled, the gradient says nothing.
    """
    solve = functools.partial(newton_by_products, nest, 1, (own,))
    finish = functools.partial(_finished, nest, own)

    def with_library(guess: Array, accuracy: Array) -> tuple[Array, Array]:
        return finish(in_one_kernel(solve, guess, accuracy), tiny=False)

    def with_loops(guess: Array, accuracy: Array) -> tuple[Array, Array]:
        return finish(solve(guess, accuracy), tiny=True)

    if max(nest.game.sizes[1:]) <= LARGEST_ORDER:
        return in_one_kernel(with_loops, guess, accuracy, otherwise=with_library)
    return with_library(guess, accuracy)


def _finished(
    nest: Nest, own: Float[Array, " own"], answer: JointAnswer, *, tiny: bool
) -> tuple[Float[Array, " own"], Int[Array, " levels"]]:
    """The total gradient from an answer by products, and how the solve of each level ended.

    Arguments:
        tiny: as in `BlockFactor`.
    """
    game, flat = nest.game, answer.flat
    gradient, factor = block_factor_at(game, 1, (own,), flat, tiny=tiny)
    right = response_gradient(game, 0, (), own, flat)
    found = block_solve(factor, jnp.stack([gradient, right], axis=1))
    step, multipliers = found[:, 0], -found[:, 1]

    def top(own: Array) -> Array:
        return lagrangian(game, 0, (), jnp.concatenate([own, flat, multipliers]))

    verified = factor.positive & is_near(game.sizes, 1, flat, step, NEAR)
    answer = dataclasses.replace(answer, solved=answer.solved & verified)
    return jax.grad(top)(own), joint_response(nest, 1, answer, with_factor=False).outcomes


def joint_response(nest: Nest, level: int, answer: JointAnswer, *, with_factor: bool) -> Response:
    """The joint answer; where it is none, all levels have stalled."""
    levels = jnp.arange(len(nest.game.sizes))
    reached = jnp.where(nest.frozen, int(Outcome.BUDGET), int(Outcome.SOLVED))
    outcomes = jnp.where(answer.solved, reached, int(Outcome.STALLED))
    products = jnp.where(levels == level, answer.products, 0)
    outcomes, turns = (jnp.where(levels >= level, n, 0) for n in (outcomes, answer.turns))
    return Response(
        flat=answer.flat,
        factor=answer.factor if with_factor else None,
        outcomes=outcomes.astype(jnp.int32),
        evaluations=turns.astype(jnp.int32),
        products=products.astype(jnp.int32),
    )
