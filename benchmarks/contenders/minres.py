"""MINRES by hand: symmetric indefinite systems by their products alone.

C. C. Paige and M. A. Saunders, "Solution of Sparse Indefinite Systems of Linear Equations" (1975).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def minres(
    product: Callable[[jax.Array], jax.Array], right: jax.Array, tolerance: Any, most: int
) -> jax.Array:
    """The solution to a residual of `tolerance` relative to the right-hand side.

    Arguments:
        most: products with the matrix.
    """
    size = jnp.linalg.norm(right)
    zero = jnp.zeros_like(right)

    def going(state: Any) -> jax.Array:
        return (state[-1] < most) & (jnp.abs(state[-2]) > tolerance * size)

    def step(state: Any) -> Any:
        (x, old, new, w_old, w, beta, cosine, sine, cosine_old, sine_old, rest, count) = state
        # One step of Lanczos.
        image = product(new)
        alpha = new @ image
        image = image - alpha * new - beta * old
        beta_next = jnp.linalg.norm(image)
        # The two earlier rotations, then a new one.
        epsilon = sine_old * beta
        along = cosine_old * beta
        delta = cosine * along + sine * alpha
        gamma_bar = -sine * along + cosine * alpha
        gamma = jnp.hypot(gamma_bar, beta_next)
        cosine_next, sine_next = gamma_bar / gamma, beta_next / gamma
        w_next = (new - delta * w - epsilon * w_old) / gamma
        x = x + cosine_next * rest * w_next
        following = image / jnp.where(beta_next > 0, beta_next, 1)
        rest = -sine_next * rest
        return (
            x, new, following, w, w_next, beta_next,
            cosine_next, sine_next, cosine, sine, rest, count + 1,
        )  # fmt: skip

    first = right / jnp.where(size > 0, size, 1)
    one, none = jnp.ones_like(size), jnp.zeros_like(size)
    state = (zero, zero, first, zero, zero, none, one, none, one, none, size, jnp.array(0))
    return jax.lax.while_loop(going, step, state)[0]
