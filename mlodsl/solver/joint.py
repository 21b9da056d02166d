"""All lower levels at once: Newton's method on ∇ L_k = 0, the conditions of levels k and below.

The unknowns are the variables of those levels and their multipliers; near the answers of all
levels a step is as good for each as its own Newton step. From further off the method may lead
nowhere, or to a stationary point that no level would choose: then nothing is claimed, and the
levels are to be solved one inside the other.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import (
    BlockFactor,
    EliminatedFactor,
    Vectors,
    block_factor,
    block_solve,
    choices,
    flat_size,
    lagrangian,
    matrix_of_rows,
    minres,
    rows_and_cross,
    upper_rows,
)
from mlodsl.modules import Record

from .nest import Nest

_MOST_TURNS = 40
_SHORTEST = 1 / 64

# How short the step from an answer is; from one that is inexact on purpose it is longer.
_NEAR, _ROUGHLY_NEAR = 1e-4, 0.1

# Products by which MINRES has to find an answer, for each unknown.
_MOST_SWEEPS = 4

# Up to so many unknowns K_k is solved with as a matrix, in which levels may be held still; of more
# the levels are eliminated one by one, which takes fewer operations and more calls.
_ONE_MATRIX = 256


class JointAnswer(Record):
    """Where the method ended.

    Arguments:
        flat: u_k.
        factor: of K_k at u_k.
        solved: whether all levels that may move are at strict local minima within the
            tolerance, or as far as rounding allows; by products alone, whether their
            conditions hold.
        turns: how many points were evaluated.
        products: with K_k.
        gradient: ∇L_k at u_k.
        cross: how ∇L_k changes with the variables of the level above; empty where it wasn't asked
            for.
    """

    flat: Float[Array, " flat"]
    factor: BlockFactor | EliminatedFactor
    solved: Bool[Array, ""]
    turns: Int[Array, ""]
    products: Int[Array, ""]
    gradient: Float[Array, " flat"]
    cross: Float[Array, "leading flat"]


class _State(Record):
    """The accepted point, its residual and rows of K_k, the full step from it, and the share of it
    that is tried next; `rows` and `cross` are empty where there is no matrix."""

    flat: Float[Array, " flat"]
    norm: Float[Array, ""]
    gradient: Float[Array, " flat"]
    rows: Float[Array, "upper flat"]
    cross: Float[Array, "leading flat"]
    step: Float[Array, " flat"]
    share: Float[Array, ""]
    turns: Int[Array, ""]
    products: Int[Array, ""]


def solve_jointly(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
    *,
    with_cross: bool = False,
) -> JointAnswer:
    """Newton steps from `guess`, a u_level with multipliers, shortened until the residual falls.

    Arguments:
        tolerance: on the norm of ∇ L_level, but for the conditions of levels held still.
        with_cross: whether `cross` is wanted.
    """
    game, sizes = nest.game, nest.game.sizes
    one_matrix = guess.size <= _ONE_MATRIX
    still, pinned = _held(nest, level, guess.dtype)
    wanted = jnp.array(True) if one_matrix else ~jnp.any(nest.frozen[level:])

    def newton_step(gradient: Array, rows: Array) -> Array:
        if not one_matrix:
            return block_solve(block_factor(sizes, level, rows), gradient[:, None])[:, 0]
        matrix = matrix_of_rows(rows)
        return jnp.linalg.solve(jnp.where(still[:, None], pinned, matrix), gradient)

    def turn(state: _State) -> _State:
        trial = state.flat - state.share * state.step
        if with_cross:
            gradient, rows, cross = rows_and_cross(game, level, above, trial)
        else:
            _, gradient, rows = upper_rows(game, level, above, trial)
            cross = state.cross
        free = jnp.where(still, 0, gradient)
        norm = jnp.linalg.norm(free)
        better = norm <= (1 - 1e-4 * state.share) * state.norm

        def accept() -> _State:
            return _State(
                flat=trial,
                norm=norm,
                gradient=gradient,
                rows=rows,
                cross=cross,
                step=newton_step(free, rows),
                share=jnp.ones_like(norm),
                turns=state.turns + 1,
                products=state.products,
            )

        def refuse() -> _State:
            shorter = (state.share / 2, state.turns + 1)
            return eqx.tree_at(lambda s: (s.share, s.turns), state, shorter)

        return jax.lax.cond(better, accept, refuse)

    def proceed(state: _State) -> Array:
        goes = (state.turns < _MOST_TURNS) & (state.share >= _SHORTEST)
        return wanted & goes & ~_ended(nest, level, state, tolerance)

    upper = guess.size - flat_size(sizes, level + 1)
    leading = above[-1].size if with_cross else 0
    final = jax.lax.while_loop(proceed, turn, _first(guess, upper, leading))
    factor = block_factor(sizes, level, final.rows)
    curved = _all_curved(factor, nest.frozen[level:])
    solved = (
        wanted
        & _ended(nest, level, final, tolerance)
        & _is_near(nest, level, final, _NEAR)
        & curved
    )
    products = final.turns * (upper + leading)
    return JointAnswer(
        final.flat, factor, solved, final.turns, products, final.gradient, final.cross
    )


def solve_by_products(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
) -> JointAnswer:
    """As `solve_jointly`, with inexact steps by MINRES; looks at no level's curvature.

    Each step is as exact as makes Newton's method converge superlinearly (Eisenstat and Walker
    1996). No level may be held still.
    """
    game = nest.game

    def turn(state: _State) -> _State:
        trial = state.flat - state.share * state.step
        gradient, product = jax.linearize(
            jax.grad(lambda flat: lagrangian(game, level, above, flat)), trial
        )
        norm = jnp.linalg.norm(gradient)
        better = norm <= (1 - 1e-4 * state.share) * state.norm

        def accept() -> _State:
            forcing = jnp.clip(0.5 * tolerance / norm, jnp.minimum(0.1, norm), 0.1)
            step, count = minres(
                product, gradient, iterations=0, tolerance=forcing, most=guess.size
            )
            return _State(
                flat=trial,
                norm=norm,
                gradient=gradient,
                rows=state.rows,
                cross=state.cross,
                step=step,
                share=jnp.ones_like(norm),
                turns=state.turns + 1,
                products=state.products + count,
            )

        def refuse() -> _State:
            shorter = (state.share / 2, state.turns + 1)
            return eqx.tree_at(lambda s: (s.share, s.turns), state, shorter)

        return jax.lax.cond(better, accept, refuse)

    wanted = ~jnp.any(nest.frozen[level:])

    def proceed(state: _State) -> Array:
        # What takes more is better done with matrices.
        goes = (state.turns < _MOST_TURNS) & (state.products <= _MOST_SWEEPS * guess.size)
        return wanted & goes & (state.share >= _SHORTEST) & ~_ended(nest, level, state, tolerance)

    final = jax.lax.while_loop(proceed, turn, _first(guess, 0, 0))
    near = _is_near(nest, level, final, _ROUGHLY_NEAR)
    solved = wanted & _ended(nest, level, final, tolerance) & near
    return JointAnswer(
        flat=final.flat,
        factor=EliminatedFactor(final.flat, None, None),
        solved=solved,
        turns=final.turns,
        products=final.products,
        gradient=final.gradient,
        cross=final.cross,
    )


def _first(guess: Float[Array, " flat"], upper: int, leading: int) -> _State:
    """The state before the first turn, which evaluates `guess` itself."""
    none = jnp.array(0, jnp.int32)
    return _State(
        flat=guess,
        norm=jnp.array(jnp.inf, guess.dtype),
        gradient=jnp.zeros_like(guess),
        rows=jnp.zeros((upper, guess.size), guess.dtype),
        cross=jnp.zeros((leading, guess.size), guess.dtype),
        step=jnp.zeros_like(guess),
        share=jnp.ones((), guess.dtype),
        turns=none,
        products=none,
    )


def _is_near(nest: Nest, level: int, state: _State, share: float) -> Bool[Array, ""]:
    """Whether the full step is short, by that share of the point's size: a gradient that fades out
    far from any minimum leaves a long way still to go."""
    own = jnp.concatenate(choices(nest.game.sizes, level, state.flat))
    return jnp.max(jnp.abs(state.step)) <= share * (1 + jnp.linalg.norm(own))


def _ended(nest: Nest, level: int, state: _State, tolerance: Float[Array, ""]) -> Bool[Array, ""]:
    """Whether the residual is within the tolerance, or all that is left of it is rounding: it
    doesn't fall any more, along a step that is next to nothing."""
    eps = jnp.finfo(state.flat.dtype).eps
    own, moved = (
        jnp.linalg.norm(jnp.concatenate(choices(nest.game.sizes, level, flat)))
        for flat in (state.flat, state.step)
    )
    tiny = moved <= eps**0.75 * (1 + own)
    tiny &= jnp.linalg.norm(state.step) <= eps**0.75 * (1 + jnp.linalg.norm(state.flat))
    rounding = (state.share < 1) & tiny
    return (state.turns > 0) & ((state.norm <= tolerance) | rounding)


def _held(
    nest: Nest, level: int, dtype: jnp.dtype
) -> tuple[Bool[Array, " flat"], Float[np.ndarray, "flat flat"]]:
    """Which conditions are dropped since their level is held still, and in each one's place the
    unit row that keeps its variable.

    The conditions of level k are entries of ∇ L_k; in ∇ L_{k-1} these stand at m_k.
    """
    sizes = nest.game.sizes
    order = flat_size(sizes, level)
    rows = np.full(order, -1)
    pinned = np.zeros((order, order), dtype)
    condition, variable = 0, 0
    for depth in range(level, len(sizes)):
        entries = np.arange(sizes[depth])
        rows[condition + entries] = depth
        pinned[condition + entries, variable + entries] = 1
        condition += sizes[depth] + flat_size(sizes, depth + 1)
        variable += sizes[depth]
    known = jnp.asarray(nest.frozen)[np.maximum(rows, 0)]
    return known & (rows >= 0), pinned


def _all_curved(factor: BlockFactor, still: Bool[Array, " levels"]) -> Bool[Array, ""]:
    """Whether every level that may move is at a strict minimum, as those below it are."""
    found, at = jnp.array(True), factor
    for held in still:
        found &= held | at.positive
        if at.below is not None:
            at = at.below
    return found
