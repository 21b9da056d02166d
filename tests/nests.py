"""Nests of plain games: every lower level by Newton's method, as the solver does by default."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from mlodsl.calculus import Game, point_of
from mlodsl.solver.level import evaluate
from mlodsl.solver.movers import AbstractMover, Proposal, QuasiNewton, TrustRegionNewton
from mlodsl.solver.nest import LevelPlan, Nest
from mlodsl.solver.oracle import LATE
from mlodsl.strategies import AbstractStrategy, Implicit, Point


def newton_nest(
    game: Game,
    strategy: AbstractStrategy | None = None,
    *,
    flat: bool = False,
    between: AbstractStrategy | None = None,
) -> Nest:
    """A nest whose top level moves by BFGS and whose lower levels move by Newton's method.

    Levels whose gradients are no derivative, so that there is no Hessian, move by BFGS too.

    Arguments:
        flat: whether lower levels may be flat at their answers.
        between: how levels in between find their total gradients, where not by `strategy`.
    """
    levels = len(game.sizes)
    strategy = strategy or Implicit()
    between = between or Implicit()
    inner = strategy if strategy.everywhere else between
    newton = TrustRegionNewton(flat=flat)
    middle: AbstractMover = newton if inner.keeps_factor else QuasiNewton(by_slopes=True)
    plans = [LevelPlan(QuasiNewton(), 100)]
    plans += [LevelPlan(middle, 100, extra_steps=10)] * (levels - 2)
    plans += [LevelPlan(newton, 100, extra_steps=10)] * (levels > 1)
    return Nest(game, strategy, tuple(plans), jnp.zeros(levels, bool), between=between)


def evaluated(
    nest: Nest,
    own: Array,
    start: tuple[Array, ...] | None = None,
    *,
    tolerance: float = 0.0,
    turn: int = LATE,
) -> Point:
    """The top level's total gradient, the levels below solved from `start` (default: zeros).

    Compiled once for a structure: numbers are traced, options of strategies among them.
    """
    sizes = nest.game.sizes
    vectors = start or tuple(jnp.zeros(size, own.dtype) for size in sizes[1:])
    guess = point_of(sizes, 1, vectors)
    return _evaluated(nest, own, guess, jnp.asarray(tolerance), jnp.asarray(turn, jnp.int32))


@eqx.filter_jit
def _evaluated(nest: Nest, own: Array, guess: Array, tolerance: Array, turn: Array) -> Point:
    proposal = Proposal(own, guess, jnp.zeros(()), jnp.array(0, jnp.int32))
    return evaluate(nest, 0, (), proposal, tolerance, turn, with_factor=False)
