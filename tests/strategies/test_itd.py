"""Iterative differentiation: against loops written by hand, and its error step by step."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import Array

from mlodsl.calculus import Game
from mlodsl.settings import OptimizerChoice
from mlodsl.strategies import IterativeDifferentiation, Unrolling
from tests.games import closed_form, random_quadratic_game
from tests.nests import evaluated, newton_nest
from tests.smooth_games import SMOOTH_GAMES

from .contenders import unrolled
from .quadratic import Blocks, blocks

Mode = Literal["auto", "forward", "reverse"]
MOMENTUM = OptimizerChoice("sgd", (("learning_rate", 0.1), ("momentum", 0.5)))


def after_steps(case: Blocks, steps: int) -> np.ndarray:
    """∇_x f + (dy_T/dx)ᵀ ∇_y f with y_T = T steps of descent, of length η, from the answer.

    y_{t+1} = y_t - η (H y_t + C x + c), so dy_T/dx = -η Σ_{t<T} (I - η H)^t C.
    """
    _, partial = case.partials
    rate = step_length(case)
    total = np.zeros_like(partial)
    for _ in range(steps):
        total = partial + total - rate * case.hessian @ total
    return case.total(-rate * total)


def step_length(case: Blocks) -> float:
    """η = 1 / (1.1 λ), λ the largest eigenvalue after 20 steps of the power method."""
    vector = np.cos(np.arange(1, case.answer.size + 1) ** 2)
    for _ in range(20):
        vector = case.hessian @ vector / np.linalg.norm(vector)
    return 1 / (1.1 * np.linalg.norm(vector))


def error(case: Blocks, steps: int) -> float:
    nest = newton_nest(case.game, unrolled(steps)(2))
    return float(np.linalg.norm(evaluated(nest, jnp.asarray(case.own)).gradient - case.exact))


@pytest.mark.parametrize("steps", [1, 8])
def test_steps_from_the_answer_give_the_truncated_series(steps: int) -> None:
    for seed in range(3):
        case = blocks(seed)
        nest = newton_nest(case.game, unrolled(steps)(2))
        found = evaluated(nest, jnp.asarray(case.own)).gradient
        np.testing.assert_allclose(found, after_steps(case, steps), rtol=1e-10, atol=1e-12)


def test_the_error_falls_geometrically_with_the_number_of_steps() -> None:
    """By 1 - η μ a step, once the directions of large curvature have died away."""
    for seed in range(3):
        case = blocks(seed)
        rate = 1 - step_length(case) * np.linalg.eigvalsh(case.hessian)[0]
        first, later = error(case, 8), error(case, 24)
        initial = np.linalg.norm(case.coupling.T @ np.linalg.inv(case.hessian), 2) * np.linalg.norm(
            case.partials[1]
        )
        assert first <= rate**8 * initial
        assert later <= rate**24 * initial
        # And not faster than the next curvatures allow: the bound is what happens.
        assert later >= 1e-3 * rate**24 * initial


@pytest.mark.slow
def test_the_error_falls_geometrically_for_three_levels() -> None:
    """Errors of two levels multiply: T · (1 - η μ)^T at worst, with μ / L above 1/4."""
    game = random_quadratic_game((2, 3, 2), 3)
    own = np.array([0.5, -1.0])
    exact = closed_form(game, own)[0]
    errors = [
        np.linalg.norm(
            evaluated(newton_nest(game, unrolled(steps)(3)), jnp.asarray(own)).gradient - exact
        )
        for steps in (10, 20, 40)
    ]
    rate = (1 - 1 / 4.4) ** 10
    assert errors[1] <= 2 * rate * errors[0]
    assert errors[2] <= 4 * rate**2 * errors[1]


@pytest.mark.parametrize(
    "levels", [2, pytest.param(3, marks=pytest.mark.slow)], ids=["two levels", "three levels"]
)
def test_forward_and_reverse_mode_agree(levels: int) -> None:
    game = SMOOTH_GAMES[levels]
    own = jnp.linspace(0.4, 0.8, game.sizes[0])
    unrollings = unrolled(5)(levels).unrollings

    def gradient(mode: Mode) -> Array:
        return evaluated(
            newton_nest(game, IterativeDifferentiation(unrollings, mode)), own
        ).gradient

    np.testing.assert_allclose(gradient("forward"), gradient("reverse"), rtol=1e-12)


def by_hand(game: Game, own: Array, steps: tuple[int, ...], held: int = 0) -> Array:
    """The objective after plain loops of SGD with momentum, all lower levels from zero.

    A level's own steps use the gradient of its objective with the loops below it inside; those
    start from where they ended at the step before. The first `held` steps of level 1 don't
    look at x's derivative.
    """
    optimizer = optax.sgd(0.1, momentum=0.5)

    def answers(level: int, above: tuple[Array, ...], start: tuple[Array, ...]) -> tuple:
        if level == len(game.sizes):
            return ()

        def value(y: Array, above: tuple[Array, ...], below: tuple) -> tuple[Array, tuple]:
            found = answers(level + 1, (*above, y), below)
            return game.objective(level, (*above, y, *found)), found

        y, below = start[0], start[1:]
        state = optimizer.init(y)
        for count in range(steps[level - 1]):
            fixed = jax.lax.stop_gradient(above) if level == 1 and count < held else above
            gradient, below = jax.grad(value, has_aux=True)(y, fixed, below)
            updates, state = optimizer.update(gradient, state, y)
            y = optax.apply_updates(y, updates)
        return (y, *answers(level + 1, (*above, y), below))

    start = tuple(jnp.zeros(size) for size in game.sizes[1:])
    return game.objective(0, (own, *answers(1, (own,), start)))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(
    "steps", [(6,), pytest.param((3, 2), marks=pytest.mark.slow)], ids=["two", "three"]
)
def test_an_optimisers_steps_are_differentiated_as_in_a_loop_by_hand(
    mode: Mode, steps: tuple[int, ...]
) -> None:
    game = SMOOTH_GAMES[len(steps) + 1]
    own = jnp.linspace(0.4, 0.8, game.sizes[0])
    unrollings = tuple(Unrolling(MOMENTUM, count, count) for count in steps)
    point = evaluated(newton_nest(game, IterativeDifferentiation(unrollings, mode)), own)
    value, gradient = jax.jit(jax.value_and_grad(lambda x: by_hand(game, x, steps)))(own)
    # The same sums in another order.
    np.testing.assert_allclose(point.value, value, rtol=1e-13)
    np.testing.assert_allclose(point.gradient, gradient, rtol=1e-11)


def test_only_the_last_steps_are_differentiated_where_so_few_are_asked_for() -> None:
    game = SMOOTH_GAMES[2]
    own = jnp.linspace(0.4, 0.8, game.sizes[0])
    strategy = IterativeDifferentiation((Unrolling(MOMENTUM, 6, 2),))
    point = evaluated(newton_nest(game, strategy), own)
    value, gradient = jax.jit(jax.value_and_grad(lambda x: by_hand(game, x, (6,), held=4)))(own)
    np.testing.assert_allclose(point.value, value, rtol=1e-13)
    np.testing.assert_allclose(point.gradient, gradient, rtol=1e-11)


def test_where_all_steps_are_differentiated_the_gradient_is_the_values_derivative() -> None:
    assert not IterativeDifferentiation((Unrolling(MOMENTUM, 6, 6),)).judges_by_slopes
    assert IterativeDifferentiation((Unrolling(MOMENTUM, 6, 2),)).judges_by_slopes
