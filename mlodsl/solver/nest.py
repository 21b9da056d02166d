"""All that the solve of a model depends on: the game, the strategy, and each level's plan."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, TypeAlias

import equinox as eqx
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import EliminationPlan, Game, Preconditioner, Vectors
from mlodsl.modules import Record
from mlodsl.strategies import AbstractStrategy, Implicit

from .movers import AbstractMover, FirstOrder, Place

# So few steps aren't judged one by one.
_FEW_STEPS = 100

Way: TypeAlias = Literal["both", "joint", "nested", "products"]
"""`products`: all at once by products with K_1 alone, no level's curvature looked at; `joint`: all
at once with matrices; either gives an answer to all levels or none. `nested`: one inside the other;
`both`: so where `joint` gives none."""


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


@dataclass(frozen=True, slots=True)
class Abilities:
    """Which ways a nest may go, beside one level inside the other.

    Arguments:
        jointly: whether all lower levels may be solved by Newton's method at once, with matrices.
        products: whether so by products with K_1 alone.
        ahead: whether an answer from afar is first looked for by products, before matrices.
        verified: whether a single total gradient is first looked for by products, with matrices
            at the answer alone.
        adapts: whether answers and linear solves may be only as exact as the top level's progress
            asks for.
        remembers: whether the level below the top may be solved with an earlier point's Hessian.
    """

    jointly: bool = False
    products: bool = False
    ahead: bool = False
    verified: bool = False
    adapts: bool = False
    remembers: bool = False


class Nest(Record):
    """What a response depends on.

    Arguments:
        strategy: the top level's, and that of all levels where it is `everywhere`.
        between: how levels in between find their total gradients where it isn't.
        way: how levels that can be are solved.
        abilities: the ways that it may go.
        frozen: for each level whether it stays where it starts; the certificate holds levels
            still with it, without compiling anew.
        patience: how many turns a level may take at most, for searches that may be given up;
            None: as many as its plan allows.
        preconditioner: of the solves at the level below the top.
    """

    game: Game
    strategy: AbstractStrategy
    plans: tuple[LevelPlan, ...] = eqx.field(static=True)
    frozen: Bool[Array, " levels"]
    patience: Int[Array, ""] | None = None
    between: AbstractStrategy = Implicit()
    way: Way = eqx.field(static=True, default="both")
    abilities: Abilities = eqx.field(static=True, default=Abilities())
    preconditioner: Preconditioner | None = None

    def strategy_of(self, level: int) -> AbstractStrategy:
        """How a level finds its total gradient."""
        return self.strategy if level == 0 or self.strategy.everywhere else self.between

    @property
    def eliminations(self) -> tuple[EliminationPlan, ...]:
        """How K_k is solved with at each level."""
        for strategy in (self.strategy, self.between):
            if isinstance(strategy, Implicit):
                plans = strategy.elimination_plans(self.game.sizes)
                if self.preconditioner is None:
                    return plans
                top, below, *others = plans
                return top, below.replaced(preconditioner=self.preconditioner), *others
        return Implicit().elimination_plans(self.game.sizes)

    def solves_jointly(self, level: int) -> bool:
        """Whether a level and all below it may be solved by Newton's method on all at once."""
        return level == 1 and self.abilities.jointly

    def going(self, way: Way) -> Nest:
        """The nest whose levels are solved that way."""
        strategy = self.strategy
        if way == "products":
            assert isinstance(strategy, Implicit)
            strategy = dataclasses.replace(strategy, linear_solver="minres")
        return dataclasses.replace(self, way=way, strategy=strategy)

    @property
    def has_products(self) -> bool:
        """Whether the way `products` may be tried."""
        return self.abilities.products and self.way == "both"

    @property
    def adapts(self) -> bool:
        """Whether answers and linear solves are only as exact as the top level's progress asks
        for."""
        return self.abilities.adapts

    def place(self, level: int, above: Vectors, needed: float | Float[Array, ""] = 0.0) -> Place:
        """Where the mover of a level stands.

        Arguments:
            needed: the norm of the level's gradient that is small enough.
        """
        return Place(self.game, level, above, self.eliminations, needed)
