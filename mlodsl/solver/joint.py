"""All lower levels at once: Newton's method on ∇ L_k = 0, the conditions of levels k and below.

The unknowns are the variables of those levels and their multipliers; near the answers of all
levels a step is as good for each as its own Newton step. From further off the method may lead
nowhere, or to a stationary point that no level would choose: then nothing is claimed, and the
levels are to be solved one inside the other.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeAlias

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
    folded,
    in_one_kernel,
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
NEAR, _ROUGHLY_NEAR = 1e-4, 0.1

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
        cross: how ∇L_k changes with the variables of the level above.
        multipliers: m with K_k m = -∇f there, f what the level above wants. This and `cross` are
            empty where they weren't asked for.
    """

    flat: Float[Array, " flat"]
    factor: BlockFactor | EliminatedFactor
    solved: Bool[Array, ""]
    turns: Int[Array, ""]
    products: Int[Array, ""]
    gradient: Float[Array, " flat"]
    cross: Float[Array, "leading flat"]
    multipliers: Float[Array, " flat"]


class _Matrices(Record):
    """The rows of K_k and of `cross` at a point."""

    rows: Float[Array, "upper flat"]
    cross: Float[Array, "leading flat"]


class _State(Record):
    """The accepted point, its residual, the matrices there, the full step from it, and the share of
    it that is tried next; a point that is close enough has no step."""

    flat: Float[Array, " flat"]
    norm: Float[Array, ""]
    gradient: Float[Array, " flat"]
    matrices: _Matrices | None
    step: Float[Array, " flat"]
    share: Float[Array, ""]
    turns: Int[Array, ""]
    products: Int[Array, ""]


_Step: TypeAlias = Callable[[Float[Array, ""]], tuple[Float[Array, " flat"], Int[Array, ""] | int]]
"""The Newton step at a point whose residual has a norm, and how many products it took."""


def solve_jointly(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
    *,
    wanted_above: Callable[[Float[Array, " flat"]], Float[Array, " flat"]] | None = None,
) -> JointAnswer:
    """Newton steps from `guess`, a u_level with multipliers, shortened until the residual falls.

    Arguments:
        tolerance: on the norm of ∇ L_level, but for the conditions of levels held still.
        wanted_above: ∇f at u_level, where `multipliers` and `cross` are asked for.
    """
    game, sizes = nest.game, nest.game.sizes
    one_matrix = guess.size <= _ONE_MATRIX
    still, pinned = _held(nest, level, guess.dtype)
    wanted = jnp.array(True) if one_matrix else ~jnp.any(nest.frozen[level:])
    upper = guess.size - flat_size(sizes, level + 1)
    leading = 0 if wanted_above is None else above[-1].size

    def newton_step(gradient: Array, rows: Array) -> Array:
        if not one_matrix:
            return block_solve(block_factor(sizes, level, rows), gradient[:, None])[:, 0]
        matrix = matrix_of_rows(rows)
        return jnp.linalg.solve(jnp.where(still[:, None], pinned, matrix), gradient)

    def with_matrices(gradient: Array, upwards: Array, rows: Array) -> tuple[Array, Array]:
        """The step and the multipliers where elimination alone may have no factor: where a level
        is held still, or isn't at a minimum. Of many unknowns that is no answer."""
        if not one_matrix:
            return jnp.full_like(gradient, jnp.nan), jnp.zeros_like(upwards)
        multipliers = -jnp.linalg.solve(matrix_of_rows(rows), upwards) if upwards.size else upwards
        return newton_step(gradient, rows), multipliers

    def with_factor(gradient: Array, upwards: Array, factor: BlockFactor) -> tuple[Array, Array]:
        right = jnp.stack([gradient, upwards] if upwards.size else [gradient], axis=1)
        found = block_solve(factor, right)
        return found[:, 0], -found[:, 1] if upwards.size else upwards

    def look(trial: Array) -> tuple[Array, _Matrices, _Step]:
        if leading:
            gradient, rows, cross = rows_and_cross(game, level, above, trial)
        else:
            _, gradient, rows = upper_rows(game, level, above, trial)
            cross = jnp.zeros((0, guess.size), guess.dtype)
        free = jnp.where(still, 0, gradient)
        return gradient, _Matrices(rows, cross), lambda _: (newton_step(free, rows), 0)

    none = _Matrices(
        jnp.zeros((upper, guess.size), guess.dtype), jnp.zeros((leading, guess.size), guess.dtype)
    )
    final = _newton(nest, level, guess, tolerance, look, none, still, lambda state: wanted)
    assert final.matrices is not None
    rows, cross = final.matrices.rows, final.matrices.cross
    factor = block_factor(sizes, level, rows)
    curved = _all_curved(factor, nest.frozen[level:])
    free = jnp.where(still, 0, final.gradient)
    plain = ~jnp.any(nest.frozen[level:]) & factor.positive
    upwards = jnp.zeros(0, free.dtype) if wanted_above is None else wanted_above(final.flat)
    step, multipliers = jax.lax.cond(
        plain,
        lambda: with_factor(free, upwards, factor),
        lambda: with_matrices(free, upwards, rows),
    )
    final = eqx.tree_at(lambda s: s.step, final, step)
    ended = _ended(nest, level, final, tolerance)
    solved = wanted & ended & curved & is_near(sizes, level, final.flat, step, NEAR)
    products = final.turns * (upper + leading)
    return JointAnswer(
        flat=final.flat,
        factor=factor,
        solved=solved,
        turns=final.turns,
        products=products,
        gradient=final.gradient,
        cross=cross,
        multipliers=multipliers,
    )


def solve_by_products(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
) -> JointAnswer:
    """As `solve_jointly`, with inexact steps by MINRES; looks at no level's curvature.

    No level may be held still.
    """
    solve = functools.partial(newton_by_products, nest, level, above)
    return in_one_kernel(solve, guess, tolerance)


def newton_by_products(
    nest: Nest,
    level: int,
    above: Vectors,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
) -> JointAnswer:
    """What `solve_by_products` computes, for what is to run in a larger kernel.

    Each step is as exact as makes Newton's method converge superlinearly (Eisenstat and Walker
    1996).
    """
    game = nest.game

    def look(trial: Array) -> tuple[Array, None, _Step]:
        gradient, product = jax.linearize(
            jax.grad(lambda flat: lagrangian(game, level, above, flat)), trial
        )
        product = folded(product, trial)

        def step(norm: Array) -> tuple[Array, Array]:
            forcing = jnp.maximum(jnp.minimum(0.2, 0.1 * norm), 0.5 * tolerance / norm)
            return minres(product, gradient, iterations=0, tolerance=forcing, most=guess.size)

        return gradient, None, step

    wanted = ~jnp.any(nest.frozen[level:])

    def goes_on(state: _State) -> Array:
        # What takes more is better done with matrices.
        return wanted & (state.products <= _MOST_SWEEPS * guess.size)

    still = jnp.zeros(guess.shape, bool)

    final = _newton(nest, level, guess, tolerance, look, None, still, goes_on)
    near = is_near(game.sizes, level, final.flat, final.step, _ROUGHLY_NEAR)
    solved = wanted & _ended(nest, level, final, tolerance) & near
    return JointAnswer(
        flat=final.flat,
        factor=EliminatedFactor(final.flat, None, None),
        solved=solved,
        turns=final.turns,
        products=final.products,
        gradient=final.gradient,
        cross=jnp.zeros((0, guess.size), guess.dtype),
        multipliers=jnp.zeros(0, guess.dtype),
    )


def _newton(
    nest: Nest,
    level: int,
    guess: Float[Array, " flat"],
    tolerance: Float[Array, ""],
    look: Callable[[Array], tuple[Array, _Matrices | None, _Step]],
    matrices: _Matrices | None,
    still: Bool[Array, " flat"],
    goes_on: Callable[[_State], Bool[Array, ""]],
) -> _State:
    """Newton's method, its steps shortened until the residual falls.

    Arguments:
        look: ∇L_k at a point, the matrices there, and what makes a step of them.
        matrices: of the right shapes, for the first carry.
        still: entries of ∇L_k that aren't asked to vanish.
        goes_on: whether to make another turn, where the point isn't close enough.
    """

    def turn(state: _State) -> _State:
        trial = state.flat - state.share * state.step
        gradient, matrices, step = look(trial)
        norm = jnp.linalg.norm(jnp.where(still, 0, gradient))
        better = norm <= (1 - 1e-4 * state.share) * state.norm

        def accept() -> _State:
            nothing = (jnp.zeros_like(trial), jnp.array(0, jnp.int32))
            vector, count = jax.lax.cond(
                norm <= tolerance, lambda: nothing, lambda: _counted(step(norm))
            )
            return _State(
                flat=trial,
                norm=norm,
                gradient=gradient,
                matrices=matrices,
                step=vector,
                share=jnp.ones_like(norm),
                turns=state.turns + 1,
                products=state.products + count,
            )

        def refuse() -> _State:
            shorter = (state.share / 2, state.turns + 1)
            return eqx.tree_at(lambda s: (s.share, s.turns), state, shorter)

        return jax.lax.cond(better, accept, refuse)

    def proceed(state: _State) -> Array:
        goes = (state.turns < _MOST_TURNS) & (state.share >= _SHORTEST)
        return goes_on(state) & goes & ~_ended(nest, level, state, tolerance)

    return jax.lax.while_loop(proceed, turn, _first(guess, matrices))


def _counted(found: tuple[Array, Array | int]) -> tuple[Array, Array]:
    return found[0], jnp.asarray(found[1], jnp.int32)


def _first(guess: Float[Array, " flat"], matrices: _Matrices | None) -> _State:
    """The state before the first turn, which evaluates `guess` itself."""
    none = jnp.array(0, jnp.int32)
    return _State(
        flat=guess,
        norm=jnp.array(jnp.inf, guess.dtype),
        gradient=jnp.zeros_like(guess),
        matrices=matrices,
        step=jnp.zeros_like(guess),
        share=jnp.ones((), guess.dtype),
        turns=none,
        products=none,
    )


def is_near(
    sizes: tuple[int, ...],
    level: int,
    flat: Float[Array, " flat"],
    step: Float[Array, " flat"],
    share: float,
) -> Bool[Array, ""]:
    """Whether the full step from u_level is short, by that share of the point's size: a gradient
    that fades out far from any minimum leaves a long way still to go."""
    own = jnp.concatenate(choices(sizes, level, flat))
    return jnp.max(jnp.abs(step)) <= share * (1 + jnp.linalg.norm(own))


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
