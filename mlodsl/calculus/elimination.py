"""Solves with K_k = ∇² L_k: dense, or by elimination of the levels below.

With K_k = [[A, Bᵀ], [B, M]] and M = [[L_ww, K_{k+1}], [K_{k+1}, 0]], a solve with M is two
solves with K_{k+1}; the Schur complement S_k = A - Bᵀ M⁻¹ B is the reduced Hessian of level k,
anticipating the levels below. S_k positive definite at every level is a strict local minimum
at every level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mlodsl.modules import Record

from .blocks import BlockFactor, block_solve, matrix_of_rows, upper_rows
from .lagrangian import Game, Vectors, flat_size, lagrangian
from .linear import conjugate_gradients, neumann_series
from .minres import minres
from .preconditioner import Preconditioner

EliminationForm: TypeAlias = Literal["full", "reduced", "cg", "minres", "neumann"]


class EliminationPlan(Record):
    """How K_k is solved with at one level.

    Arguments:
        form: `full` keeps all of K_k as a matrix; `reduced` keeps S_k as a matrix and
            eliminates the levels below; `cg` and `neumann` solve with S_k by conjugate gradients
            or a Neumann series; `minres` solves with K_k itself by MINRES.
        iterations, tolerance: of those iterations.
        preconditioner: of conjugate gradients.
    """

    form: EliminationForm = eqx.field(static=True)
    iterations: int = eqx.field(static=True, default=0)
    tolerance: float = eqx.field(static=True, default=1e-10)
    preconditioner: Preconditioner | None = None


class Spectrum(Record):
    """S_k by its eigenvalues, smallest first, and its orthonormal eigenvectors in columns."""

    curvatures: Float[Array, " own"]
    axes: Float[Array, "own own"]

    @property
    def floor(self) -> Float[Array, ""]:
        """Eigenvalues within it of zero can't be told from zero."""
        kind = jnp.finfo(self.curvatures.dtype)
        largest = jnp.max(jnp.abs(self.curvatures))
        return jnp.maximum(10 * kind.eps * self.curvatures.size * largest, kind.tiny**0.5)


def spectrum(reduced: Float[Array, "own own"]) -> Spectrum:
    """The spectrum of S_k."""
    return Spectrum(*jnp.linalg.eigh((reduced + reduced.T) / 2, symmetrize_input=False))


class FullFactor(Record):
    """K_k as a matrix, S_k, and -M⁻¹ B: how (u_{k+1}, m_{k+1}) follow x_k."""

    matrix: Float[Array, "flat flat"]
    reduced: Spectrum
    tangent: Float[Array, "rest own"]


class EliminatedFactor(Record):
    """K_k by elimination: the point, S_k where it is kept, and the factor of K_{k+1}."""

    flat: Float[Array, " flat"]
    reduced: Spectrum | None
    below: FullFactor | BlockFactor | EliminatedFactor | None


NewtonFactor: TypeAlias = FullFactor | EliminatedFactor
"""What a level's own steps need of K_k: the spectrum of S_k, or its products."""

Factor: TypeAlias = NewtonFactor | BlockFactor
"""What solves with K_k need."""

Product: TypeAlias = Callable[[Float[Array, " flat"]], Float[Array, " flat"]]


def full_matrix(
    game: Game, level: int, above: Vectors, flat: Float[Array, " flat"]
) -> tuple[Float[Array, ""], Float[Array, " flat"], Float[Array, "flat flat"]]:
    """L_k, ∇L_k and ∇²L_k at u_k; a Hessian-vector product for each entry of x_k and u_{k+1}."""
    value, gradient, upper = upper_rows(game, level, above, flat)
    matrix = matrix_of_rows(upper)
    return value, gradient, (matrix + matrix.T) / 2


def hessian_product(game: Game, level: int, above: Vectors, flat: Float[Array, " flat"]) -> Product:
    """v ↦ K_k v at u_k."""
    _, product = jax.linearize(jax.grad(lambda p: lagrangian(game, level, above, p)), flat)
    return product


def full_factor(
    sizes: tuple[int, ...], level: int, matrix: Float[Array, "flat flat"]
) -> FullFactor:
    """The factor of K_k from all of its entries; one solve with M."""
    own = sizes[level]
    rest = matrix[own:, own:]
    coupling = matrix[own:, :own]
    if coupling.shape[0] == 0:
        return FullFactor(matrix, spectrum(matrix), coupling)
    tangent = -jnp.linalg.solve(rest, coupling)
    return FullFactor(matrix, spectrum(matrix[:own, :own] + coupling.T @ tangent), tangent)


@dataclass(frozen=True, slots=True)
class Operators:
    """What elimination at one point of level k offers, matrix-free.

    Arguments:
        product: v ↦ K_k v.
        eliminate: r ↦ M⁻¹ r, by two solves with K_{k+1}.
        tangent: v ↦ -M⁻¹ B v, the change of (u_{k+1}, m_{k+1}) when x_k moves by v.
        reduced: v ↦ S_k v; two products with K_k and two solves with K_{k+1}.
    """

    product: Product
    eliminate: Product
    tangent: Product
    reduced: Product


def operators(
    game: Game,
    level: int,
    above: Vectors,
    flat: Float[Array, " flat"],
    below: Factor | None,
    plans: tuple[EliminationPlan, ...],
    product: Product | None = None,
) -> Operators:
    """The operators of level k at u_k, given the factor of K_{k+1} (None at the bottom).

    Arguments:
        product: v ↦ K_k v, where that is at hand.
    """
    own = game.sizes[level]
    here = (*above, flat[:own])
    product = hessian_product(game, level, above, flat) if product is None else product

    def eliminate(right: Float[Array, " rest"]) -> Float[Array, " rest"]:
        if below is None:
            return right
        size = right.size // 2

        # K a = r_m, then K b = r_w - L_ww a. A loop of two, so that the code of the solve
        # below is written once a level and not four times.
        def once(index: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
            first, _ = carry
            correction = product(jnp.pad(first, (own, size)))[own : own + size]
            rhs = jnp.where(index == 0, right[size:], right[:size] - correction)
            solved, _ = solve(game, level + 1, here, below, plans, rhs)
            return jnp.where(index == 0, solved, first), solved

        zero = jnp.zeros(size, right.dtype)
        first, second = jax.lax.fori_loop(0, 2, once, (zero, zero))
        return jnp.concatenate([first, second])

    def tangent(step: Float[Array, " own"]) -> Float[Array, " rest"]:
        return -eliminate(product(jnp.pad(step, (0, flat.size - own)))[own:])

    def reduced(step: Float[Array, " own"]) -> Float[Array, " own"]:
        return product(jnp.concatenate([step, tangent(step)]))[:own]

    return Operators(product, eliminate, tangent, reduced)


def reduced_spectrum(reduced: Product, size: int, dtype: jnp.dtype) -> Spectrum:
    """The spectrum of S_k, from a product for each variable of the level."""
    return spectrum(jax.vmap(reduced)(jnp.eye(size, dtype=dtype)))


def factorize(
    game: Game,
    level: int,
    above: Vectors,
    flat: Float[Array, " flat"],
    below: Factor | None,
    plans: tuple[EliminationPlan, ...],
) -> NewtonFactor:
    """What `solve` needs of K_k at u_k, in the form that the level's plan names."""
    form = plans[level].form
    if form == "full":
        return full_factor(game.sizes, level, full_matrix(game, level, above, flat)[2])
    if form != "reduced":
        return EliminatedFactor(flat, None, below)
    reduced = operators(game, level, above, flat, below, plans).reduced
    return EliminatedFactor(flat, reduced_spectrum(reduced, game.sizes[level], flat.dtype), below)


def empty_factor(
    sizes: tuple[int, ...], level: int, plans: tuple[EliminationPlan, ...], dtype: jnp.dtype
) -> NewtonFactor:
    """A factor of the right structure for a loop's first carry; its numbers mean nothing."""
    flat = flat_size(sizes, level)
    form = plans[level].form
    if form == "full":
        own = sizes[level]
        return FullFactor(
            jnp.eye(flat, dtype=dtype), _unit(own, dtype), jnp.zeros((flat - own, own), dtype)
        )
    below = empty_factor(sizes, level + 1, plans, dtype) if level + 1 < len(sizes) else None
    reduced = _unit(sizes[level], dtype) if form == "reduced" else None
    return EliminatedFactor(jnp.zeros(flat, dtype), reduced, below)


def _unit(size: int, dtype: jnp.dtype) -> Spectrum:
    return Spectrum(jnp.ones(size, dtype), jnp.eye(size, dtype=dtype))


def solve(
    game: Game,
    level: int,
    above: Vectors,
    factor: Factor,
    plans: tuple[EliminationPlan, ...],
    right: Float[Array, " flat"],
    tolerance: float | Float[Array, ""] | None = None,
    product: Product | None = None,
) -> tuple[Float[Array, " flat"], Int[Array, ""]]:
    """K_k⁻¹ right, at the point the factor was made at.

    Arguments:
        tolerance: of level k's own iterations, on the residual relative to the right-hand side;
            None for that of its plan.
        product: v ↦ K_k v, where that is at hand.

    Returns:
        The solution, and the number of products with K_k or S_k that iterations took; those
        with the levels below inside of a product aren't counted.
    """
    none = jnp.array(0, jnp.int32)
    if isinstance(factor, FullFactor):
        return jnp.linalg.solve(factor.matrix, right), none
    if isinstance(factor, BlockFactor):
        solved = jax.lax.cond(
            factor.positive,
            lambda: block_solve(factor, right[:, None])[:, 0],
            lambda: jnp.linalg.solve(factor.matrix, right),
        )
        return solved, none
    plan = plans[level]
    tolerance = plan.tolerance if tolerance is None else tolerance
    own = game.sizes[level]
    at = operators(game, level, above, factor.flat, factor.below, plans, product)
    rest = right.size - own
    if plan.form == "minres":
        return minres(at.product, right, iterations=plan.iterations, tolerance=tolerance)

    def own_solve(rhs: Float[Array, " own"]) -> tuple[Float[Array, " own"], Int[Array, ""]]:
        if factor.reduced is not None:
            axes = factor.reduced.axes
            return axes @ ((axes.T @ rhs) / factor.reduced.curvatures), none
        if plan.form == "neumann":
            return neumann_series(at.reduced, rhs, iterations=plan.iterations, tolerance=tolerance)
        return conjugate_gradients(
            at.reduced,
            rhs,
            iterations=plan.iterations,
            tolerance=tolerance,
            precondition=None if plan.preconditioner is None else plan.preconditioner.apply,
        )

    if rest == 0:
        return own_solve(right)

    # Twice: M⁻¹ r_rest gives the right-hand side of the reduced system; its solution p then
    # changes r_rest by -B p. A loop of two, so that `eliminate` is written once.
    def once(index: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        step, _, products = carry
        lifted = at.product(jnp.pad(step, (0, rest)))
        others = at.eliminate(right[own:] - lifted[own:])

        def first() -> tuple[Array, Array, Array]:
            solved, count = own_solve(right[:own] - at.product(jnp.pad(others, (own, 0)))[:own])
            return solved, others, count

        return jax.lax.cond(index == 0, first, lambda: (step, others, products))

    zeros = (jnp.zeros(own, right.dtype), jnp.zeros(rest, right.dtype), none)
    step, others, products = jax.lax.fori_loop(0, 2, once, zeros)
    return jnp.concatenate([step, others]), products
