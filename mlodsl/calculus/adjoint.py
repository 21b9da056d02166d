"""The total gradient of a level at a response, given the adjoint multipliers."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .lagrangian import Game, Vectors, choices, lagrangian


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


def slopes(
    game: Game, level: int, above: Vectors, own: Float[Array, " own"], below: Float[Array, " below"]
) -> tuple[Float[Array, ""], Float[Array, " own"], Float[Array, " below"]]:
    """f_k, ∂f_k/∂x_k, and ∇_{u_{k+1}} f_k: the right-hand side of the adjoint equation."""
    sizes = game.sizes

    def value(own: Array, below: Array) -> Array:
        return game.objective(level, (*above, own, *choices(sizes, level + 1, below)))

    found, (direct, right) = jax.value_and_grad(value, (0, 1))(own, below)
    return found, direct, right


def conditions_below(
    game: Game, level: int, above: Vectors, own: Float[Array, " own"], below: Float[Array, " below"]
) -> tuple[
    Float[Array, " below"],
    Callable[[Float[Array, " below"]], tuple[Float[Array, " own"], Float[Array, " below"]]],
]:
    """∇_{u_{k+1}} L_{k+1}, and v ↦ (C v, K_{k+1} v), where C = ∂/∂x_k of it, transposed.

    With K_{k+1} m = -∇_{u_{k+1}} f_k the total gradient of level k is ∂f_k/∂x_k + C m, and
    f_k + ⟨m, ∇ L_{k+1}⟩ is its value up to the square of the response's error. What products with
    both have in common is computed once.
    """

    def gradients(below: Array) -> tuple[Array, Array]:
        def value(own: Array, below: Array) -> Array:
            return lagrangian(game, level + 1, (*above, own), below)

        return jax.grad(value, (0, 1))(own, below)

    (_, gradient), products = jax.linearize(gradients, below)
    return gradient, products


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
