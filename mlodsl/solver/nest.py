"""All that the solve of a model depends on: the game, the strategy, and each level's plan."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
from jaxtyping import Array, Bool, Int

from mlodsl.calculus import EliminationPlan, Game, Vectors
from mlodsl.strategies import AbstractStrategy, Implicit

from .movers import AbstractMover, FirstOrder, Place

# So few steps aren't judged one by one.
_FEW_STEPS = 100


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """How one level is solved.

    Arguments:
        mover: how it moves.
        steps: how many steps it makes at most.
        exact: whether it is solved to a tolerance, so that running out of steps is a failure.
        constrained: whether the level has a domain.
        tolerance: a fixed tolerance on the norm of its gradient; None: what the level above
            needs.
        extra_steps: how many more steps a level may make once within the tolerance, while
            its mover says that the answer is still a long way off (little curvature).
    """

    mover: AbstractMover
    steps: int
    exact: bool = True
    constrained: bool = False
    tolerance: float | None = None
    extra_steps: int = 0

    @property
    def makes_few_steps(self) -> bool:
        """Whether the level makes a few steps of an Optax optimiser, whatever they bring."""
        few = not self.exact and self.tolerance is None and self.steps <= _FEW_STEPS
        return few and isinstance(self.mover, FirstOrder)


class Nest(eqx.Module):
    """What a response depends on.

    Arguments:
        strategy: the top level's, and that of all levels where it is `everywhere`.
        between: how levels in between find their total gradients where it isn't.
        frozen: for each level whether it stays where it starts; the certificate holds levels
            still with it, without compiling anew.
        patience: how many turns a level may take at most, for searches that may be given up;
            None: as many as its plan allows.
    """

    game: Game
    strategy: AbstractStrategy
    plans: tuple[LevelPlan, ...] = eqx.field(static=True)
    frozen: Bool[Array, " levels"]
    patience: Int[Array, ""] | None = None
    between: AbstractStrategy = Implicit()

    def strategy_of(self, level: int) -> AbstractStrategy:
        """How a level finds its total gradient."""
        return self.strategy if level == 0 or self.strategy.everywhere else self.between

    @property
    def eliminations(self) -> tuple[EliminationPlan, ...]:
        """How K_k is solved with at each level."""
        for strategy in (self.strategy, self.between):
            if isinstance(strategy, Implicit):
                return strategy.elimination_plans(self.game.sizes)
        return Implicit().elimination_plans(self.game.sizes)

    def place(self, level: int, above: Vectors) -> Place:
        """Where the mover of a level stands."""
        return Place(self.game, level, above, self.eliminations)
