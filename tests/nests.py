"""Nests of plain games: every lower level by Newton's method, as the solver does by default."""

import equinox as eqx
import jax.numpy as jnp

from mlodsl.calculus import Game, point_of
from mlodsl.solver.level import evaluate
from mlodsl.solver.movers import Proposal, QuasiNewton, TrustRegionNewton
from mlodsl.solver.nest import LevelPlan, Nest
from mlodsl.strategies import AbstractStrategy, Implicit, Point


def newton_nest(game: Game, strategy: AbstractStrategy | None = None) -> Nest:
    """A nest whose top level moves by BFGS and whose lower levels move by Newton's method."""
    levels = len(game.sizes)
    plans = [LevelPlan(QuasiNewton(), 100)]
    plans += [LevelPlan(TrustRegionNewton(), 100, extra_steps=10)] * (levels - 1)
    return Nest(game, strategy or Implicit(), tuple(plans), jnp.zeros(levels, bool))


@eqx.filter_jit
def evaluated(nest: Nest, own: jnp.ndarray, start: tuple[jnp.ndarray, ...] | None = None) -> Point:
    """The top level's total gradient, the levels below solved from `start` (default: zeros)."""
    sizes = nest.game.sizes
    vectors = start or tuple(jnp.zeros(size) for size in sizes[1:])
    guess = point_of(sizes, 1, vectors)
    nothing = jnp.zeros(())
    return evaluate(nest, 0, (), Proposal(own, guess, nothing), nothing, with_factor=False)
