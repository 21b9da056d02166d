"""One level on its own: games to move on, and what a mover makes of them."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from mlodsl.calculus import Game
from mlodsl.solver.level import run_level
from mlodsl.solver.movers import AbstractMover
from mlodsl.solver.nest import LevelPlan, Nest
from mlodsl.solver.state import LevelState
from mlodsl.strategies import Implicit, Point, Query, Response


class Quadratic(eqx.Module):
    """½ vᵀ Q v - c · v."""

    matrix: Array
    slope: Array

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.slope.size,)

    def objective(self, level: int, vectors: tuple[Array, ...]) -> Array:
        (own,) = vectors
        return own @ (self.matrix @ own / 2 - self.slope)

    def project(self, level: int, vector: Array) -> Array:
        return vector


class Rosenbrock(eqx.Module):
    """Σ 100 (v_{i+1} - v_i²)² + (1 - v_i)²: a curved valley, indefinite off its floor."""

    sizes: tuple[int, ...] = eqx.field(static=True)

    def objective(self, level: int, vectors: tuple[Array, ...]) -> Array:
        (own,) = vectors
        return jnp.sum(100 * (own[1:] - own[:-1] ** 2) ** 2 + (1 - own[:-1]) ** 2)

    def project(self, level: int, vector: Array) -> Array:
        return vector


class Wells(eqx.Module):
    """Σ (v_i² - 1)² / 4 and weak springs between neighbours: the origin is a maximum, and where
    some entries are zero and some ±1 there are saddles or nearly so."""

    sizes: tuple[int, ...] = eqx.field(static=True)

    def objective(self, level: int, vectors: tuple[Array, ...]) -> Array:
        (own,) = vectors
        return jnp.sum((own**2 - 1) ** 2) / 4 + 0.05 * jnp.sum((own[1:] - own[:-1]) ** 2)

    def project(self, level: int, vector: Array) -> Array:
        return vector


@eqx.filter_jit
def moved(
    game: Game,
    mover: AbstractMover,
    start: Array,
    *,
    steps: int = 200,
    solver: str = "auto",
    tolerance: float = 1e-9,
    exact: bool = True,
) -> LevelState:
    """The last state of a level that `mover` moves from `start`."""
    plan = LevelPlan(mover, steps, exact=exact, extra_steps=10)
    nest = Nest(game, Implicit(solver), (plan,), jnp.zeros(1, bool))
    return run_level(nest, 0, (), start, jnp.asarray(tolerance, start.dtype))


def bottom_point(game: Game, own: Array, *, with_factor: bool) -> Point:
    """The only level's value, gradient and, if asked for, factor at `own`."""
    strategy = Implicit()
    query = Query(
        game=game,
        level=0,
        above=(),
        own=own,
        guess=own[:0],
        plans=strategy.elimination_plans(game.sizes),
        accuracy=jnp.zeros((), own.dtype),
        turn=jnp.array(0, jnp.int32),
        with_factor=with_factor,
    )
    return strategy.evaluate(query, _nobody_below)


def _nobody_below(*_: object, **__: object) -> Response:
    raise AssertionError("there is no level below")
