"""Exact elimination: K_k in dense blocks, factorised level by level.

In the parts (x_k, u_{k+1}, m_{k+1}) of u_k

    K_k = [[A, B_wᵀ, B_mᵀ], [B_w, L_ww, K_{k+1}], [B_m, K_{k+1}, 0]].

With W = -K_{k+1}⁻¹ B_m, how u_{k+1} follows x_k, the reduced Hessian of level k is
S_k = A + B_wᵀ W + Wᵀ (B_w + L_ww W): one solve with K_{k+1}, itself a block of K_k, and a Cholesky
factor of the order of level k's own variables. All these factors exist just where every level
from k on is at a strict local minimum, anticipating the levels below it.
"""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.lax.linalg import cholesky, triangular_solve
from jaxtyping import Array, Bool, Float

from mlodsl.modules import Record, default_platform

from .assembled import assembled
from .lagrangian import Game, Vectors, flat_size, lagrangian
from .linear_map import folded
from .small_matrices import cholesky_factor, divided, divided_by_transpose, product

# Pivots below so many roundings of the largest curvature can't be told from zero.
_FLAT = 10

# Above so many levels K_k is put together from the objectives' own second derivatives: that takes
# a fifth of the time to compile (of six levels of 3; of five, three quarters) and twice as long to
# run as products with the unit vectors.
_MANY_BELOW = 4

# So many products at once stay in a processor's cache; all at once take twice as long.
_AT_ONCE = 50


class BlockFactor(Record):
    """K_k in blocks, factorised; what concerns the levels below is None at the bottom.

    Arguments:
        direct: A.
        slope: B_wᵀ.
        cross: B_mᵀ.
        curvature: L_ww.
        below: the factor of K_{k+1}.
        response: Wᵀ.
        cholesky: the lower triangular factor of S_k; NaN where S_k isn't positive definite.
        positive: whether S_k is positive definite beyond rounding, and so are those below it.
        tiny: whether matrices are multiplied and solved with by loops, in place of a library.
    """

    direct: Float[Array, "own own"]
    slope: Float[Array, "own below"] | None
    cross: Float[Array, "own below"] | None
    curvature: Float[Array, "below below"] | None
    below: BlockFactor | None
    response: Float[Array, "own below"] | None
    cholesky: Float[Array, "own own"]
    positive: Bool[Array, ""]
    tiny: bool = eqx.field(static=True, default=False)

    @property
    def matrix(self) -> Float[Array, "flat flat"]:
        """K_k as one matrix."""
        if self.below is None:
            return self.direct
        assert self.slope is not None and self.cross is not None and self.curvature is not None
        under = self.below.matrix
        return jnp.block(
            [
                [self.direct, self.slope, self.cross],
                [self.slope.T, self.curvature, under],
                [self.cross.T, under, jnp.zeros_like(under)],
            ]
        )


def upper_rows(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"]
) -> tuple[Float[Array, ""], Float[Array, " flat"], Float[Array, "upper flat"]]:
    """L_k, ∇L_k and the rows of ∇²L_k for x_k and u_{k+1}; a Hessian-vector product for each.

    L_k is linear in the multipliers m_{k+1}, so that their rows are columns of the others.
    """
    rows = flat.size - flat_size(game.sizes, level + 1)
    if _has_many_below(game, level):
        value, gradient, matrix = assembled(game, level, above, flat, leading=False)
        return value, gradient, matrix[:rows]

    def value_and_gradient(point: Float[Array, " flat"]) -> tuple[Array, Array]:
        value, gradient = jax.value_and_grad(lambda p: lagrangian(game, level, above, p))(point)
        return gradient, value

    gradient, product, value = jax.linearize(value_and_gradient, flat, has_aux=True)
    return value, gradient, products_with_units(folded(product, flat), rows, flat)


def rows_and_cross(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"]
) -> tuple[Float[Array, " flat"], Float[Array, "upper flat"], Float[Array, "leading flat"]]:
    """∇L_k, the rows of ∇²L_k as in `upper_rows`, and how ∇L_k changes with the variables of the
    level above; a Hessian-vector product for each row."""
    leading = above[-1]
    upper = flat.size - flat_size(game.sizes, level + 1)
    if _has_many_below(game, level):
        _, found, matrix = assembled(game, level, above, flat, leading=True)
        both = matrix[: leading.size + upper, leading.size :]
        return found[leading.size :], both[leading.size :], both[: leading.size]

    def gradient(leading: Float[Array, " leading"], point: Float[Array, " flat"]) -> Array:
        here = (*above[:-1], leading)
        return jax.grad(lambda p: lagrangian(game, level, here, p))(point)

    found, product = jax.linearize(gradient, leading, flat)

    def along(direction: Float[Array, " both"]) -> Float[Array, " flat"]:
        change: Array = product(direction[: leading.size], direction[leading.size :])
        return change

    both = jnp.concatenate([leading, flat])
    changes = products_with_units(along, leading.size + upper, both)
    return found, changes[leading.size :], changes[: leading.size]


def _has_many_below(game: Game, level: int) -> bool:
    return len(game.sizes) - 1 - level >= _MANY_BELOW


def products_with_units(
    product: Callable[[Float[Array, " n"]], Float[Array, " m"]],
    count: int,
    like: Float[Array, " n"],
) -> Float[Array, "count m"]:
    """The products of an operator with the first unit vectors, some at a time."""
    if default_platform() != "cpu" or count <= _AT_ONCE:
        return jax.vmap(product)(jnp.eye(count, like.size, dtype=like.dtype))
    groups = -(-count // _AT_ONCE)
    together = -(-count // groups)

    def some(first: Array) -> Array:
        numbers = first + jnp.arange(together)[:, None]
        return jax.vmap(product)((numbers == jnp.arange(like.size)).astype(like.dtype))

    found = jax.lax.map(some, together * jnp.arange(groups))
    return found.reshape(groups * together, -1)[:count]


def matrix_of_rows(rows: Float[Array, "upper flat"]) -> Float[Array, "flat flat"]:
    """K_k from its rows for x_k and u_{k+1}."""
    upper, order = rows.shape
    right = jnp.concatenate([rows[:, upper:], jnp.zeros((order - upper,) * 2, rows.dtype)])
    return jnp.concatenate([jnp.concatenate([rows[:, :upper], rows[:, upper:].T]), right], axis=1)


def block_factor(
    sizes: tuple[int, ...], level: int, rows: Float[Array, "upper flat"], *, tiny: bool = False
) -> BlockFactor:
    """The factor of K_level from its rows for x_k and u_{k+1}, or from all of them.

    Arguments:
        tiny: as in `BlockFactor`.
    """
    own, below = sizes[level], flat_size(sizes, level + 1)
    if below == 0:
        return _factor(rows[:own, :own], None, None, tiny)
    inner, outer = slice(own, own + below), slice(own + below, own + 2 * below)
    under = block_factor(sizes, level + 1, rows[inner, outer], tiny=tiny)
    return _factor(rows[:own], rows[inner, inner], under, tiny)


def block_factor_at(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"], *, tiny: bool = False
) -> tuple[Float[Array, " flat"], BlockFactor]:
    """∇L_k at u_k, and the factor of K_k there.

    Of its rows only what isn't known from others by symmetry is evaluated.

    Arguments:
        tiny: as in `BlockFactor`.
    """
    sizes = game.sizes
    if _has_many_below(game, level):
        _, gradient, matrix = assembled(game, level, above, flat, leading=False)
        return gradient, block_factor(sizes, level, matrix, tiny=tiny)
    gradient, product = jax.linearize(
        jax.grad(lambda point: lagrangian(game, level, above, point)), flat
    )
    own, below = sizes[level], flat_size(sizes, level + 1)
    rows = products_with_units(folded(product, flat, slice(0, own)), own, flat[:own])
    if below == 0:
        return gradient, _factor(rows, None, None, tiny)
    # L_k is linear in all multipliers of the levels below the next.
    upper = below - flat_size(sizes, level + 2)
    inner = slice(own, own + upper)
    along = folded(lambda vector: product(vector)[own:], flat, inner)
    others = products_with_units(along, upper, flat[inner])
    under = block_factor(sizes, level + 1, others[:, below:], tiny=tiny)
    return gradient, _factor(rows, matrix_of_rows(others[:, :below]), under, tiny)


def _factor(
    rows: Float[Array, "own flat"],
    curvature: Float[Array, "below below"] | None,
    under: BlockFactor | None,
    tiny: bool,
) -> BlockFactor:
    """The factor of K_k from its rows for x_k, L_ww and the factor of K_{k+1}."""
    own = len(rows)
    direct = rows[:, :own]
    if curvature is None or under is None:
        lower, positive = _cholesky(direct, tiny)
        return BlockFactor(direct, None, None, None, None, None, lower, positive, tiny)
    below = len(curvature)
    slope, cross = rows[:, own : own + below], rows[:, own + below :]
    response = -_solve_rows(under, cross)
    times = _product(tiny)
    half = times(slope + times(response, curvature) / 2, response.T)
    lower, positive = _cholesky(direct + half + half.T, tiny)
    positive &= under.positive
    return BlockFactor(direct, slope, cross, curvature, under, response, lower, positive, tiny)


def block_solve(
    factor: BlockFactor, right: Float[Array, "flat columns"]
) -> Float[Array, "flat columns"]:
    """K_k⁻¹ right, for many right-hand sides at once; two solves with K_{k+1}."""
    return _solve_rows(factor, right.T).T


def _solve_rows(
    factor: BlockFactor, right: Float[Array, "several flat"]
) -> Float[Array, "several flat"]:
    """right K_k⁻¹. Of matrices that are stored by rows it takes two thirds of the time of solving
    for columns."""
    if factor.below is None:
        return _solve_reduced(factor, right)
    assert factor.response is not None and factor.slope is not None
    assert factor.curvature is not None
    own, below = factor.response.shape
    mine, inner, outer = right[:, :own], right[:, own : own + below], right[:, own + below :]
    times = _product(factor.tiny)
    follows = _solve_rows(factor.below, outer)
    left = inner - times(follows, factor.curvature)
    rest = mine - times(follows, factor.slope.T) + times(left, factor.response.T)
    step = _solve_reduced(factor, rest)
    follows = follows + times(step, factor.response)
    left = inner - times(follows, factor.curvature) - times(step, factor.slope)
    return jnp.concatenate([step, follows, _solve_rows(factor.below, left)], axis=1)


def _solve_reduced(
    factor: BlockFactor, right: Float[Array, "several own"]
) -> Float[Array, "several own"]:
    """right S_k⁻¹."""
    if factor.tiny:
        return divided(divided_by_transpose(right, factor.cholesky), factor.cholesky)
    half = triangular_solve(factor.cholesky, right, lower=True, transpose_a=True)
    return triangular_solve(factor.cholesky, half, lower=True)


def _product(tiny: bool) -> Callable[[Array, Array], Array]:
    return product if tiny else jnp.matmul


def _cholesky(
    reduced: Float[Array, "own own"], tiny: bool
) -> tuple[Float[Array, "own own"], Bool[Array, ""]]:
    """The factor of a symmetric matrix, of which the lower triangle is looked at."""
    found = cholesky_factor(reduced) if tiny else cholesky(reduced, symmetrize_input=False)
    pivots = _diagonal(found) ** 2
    largest = jnp.max(jnp.abs(_diagonal(reduced)), initial=0.0)
    floor = _FLAT * jnp.finfo(reduced.dtype).eps * max(1, len(reduced)) * largest
    return found, jnp.all(pivots > floor)


def _diagonal(matrix: Float[Array, "n n"]) -> Float[Array, " n"]:
    # By a mask: it is no gather, which doesn't fit into one kernel.
    return jnp.sum(jnp.where(jnp.eye(len(matrix), dtype=bool), matrix, 0), axis=1)
