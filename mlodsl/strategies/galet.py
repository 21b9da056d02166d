"""GALET: implicit differentiation by least squares, for singular and indefinite Hessians."""

from __future__ import annotations

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mlodsl.calculus import (
    POWER_STEPS,
    adjoint_gradient,
    conjugate_gradients,
    hessian_product,
    largest_eigenvalue,
    response_gradient,
)

from .base import AbstractStrategy, Point, Query, Respond, answered


class Galet(AbstractStrategy):
    """∇_x f + ∇²_xy g w with w a least-squares solution of ∇²_yy g w = -∇_y f.

    Xiao et al. (2023), as "On Finding Small Hyper-Gradients in Bilevel Optimization", Appendix C
    and equation (12), states it: w minimises ½ ‖∇²_yy g w + ∇_y f‖² ("the square trick"), which
    needs no positive definite Hessian; from w = 0 it tends to the solution of least norm, which
    is the right one for a Polyak-Łojasiewicz lower level (Lemma G.7). Two Hessian-vector
    products an iteration; the condition number is squared. With more than two levels the
    Hessian is K_2 of the flattened nest.

    Arguments:
        iterations: of w ← w - ρ H (H w + ∇_y f) with ρ = 1 / ‖H‖², the paper's; 0: conjugate
            gradients on the same least squares to `tolerance`.
        tolerance: on the residual of the normal equations, relative to H ∇_y f.
    """

    iterations: int = eqx.field(static=True, default=0)
    tolerance: float = eqx.field(static=True, default=1e-12)
    keeps_factor: ClassVar[bool] = False

    @property
    def everywhere(self) -> bool:
        """The levels in between differentiate implicitly."""
        return False

    @property
    def judges_by_slopes(self) -> bool:
        """With few iterations the gradient isn't the value's derivative."""
        return self.iterations > 0

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The total gradient."""
        game, level, above, own = query.game, query.level, query.above, query.own
        here = (*above, own)
        response = respond(game, level + 1, here, query.guess, query.accuracy, with_factor=False)
        right = response_gradient(game, level, above, own, response.flat)
        product = hessian_product(game, level + 1, here, response.flat)

        def squared(vector: Float[Array, " below"]) -> Float[Array, " below"]:
            return product(product(vector))

        products: int | Int[Array, ""]
        if self.iterations:
            rate = 1 / largest_eigenvalue(product, right.size, right.dtype) ** 2
            multipliers = jax.lax.fori_loop(
                0,
                self.iterations,
                lambda _, w: w - rate * product(product(w) + right),
                jnp.zeros_like(right),
            )
            products = 2 * self.iterations + POWER_STEPS
        else:
            multipliers, iterations = conjugate_gradients(
                squared, -product(right), iterations=0, tolerance=self.tolerance
            )
            products = 2 * iterations + 1
        value, gradient = adjoint_gradient(game, level, above, own, response.flat, multipliers)
        return answered(
            query, response, value, gradient, multipliers=multipliers, products=products
        )
