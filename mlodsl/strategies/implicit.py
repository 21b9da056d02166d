"""Recursive implicit differentiation: the exact total gradient at the lower solutions.

"Towards Differentiable Multilevel Optimization", Theorem 3.3 for any number of levels. Its
Algorithm 1 as printed converges to a wrong point (line 4 leaves out how the response
Jacobians change); the recursive Lagrangian of `mlodsl.calculus` is the mended form.
"""

from __future__ import annotations

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.calculus import (
    EliminationPlan,
    Factor,
    Game,
    Vectors,
    factorize,
    flat_size,
    full_factor,
    full_matrix,
    lagrangian,
    response_gradient,
    solve,
)

from .base import AbstractStrategy, Point, Respond

# A matrix of this order is factorised in about the time of its Hessian-vector products.
_FULL_LIMIT = 256
_REDUCED_LIMIT = 192
_DENSE_FULL_LIMIT = 2048


class Implicit(AbstractStrategy):
    """Solves K_{k+1} m = -∇ f_k, then differentiates f_k + ⟨m, ∇ L_{k+1}⟩ in x_k.

    Arguments:
        linear_solver: `dense` keeps matrices, `cg` is matrix-free, `auto` decides by the
            sizes of each level.
        iterations: of conjugate gradients; 0 runs them to `tolerance`.
        tolerance: of linear solves, on the residual relative to the right-hand side.
    """

    linear_solver: Literal["auto", "cg", "dense"] = eqx.field(static=True, default="auto")
    iterations: int = eqx.field(static=True, default=0)
    tolerance: float = eqx.field(static=True, default=1e-10)

    def elimination_plans(self, sizes: tuple[int, ...]) -> tuple[EliminationPlan, ...]:
        """Full matrices where they are small, else reduced ones, else conjugate gradients."""
        return tuple(
            EliminationPlan(self._form(sizes, level), self.iterations, self.tolerance)
            for level in range(len(sizes))
        )

    def _form(self, sizes: tuple[int, ...], level: int) -> Literal["full", "reduced", "free"]:
        flat = flat_size(sizes, level)
        if self.linear_solver == "cg":
            return "free"
        if self.linear_solver == "dense":
            return "full" if flat <= _DENSE_FULL_LIMIT else "reduced"
        if flat <= _FULL_LIMIT:
            return "full"
        return "reduced" if sizes[level] <= _REDUCED_LIMIT else "free"

    def evaluate(
        self,
        game: Game,
        level: int,
        above: Vectors,
        own: Float[Array, " own"],
        guess: Float[Array, " below"],
        respond: Respond,
        *,
        with_factor: bool,
    ) -> Point:
        """The total gradient; one solve with K_{k+1} and one gradient of L_k."""
        sizes = game.sizes
        plans = self.elimination_plans(sizes)
        below: Factor | None = None
        flat = own
        outcomes = evaluations = jnp.zeros(len(sizes), jnp.int32)
        if level + 1 < len(sizes):
            here = (*above, own)
            response = respond(level + 1, here, guess)
            below = response.factor
            right = response_gradient(game, level, above, own, response.flat)
            multipliers = -solve(game, level + 1, here, below, plans, right)
            flat = jnp.concatenate([own, response.flat, multipliers])
            outcomes, evaluations = response.outcomes, response.evaluations
        factor: Factor | None = None
        if with_factor and plans[level].form == "full":
            value, gradient, matrix = full_matrix(game, level, above, flat)
            factor = full_factor(sizes, level, matrix)
        else:
            value, gradient = jax.value_and_grad(lambda u: lagrangian(game, level, above, u))(flat)
            if with_factor:
                factor = factorize(game, level, above, flat, below, plans)
        return Point(
            own=own,
            value=value,
            gradient=gradient[: own.size],
            flat=flat,
            below=below,
            factor=factor,
            outcomes=outcomes,
            evaluations=evaluations.at[level].add(1),
        )
