"""Linear solves with one symmetric positive definite operator."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mlodsl.modules import Record

# Products that the largest eigenvalue is estimated with, and what it is enlarged by.
POWER_STEPS = 20
_POWER_MARGIN = 1.1

# Iterations with a preconditioner: one for so many unknowns, and at least so many.
_SHARE, _FEWEST = 8, 20

Matvec = Callable[[Float[Array, " n"]], Float[Array, " n"]]


class _Iterate(Record):
    """Conjugate gradients so far, from zero.

    Arguments:
        step: s.
        residual: r = b - A s.
        direction: d, the next one.
        square: ⟨r, r⟩.
        slope: ⟨r, P r⟩, with the preconditioner P.
        decrease: of the model ⟨A s, s⟩ / 2 - ⟨b, s⟩.
        length, along, width: ⟨s, s⟩, ⟨s, d⟩ and ⟨d, d⟩, where there is a radius.
        ended: whether the step was cut off.
    """

    step: Float[Array, " n"]
    residual: Float[Array, " n"]
    direction: Float[Array, " n"]
    square: Float[Array, ""]
    slope: Float[Array, ""]
    decrease: Float[Array, ""]
    length: Float[Array, ""]
    along: Float[Array, ""]
    width: Float[Array, ""]
    count: Int[Array, ""]
    ended: Bool[Array, ""]


def conjugate_gradients(
    matvec: Matvec,
    right: Float[Array, " n"],
    *,
    iterations: int,
    tolerance: float | Float[Array, ""],
    precondition: Matvec | None = None,
) -> tuple[Float[Array, " n"], Int[Array, ""]]:
    """The solution of A x = b by conjugate gradients; one product with A an iteration.

    Arguments:
        matvec: v ↦ A v, A symmetric positive definite.
        right: b; scaled to length 1 inside, so that tiny right-hand sides lose nothing.
        iterations: a fixed number of iterations, or 0: until `tolerance`.
        tolerance: on the residual relative to b.
        precondition: r ↦ P r, P symmetric positive definite and near to A⁻¹; given up where it
            doesn't help.

    Returns:
        x, and the number of products with A.
    """
    size = jnp.linalg.norm(right)
    scaled = right / jnp.where(size > 0, size, 1)
    goal = 0.0 if iterations else tolerance
    most = iterations or max(100, 10 * right.size)
    final = _iterate(matvec, scaled, goal, most, None, precondition)
    return final.step * size, final.count


def truncated_conjugate_gradients(
    matvec: Matvec,
    right: Float[Array, " n"],
    radius: Float[Array, ""],
    goal: Float[Array, ""],
    precondition: Matvec | None = None,
) -> tuple[Float[Array, " n"], Float[Array, ""], Int[Array, ""]]:
    """Steihaug's minimiser of ⟨A s, s⟩ / 2 - ⟨b, s⟩ within a radius: conjugate gradients until
    they leave it, or meet a direction of no positive curvature, which is then followed to its edge
    (Nocedal and Wright, algorithm 7.2).

    Arguments:
        goal: the norm of the residual that is small enough.
        precondition: as in `conjugate_gradients`; the radius is one of s itself all the same.

    Returns:
        s, how much the model falls, and the number of products with A.
    """
    final = _iterate(matvec, right, goal, 10 * right.size + 20, radius, precondition)
    return final.step, final.decrease, final.count


def _iterate(
    matvec: Matvec,
    right: Float[Array, " n"],
    goal: float | Float[Array, ""],
    most: int,
    radius: Float[Array, ""] | None,
    precondition: Matvec | None,
) -> _Iterate:
    """The inner products follow by recurrences where nothing is preconditioned."""
    square, zero = right @ right, jnp.zeros((), right.dtype)
    none, no = jnp.array(0, jnp.int32), jnp.array(False)
    step, direction, slope, width = jnp.zeros_like(right), right, square, square
    longest = max(_FEWEST, right.size // _SHARE)
    if precondition is not None:
        direction = precondition(right)
        slope, width = right @ direction, direction @ direction
    start = _Iterate(step, right, direction, square, slope, zero, zero, zero, width, none, no)
    goal, eps = jnp.asarray(goal, right.dtype), jnp.finfo(right.dtype).eps

    def proceed(at: _Iterate) -> Array:
        return ~at.ended & (jnp.sqrt(at.square) > goal) & (at.count < most)

    def once(at: _Iterate) -> _Iterate:
        image = matvec(at.direction)
        curvature = at.direction @ image
        share, ended, length = at.slope / curvature, no, zero
        if radius is None:
            # Along a direction that the operator maps to nothing there is no solution.
            rounding = 4 * eps * jnp.sqrt(at.width) * jnp.linalg.norm(image)
            share = jnp.where(jnp.abs(curvature) > rounding, share, jnp.nan)
        else:
            length = at.length + share * (2 * at.along + share * at.width)
            ended = (curvature <= 0) | (length >= radius**2)
            rest = jnp.maximum(radius**2 - at.length, 0)
            root = jnp.sqrt(at.along**2 + at.width * rest)
            edge = (root - at.along) / jnp.where(at.width > 0, at.width, 1)
            share = jnp.where(ended, edge, share)
        step = at.step + share * at.direction
        residual = at.residual - share * image
        square = residual @ residual
        downhill, slope = residual, square
        ratio = jnp.ones_like(square)
        if precondition is not None:
            # One that hasn't helped by now won't; without it they begin anew from here.
            helps = at.count + 1 < longest
            downhill = jax.lax.cond(helps, precondition, lambda r: r, residual)
            slope = residual @ downhill
            ratio = jnp.where(at.count + 1 == longest, 0.0, ratio)
        ratio = ratio * slope / jnp.where(at.slope > 0, at.slope, 1)
        direction = downhill + ratio * at.direction
        if precondition is None:
            along = ratio * (at.along + share * at.width)
            width = square + ratio**2 * at.width
        else:
            along, width = step @ direction, direction @ direction
        return _Iterate(
            step=step,
            residual=residual,
            direction=direction,
            square=square,
            slope=slope,
            # The model's slope along the direction is minus ⟨r, P r⟩.
            decrease=at.decrease + share * at.slope - share**2 * curvature / 2,
            length=length,
            along=along,
            width=width,
            count=at.count + 1,
            ended=ended,
        )

    return jax.lax.while_loop(proceed, once, start)


def neumann_series(
    matvec: Matvec,
    right: Float[Array, " n"],
    *,
    iterations: int,
    tolerance: float | Float[Array, ""],
) -> tuple[Float[Array, " n"], Int[Array, ""]]:
    """η Σ_{q=0}^{Q} (I - η A)^q b, which tends to A⁻¹ b: "Stochastic Bilevel Optimization",
    equation (3) without sampling.

    The error falls by 1 - η μ a term. η = 1 / L; the paper's condition η μ < 1 isn't enough, the
    series needs η L < 2.

    Arguments:
        matvec: v ↦ A v, A symmetric positive definite with eigenvalues in [μ, L].
        right: b; scaled to length 1 inside.
        iterations: Q, or 0: until the last term is within `tolerance` of b.

    Returns:
        The sum, and the number of products with A, those that estimate L among them.
    """
    rate = 1 / largest_eigenvalue(matvec, right.size, right.dtype)
    most = iterations or 100_000
    goal = 0.0 if iterations else tolerance
    size = jnp.linalg.norm(right)
    scaled = right / jnp.where(size > 0, size, 1)

    def proceed(carry: tuple[Array, Array, Array]) -> Array:
        _, term, count = carry
        return (count < most) & (jnp.linalg.norm(term) > goal)

    def once(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        total, term, count = carry
        term = term - rate * matvec(term)
        return total + rate * term, term, count + 1

    start = (rate * scaled, scaled, jnp.array(0, jnp.int32))
    total, _, count = jax.lax.while_loop(proceed, once, start)
    return total * size, count + POWER_STEPS


def largest_eigenvalue(matvec: Matvec, size: int, dtype: jnp.dtype) -> Float[Array, ""]:
    """An upper estimate of a symmetric operator's largest absolute eigenvalue.

    By the power method from a fixed direction, enlarged a little since the method's own value
    is never above the eigenvalue; 20 products.
    """
    start = jnp.cos(jnp.arange(1, size + 1, dtype=dtype) ** 2)

    def once(_: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        vector, norm = carry
        image = matvec(vector / jnp.where(norm > 0, norm, 1))
        return image, jnp.linalg.norm(image)

    _, found = jax.lax.fori_loop(0, POWER_STEPS, once, (start, jnp.linalg.norm(start)))
    return _POWER_MARGIN * jnp.maximum(found, jnp.finfo(dtype).tiny)
