"""Games that are not quadratic, each level strictly convex anticipating those below it.

Every objective is ½‖own‖² and smooth terms of bounded curvature: products across levels,
softplus, exponentials and log-sum-exps, so that no derivative up to the third vanishes.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array

from tests.games import FunctionGame


def _half(vector: Array) -> Array:
    return vector @ vector / 2


def _two() -> FunctionGame:
    def leader(x: Array, y: Array) -> Array:
        return _half(x - 1) + jax.nn.logsumexp(y) + 0.3 * y[0] * x[1]

    def follower(x: Array, y: Array) -> Array:
        return _half(y) + jax.nn.softplus(y[0] - x[0] * x[1]) + jnp.exp(0.3 * y[1] + 0.2 * x[2])

    return FunctionGame((3, 2), (leader, follower))


def _three() -> FunctionGame:
    def first(x: Array, y: Array, z: Array) -> Array:
        return _half(x) + jnp.exp(0.3 * z[0]) + 0.5 * x[0] * y[1] - x[1]

    def second(x: Array, y: Array, z: Array) -> Array:
        return _half(y) + jax.nn.softplus(x @ y) + 0.3 * y[0] * z[0] + jnp.log1p(z[0] ** 2)

    def third(x: Array, y: Array, z: Array) -> Array:
        return _half(z) + jax.nn.softplus(z[0] * x[0] - 1) + 0.3 * jnp.exp(0.5 * z[0] * y[0])

    return FunctionGame((2, 2, 1), (first, second, third))


def _four() -> FunctionGame:
    def first(x: Array, y: Array, z: Array, w: Array) -> Array:
        return _half(x - 1) + 0.4 * x[0] * w[0] + jnp.exp(0.2 * y[1]) + 0.3 * z[0] ** 2

    def second(x: Array, y: Array, z: Array, w: Array) -> Array:
        return _half(y) + jax.nn.softplus(y[0] + x[0]) + 0.3 * y[1] * z[0] + 0.2 * w @ y

    def third(x: Array, y: Array, z: Array, w: Array) -> Array:
        everything = jnp.concatenate([x, y, z, w])
        return _half(z) + jax.nn.logsumexp(everything) + 0.2 * z[0] * w[1] * x[0]

    def fourth(x: Array, y: Array, z: Array, w: Array) -> Array:
        return _half(w - 0.5) + jnp.exp(0.3 * w[0] * y[0]) + jax.nn.softplus(w[1] * z[0] + x[0])

    return FunctionGame((1, 2, 1, 2), (first, second, third, fourth))


SMOOTH_GAMES = {2: _two(), 3: _three(), 4: _four()}
"""By their number of levels."""
