"""Iterative differentiation: the derivative of what the lower solvers' steps compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from mlodsl.calculus import (
    Game,
    Vectors,
    choices,
    largest_eigenvalue,
    optax_optimizer,
    point_of,
)
from mlodsl.settings import OptimizerChoice

from .base import AbstractStrategy, Point, Query, Respond
from .bottom import evaluate_bottom

# Of an upper level of so few variables, derivatives are carried forward.
_FORWARD_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Unrolling:
    """How the answer of one lower level is unrolled.

    Arguments:
        choice: the level's Optax optimiser; None where it has no such one: then the level is
            solved first, and steps of gradient descent from the answer are unrolled.
        steps: how many steps there are.
        differentiated: how many of them, the last ones, are differentiated through.
        seed: for optimisers that draw.
    """

    choice: OptimizerChoice | None
    steps: int
    differentiated: int
    seed: int = 0


class IterativeDifferentiation(AbstractStrategy):
    """dF/dx of F(x) = f(x, y_T(x)), y_T the lower variables after T steps of their own solvers.

    Baseline ITD of "Towards Differentiable Multilevel Optimization" (Sato et al. 2021) for any
    number of levels: every lower level's steps use total gradients that are unrolled themselves.
    With strongly convex lower levels the error falls geometrically in the number of steps that
    are differentiated (Shaban et al. 2019). The steps are a `scan` whose body is recomputed
    on the way back, so memory grows with their number and not with what each computes.

    Arguments:
        unrollings: for each lower level.
        mode: `reverse` or `forward` differentiation; `auto`: forward where the upper level has
            at most three variables.
    """

    unrollings: tuple[Unrolling, ...] = eqx.field(static=True)
    mode: Literal["auto", "reverse", "forward"] = eqx.field(static=True, default="auto")
    keeps_factor: ClassVar[bool] = False

    @property
    def everywhere(self) -> bool:
        """Levels in between unroll those below by themselves; only where levels are solved
        first do they differentiate implicitly."""
        return False

    @property
    def judges_by_slopes(self) -> bool:
        """The steps that aren't differentiated move the value too."""
        return any(one.choice is None or one.differentiated < one.steps for one in self.unrollings)

    def evaluate(self, query: Query, respond: Respond) -> Point:
        """The derivative of the unrolled objective."""
        if query.is_bottom:
            return evaluate_bottom(query)
        game, level, above, own = query.game, query.level, query.above, query.own
        sizes = game.sizes
        here = (*above, own)
        flat = query.guess
        levels = len(sizes)
        outcomes = evaluations = products = jnp.zeros(levels, jnp.int32)
        if any(one.choice is None for one in self.unrollings[level:]):
            response = respond(game, level + 1, here, flat, query.accuracy, with_factor=False)
            flat = response.flat
            outcomes, evaluations, products = (
                response.outcomes,
                response.evaluations,
                response.products,
            )
        start = choices(sizes, level + 1, flat)

        def total(own: Float[Array, " own"]) -> tuple[Float[Array, ""], Vectors]:
            below = self._unrolled(game, level + 1, (*above, own), start)
            return game.objective(level, (*above, own, *below)), below

        forward = self.mode == "forward" or (self.mode == "auto" and own.size <= _FORWARD_LIMIT)
        if forward:
            gradient, (value, below) = jax.jacfwd(_with_value(total), has_aux=True)(own)
        else:
            (value, below), gradient = jax.value_and_grad(total, has_aux=True)(own)
        unrolled = point_of(sizes, level + 1, below)
        counts = [0] * levels
        made = 1
        for lower in range(level + 1, levels):
            made *= self.unrollings[lower - 1].steps + (1 if lower > level + 1 else 0)
            counts[lower] = made
        return Point(
            own=own,
            value=value,
            gradient=gradient,
            error=jnp.zeros_like(value),
            flat=jnp.concatenate([own, unrolled, jnp.zeros_like(unrolled)]),
            below=None,
            factor=None,
            outcomes=outcomes,
            evaluations=(evaluations + jnp.asarray(counts, jnp.int32)).at[level].add(1),
            products=products,
        )

    def _unrolled(self, game: Game, level: int, above: Vectors, start: Vectors) -> Vectors:
        """The variables of `level` and all below it, after their steps from `start`."""
        plan = self.unrollings[level - 1]
        before = plan.steps - plan.differentiated
        total = _total(self, game, level)
        optimizer = _optimizer(plan, total, above, start)

        def step(carry: tuple[Array, Any, Vectors], above: Vectors) -> tuple[Array, Any, Vectors]:
            own, state, below = carry
            (value, below), gradient = jax.value_and_grad(total, argnums=1, has_aux=True)(
                above, own, below
            )
            updates, state = optimizer.update(gradient, state, own, value=value, grad=gradient)
            return optax.apply_updates(own, updates), state, below

        carry = (start[0], optimizer.init(start[0]), start[1:])
        if before:
            fixed = jax.lax.stop_gradient(above)
            carry = jax.lax.stop_gradient(
                jax.lax.fori_loop(0, before, lambda _, carry: step(carry, fixed), carry)
            )

        @jax.checkpoint
        def body(carry: tuple[Array, Any, Vectors], _: None) -> tuple[Any, None]:
            return step(carry, above), None

        (own, _, below), _ = jax.lax.scan(body, carry, None, length=plan.differentiated)
        if level + 1 == len(game.sizes):
            return (own,)
        return (own, *self._unrolled(game, level + 1, (*above, own), below))


def _total(strategy: IterativeDifferentiation, game: Game, level: int) -> Any:
    """The objective of a level with the levels below unrolled from `start`, and their answer."""

    def total(above: Vectors, own: Float[Array, " own"], start: Vectors) -> tuple[Array, Vectors]:
        if not start:
            return game.objective(level, (*above, own)), ()
        below = strategy._unrolled(game, level + 1, (*above, own), start)
        return game.objective(level, (*above, own, *below)), below

    return total


def _optimizer(
    plan: Unrolling, total: Any, above: Vectors, start: Vectors
) -> optax.GradientTransformationExtraArgs:
    """The level's optimiser; without one, gradient descent with the step 1 / L."""
    if plan.choice is not None:
        return optax_optimizer(plan.choice, plan.seed)
    fixed_above, fixed_start = jax.lax.stop_gradient((above, start))

    def slope(own: Array) -> Array:
        return jax.grad(total, argnums=1, has_aux=True)(fixed_above, own, fixed_start[1:])[0]

    _, product = jax.linearize(slope, fixed_start[0])
    largest = largest_eigenvalue(product, fixed_start[0].size, fixed_start[0].dtype)
    rate = jax.lax.stop_gradient(1 / largest)
    return optax.with_extra_args_support(optax.scale(-rate))


def _with_value(total: Any) -> Any:
    """The function's value as an auxiliary output too, for `jacfwd`."""

    def function(own: Array) -> tuple[Array, tuple[Array, Vectors]]:
        value, below = total(own)
        return value, (value, below)

    return function
