"""BFGS, L-BFGS and Optax's optimisers, on one level."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import Array

from mlodsl.calculus import optax_optimizer
from mlodsl.settings import OPTIMIZERS, OptimizerChoice
from mlodsl.solver.movers import FirstOrder, LimitedMemory, Place, QuasiNewton
from mlodsl.solver.outcome import Outcome
from mlodsl.strategies import Implicit

from .single_level import Quadratic, Rosenbrock, bottom_point, moved

pytestmark = pytest.mark.usefixtures("float64")
DESCENTS = {"bfgs": QuasiNewton(), "lbfgs": LimitedMemory()}
OPTAX = [name for name in OPTIMIZERS if name not in ("auto", "newton", "lbfgs")]


def conditioned(size: int, condition: float) -> Quadratic:
    """Eigenvalues from 1 to `condition`, in a random orthonormal basis."""
    generator = np.random.default_rng(size)
    basis, _ = np.linalg.qr(generator.standard_normal((size, size)))
    matrix = (basis * np.geomspace(1, condition, size)) @ basis.T
    return Quadratic(jnp.asarray(matrix), jnp.asarray(generator.standard_normal(size)))


@pytest.mark.parametrize("name", DESCENTS)
def test_a_quadratic_of_condition_1000_is_solved(name: str) -> None:
    game = conditioned(12, 1e3)
    state = moved(game, DESCENTS[name], jnp.zeros(12), steps=300, tolerance=1e-8)
    assert int(state.outcome) == Outcome.SOLVED
    # The smallest eigenvalue is 1: the error is at most the gradient's norm.
    np.testing.assert_allclose(state.point.own, np.linalg.solve(game.matrix, game.slope), atol=1e-8)


def test_directions_of_which_nothing_is_learnt_yet_are_not_taken_for_the_most_curved() -> None:
    """The first pair sees the largest curvature; B of that size everywhere took 149 steps here."""
    state = moved(conditioned(50, 1e2), QuasiNewton(), jnp.full(50, 10.0), steps=300)
    assert int(state.outcome) == Outcome.SOLVED
    assert int(state.steps) <= 100


@pytest.mark.parametrize("name", DESCENTS)
def test_a_curved_valley_is_followed_to_its_end(name: str) -> None:
    state = moved(Rosenbrock((2,)), DESCENTS[name], jnp.array([-1.2, 1.0]))
    assert int(state.outcome) == Outcome.SOLVED
    np.testing.assert_allclose(state.point.own, 1, atol=1e-7)


@pytest.mark.parametrize("name", DESCENTS)
def test_an_unbounded_quadratic_is_told_apart(name: str) -> None:
    game = Quadratic(jnp.diag(jnp.array([1.0, -1.0])), jnp.ones(2))
    assert int(moved(game, DESCENTS[name], jnp.zeros(2)).outcome) == Outcome.UNBOUNDED


@pytest.mark.parametrize("name", DESCENTS)
def test_running_out_of_steps_is_a_limit(name: str) -> None:
    state = moved(Rosenbrock((2,)), DESCENTS[name], jnp.array([-1.2, 1.0]), steps=3)
    assert (int(state.steps), int(state.outcome)) == (3, Outcome.LIMIT)


def by_hand(
    optimizer: optax.GradientTransformation, game: Quadratic, start: np.ndarray, steps: int
) -> Array:
    """A plain loop, as Optax's documentation writes it."""
    own = jnp.asarray(start)
    state = optimizer.init(own)
    for _ in range(steps):
        updates, state = optimizer.update(game.matrix @ own - game.slope, state, own)
        own = optax.apply_updates(own, updates)
    return own


HAND_WRITTEN = {
    "sgd": (
        OptimizerChoice("sgd", (("learning_rate", 0.01), ("momentum", 0.9))),
        lambda: optax.sgd(0.01, momentum=0.9),
    ),
    "adam with a schedule": (
        OptimizerChoice("adam", (("learning_rate", 0.1), ("b1", 0.5)), decay=0.9),
        lambda: optax.adam(lambda count: 0.1 * 0.9**count, b1=0.5),
    ),
}


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_an_optax_optimiser_moves_as_in_a_loop_written_by_hand(name: str) -> None:
    choice, optimizer = HAND_WRITTEN[name]
    game = conditioned(4, 10)
    start = np.linspace(1, 2, 4)
    state = moved(game, FirstOrder(choice), jnp.asarray(start), steps=7, exact=False)
    expected = by_hand(optimizer(), game, start, 7)
    # The same sums in another order, over seven steps.
    np.testing.assert_allclose(state.point.own, expected, rtol=1e-12)


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_an_optax_optimiser_makes_exactly_the_steps_asked(name: str) -> None:
    choice, _ = HAND_WRITTEN[name]
    start = jnp.linspace(1, 2, 4)
    state = moved(conditioned(4, 10), FirstOrder(choice), start, steps=7, exact=False)
    assert (int(state.steps), int(state.outcome)) == (7, Outcome.BUDGET)


def required(name: str) -> tuple[tuple[str, float], ...]:
    return tuple(
        (parameter.name, 0.01) for parameter in OPTIMIZERS[name].parameters if parameter.required
    )


@pytest.mark.parametrize("name", OPTAX)
def test_every_optimiser_of_the_table_makes_a_step(name: str) -> None:
    """Traced, not compiled: whether Optax takes the arguments and the state keeps its shape."""
    mover = FirstOrder(OptimizerChoice(name, required(name)))
    game = conditioned(4, 10)

    def once(own: Array) -> tuple[Array, object, object]:
        place = Place(game, 0, (), Implicit().elimination_plans(game.sizes))
        point = bottom_point(game, own, with_factor=False)
        state = mover.start(own)
        proposal = mover.propose(place, state, point)
        verdict = mover.observe(place, state, point, point, proposal)
        return proposal.own, state, verdict.state

    moved_to, before, after = eqx.filter_eval_shape(once, jnp.ones(4))
    assert (moved_to.shape, moved_to.dtype) == ((4,), jnp.float64)
    assert jax.tree.map(lambda x: (x.shape, x.dtype), before) == jax.tree.map(
        lambda x: (x.shape, x.dtype), after
    )


@pytest.mark.parametrize("count", [0, 1, 5])
def test_an_exponential_schedule_multiplies_the_rate_each_step(count: int) -> None:
    choice = OptimizerChoice("sgd", (("learning_rate", 0.1),), decay=0.5)
    optimizer = optax_optimizer(choice, seed=0)
    state = optimizer.init(jnp.zeros(1))
    for _ in range(count + 1):
        update, state = optimizer.update(jnp.ones(1), state, jnp.zeros(1))
    np.testing.assert_allclose(update, -0.1 * 0.5**count, rtol=1e-12)


def test_an_optimisers_noise_comes_from_its_seed() -> None:
    choice = OptimizerChoice("noisy_sgd", (("learning_rate", 0.1),))

    def first_update(seed: int) -> Array:
        optimizer = optax_optimizer(choice, seed)
        return optimizer.update(jnp.ones(3), optimizer.init(jnp.zeros(3)), jnp.zeros(3))[0]

    assert np.array_equal(first_update(1), first_update(1))
    assert not np.array_equal(first_update(1), first_update(2))
