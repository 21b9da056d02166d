"""The total gradient of a level at a response, given the adjoint multipliers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .lagrangian import Game, Vectors, lagrangian


def adjoint_gradient(
    game: Game,
    level: int,
    above: Vectors,
    own: Float[Array, " own"],
    below: Float[Array, " below"],
    multipliers: Float[Array, " below"],
) -> tuple[Float[Array, ""], Float[Array, " own"]]:
    """f_k + ⟨m, ∇ L_{k+1}⟩ and its gradient in x_k at (u_{k+1}, m_{k+1}).

    With K_{k+1} m = -∇_{u_{k+1}} f_k the gradient is the total one, and the value is f_k at the
    true response up to the square of the response's error. One gradient of L_k.
    """

    def value(own: Float[Array, " own"]) -> Float[Array, ""]:
        return lagrangian(game, level, above, jnp.concatenate([own, below, multipliers]))

    return jax.value_and_grad(value)(own)


def envelope_gradient(
    game: Game,
    level: int,
    above: Vectors,
    own: Float[Array, " own"],
    below: Float[Array, " below"],
) -> tuple[Float[Array, ""], Float[Array, " own"]]:
    """The value of level k + 1 at its own minimum, and its gradient in x_k.

    By Danskin's theorem it is the partial gradient of L_{k+1} in x_k at u_{k+1}: the response
    itself needs no derivative. One gradient of L_{k+1}.
    """

    def value(own: Float[Array, " own"]) -> Float[Array, ""]:
        return lagrangian(game, level + 1, (*above, own), below)

    return jax.value_and_grad(value)(own)
