"""Recursive implicit differentiation: the exact total gradient at the lower solutions.

"Towards Differentiable Multilevel Optimization", Theorem 3.3 for any number of levels. Its
Algorithm 1 as printed converges to a wrong point (line 4 leaves out how the response
Jacobians change); the recursive Lagrangian of `mlodsl.calculus` is the mended form.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mlodsl.calculus import (
    EliminatedFactor,
    EliminationForm,
    EliminationPlan,
    Factor,
    NewtonFactor,
    Vectors,
    conditions_below,
    factorize,
    flat_size,
    full_factor,
    full_matrix,
    slopes,
    solve,
)
from mlodsl.calculus.elimination import Product

from .base import AbstractStrategy, Point, Query, Respond
from .bottom import evaluate_bottom

# A matrix of this order is factorised in about the time of its Hessian-vector products.
_FULL_LIMIT = 256
_REDUCED_LIMIT = 192
_DENSE_FULL_LIMIT = 2048


class Implicit(AbstractStrategy):
    """Solves K_{k+1} m = -∇ f_k, then differentiates f_k + ⟨m, ∇ L_{k+1}⟩ in x_k.

    Arguments:
        linear_solver: `dense` keeps matrices, the others are matrix-free: `cg` and `neumann`
            ("Stochastic Bilevel Optimization", equation (3)) on the reduced Hessians, `minres`
            on K_{k+1} itself; `auto` decides by the sizes of each level, and is `cg` where
            `iterations` are given.
        iterations: of a matrix-free solver; 0 runs it to `tolerance`.
        tolerance: of linear solves, on the residual relative to the right-hand side; a query may
            ask for less.
    """

    linear_solver: Literal["auto", "cg", "dense", "minres", "neumann"] = eqx.field(
        static=True, default="auto"
    )
    iterations: int = eqx.field(static=True, default=0)
    tolerance: float = eqx.field(static=True, default=1e-10)
    keeps_factor: ClassVar[bool] = True

    @property
    def everywhere(self) -> bool:
        """Every level differentiates the answers of those below it."""
        return True

    @property
    def judges_by_slopes(self) -> bool:
        """Where linear solves are cut off, the gradient isn't the value's derivative."""
        return self.iterations > 0

    def elimination_plans(self, sizes: tuple[int, ...]) -> tuple[EliminationPlan, ...]:
        """Full matrices where they are small, else reduced ones, else conjugate gradients."""
        return tuple(
            EliminationPlan(self._form(sizes, level), self.iterations, self.tolerance)
            for level in range(len(sizes))
        )

    def _form(self, sizes: tuple[int, ...], level: int) -> EliminationForm:
        flat = flat_size(sizes, level)
        if self.linear_solver == "dense":
            return "full" if flat <= _DENSE_FULL_LIMIT else "reduced"
        if self.linear_solver != "auto":
            return self.linear_solver
        if self.iterations:
            return "cg"
        if flat <= _FULL_LIMIT:
            return "full"
        return "reduced" if sizes[level] <= _REDUCED_LIMIT else "cg"

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The total gradient; one solve with K_{k+1} and one gradient of L_k."""
        if query.is_bottom:
            return evaluate_bottom(query)
        game, level, above, own, plans = (
            query.game,
            query.level,
            query.above,
            query.own,
            query.plans,
        )
        here = (*above, own)
        response = respond(game, level + 1, here, query.guess, query.accuracy, with_factor=True)
        below = response.factor
        assert below is not None
        value, direct, right = slopes(game, level, above, own, response.flat)
        left, along = conditions_below(game, level, above, own, response.flat)
        solved, products = adjoint_solution(query, here, below, right, lambda v: along(v)[1])
        flat = jnp.concatenate([own, response.flat, -solved])
        own_products = 0
        factor: NewtonFactor | None = None
        if query.with_factor and plans[level].form == "full":
            value, gradient, matrix = full_matrix(game, level, above, flat)
            gradient = gradient[: own.size]
            factor = full_factor(game.sizes, level, matrix)
            own_products = flat.size
        else:
            value, gradient = value - left @ solved, direct - along(solved)[0]
            if query.with_factor:
                factor = factorize(game, level, above, flat, below, plans)
                own_products = 2 * own.size if plans[level].form == "reduced" else 0
        return Point(
            own=own,
            value=value,
            gradient=gradient,
            error=jnp.zeros_like(value),
            flat=flat,
            below=below,
            factor=factor,
            outcomes=response.outcomes,
            evaluations=response.evaluations.at[level].add(1),
            products=response.products.at[level + 1].add(products).at[level].add(own_products),
        )


def adjoint_solution(
    query: Query,
    here: Vectors,
    below: Factor,
    right: Float[Array, " below"],
    product: Product,
) -> tuple[Float[Array, " below"], int | Int[Array, ""]]:
    """K_{k+1}⁻¹ right, as exactly as the query asks, and how many products that took.

    Where iterations solve it, they start from the query's multipliers -m.

    Arguments:
        here: the choices of level k and those above it.
        product: v ↦ K_{k+1} v.
    """
    game, level, plans = query.game, query.level + 1, query.plans
    plan = plans[level]
    if not isinstance(below, EliminatedFactor) or plan.iterations or plan.form == "reduced":
        return solve(game, level, here, below, plans, right, product=product)
    tolerance = jnp.maximum(plan.tolerance, query.loose)
    if query.multipliers is None:
        return solve(game, level, here, below, plans, right, tolerance, product)
    known = -query.multipliers
    rest = right - product(known)
    # Relative to what is left, it may be so much less exact.
    least = jnp.finfo(right.dtype).tiny
    scale = jnp.linalg.norm(right) / jnp.maximum(jnp.linalg.norm(rest), least)
    step, products = solve(game, level, here, below, plans, rest, tolerance * scale, product)
    return known + step, products + 1
