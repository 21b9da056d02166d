"""MINRES: linear solves with one symmetric operator, definite or not.

Paige and Saunders, "Solution of sparse indefinite systems of linear equations" (1975). lineax
has no solver that uses the symmetry of an indefinite operator.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mlodsl.modules import Record

# Curvatures of so many roundings of ‖A‖ count as zero.
_FLAT = 100


class _State(Record):
    """Lanczos vectors v, the QR rotation of the tridiagonal matrix, directions d, the answer.

    `norm` is the largest column of the tridiagonal matrix so far, of the order of ‖A‖.
    """

    vector: Float[Array, " n"]
    earlier: Float[Array, " n"]
    beta: Float[Array, ""]
    cosine: Float[Array, ""]
    sine: Float[Array, ""]
    delta: Float[Array, ""]
    epsilon: Float[Array, ""]
    direction: Float[Array, " n"]
    direction_earlier: Float[Array, " n"]
    norm: Float[Array, ""]
    residual: Float[Array, ""]
    answer: Float[Array, " n"]
    count: Int[Array, ""]


def minres(
    matvec: Callable[[Float[Array, " n"]], Float[Array, " n"]],
    right: Float[Array, " n"],
    *,
    iterations: int,
    tolerance: float | Float[Array, ""],
    most: int | None = None,
) -> tuple[Float[Array, " n"], Int[Array, ""]]:
    """The x of least ‖A x - b‖ in the Krylov space; one product with A an iteration.

    Where A is singular and b isn't in its range, it ends once only the part of b outside of the
    range is left, before the x of Paige and Saunders runs away along the null space.

    Arguments:
        matvec: v ↦ A v, A symmetric.
        right: b; scaled to length 1 inside.
        iterations: a fixed number of iterations, or 0: until `tolerance`.
        tolerance: on the residual relative to b.
        most: the most iterations until `tolerance`; None: ten times the order of A.

    Returns:
        x, and the number of products with A.
    """
    size = jnp.linalg.norm(right)
    goal = 0.0 if iterations else tolerance
    most = iterations or most or 10 * right.size + 50
    zero, one = jnp.zeros((), right.dtype), jnp.ones((), right.dtype)
    blank = jnp.zeros_like(right)
    start = _State(
        vector=right / jnp.where(size > 0, size, 1),
        earlier=blank,
        beta=zero,
        cosine=-one,
        sine=zero,
        delta=zero,
        epsilon=zero,
        direction=blank,
        direction_earlier=blank,
        norm=zero,
        residual=jnp.where(size > 0, one, zero),
        answer=blank,
        count=jnp.array(0, jnp.int32),
    )
    eps = jnp.finfo(right.dtype).eps

    def proceed(state: _State) -> Array:
        return (state.residual > jnp.maximum(goal, eps)) & (state.count < most)

    final = jax.lax.while_loop(proceed, lambda state: _iterate(matvec, state), start)
    return final.answer * size, final.count


def _iterate(matvec: Callable[[Array], Array], state: _State) -> _State:
    image = matvec(state.vector)
    alpha = state.vector @ image
    image = image - alpha * state.vector - state.beta * state.earlier
    beta = jnp.linalg.norm(image)
    # The last rotation applied to the new column of the tridiagonal matrix, then a new one.
    delta = state.cosine * state.delta + state.sine * alpha
    gamma_bar = state.sine * state.delta - state.cosine * alpha
    epsilon = state.sine * beta
    next_delta = -state.cosine * beta
    gamma = jnp.hypot(gamma_bar, beta)
    safe = jnp.where(gamma > 0, gamma, 1)
    cosine = jnp.where(gamma > 0, gamma_bar / safe, 1)
    sine = jnp.where(gamma > 0, beta / safe, 0)
    # ‖A r‖ / ‖r‖ for the residual r so far; where it vanishes there is nothing left to gain.
    norm = jnp.maximum(state.norm, jnp.hypot(alpha, beta))
    least = _FLAT * jnp.finfo(image.dtype).eps * norm
    ends = jnp.hypot(gamma_bar, next_delta) <= least
    length = jnp.where(ends, 0, cosine * state.residual)
    direction = state.vector - delta * state.direction - state.epsilon * state.direction_earlier
    direction = direction * jnp.where(gamma > 0, 1 / safe, 0)
    return _State(
        vector=image / jnp.where(beta > 0, beta, 1),
        earlier=state.vector,
        beta=beta,
        cosine=cosine,
        sine=sine,
        delta=next_delta,
        epsilon=epsilon,
        direction=direction,
        direction_earlier=state.direction,
        norm=norm,
        residual=jnp.where(ends | (gamma <= 0), 0, jnp.abs(sine) * state.residual),
        answer=state.answer + length * direction,
        count=state.count + 1,
    )
