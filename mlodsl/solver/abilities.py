"""Which ways a nest may go, by its sizes and its strategy.

The bounds are where one way overtakes the other on a processor, by the suite `hypergradient`.
"""

from __future__ import annotations

from mlodsl.calculus import flat_size
from mlodsl.strategies import AbstractStrategy, Implicit

from .movers import TrustRegionNewton
from .nest import Abilities, LevelPlan

# Below so many unknowns of all lower levels, it would take longer to compile than it saves.
_FEW_UNKNOWNS = 16

# Above so many the matrices take longer than iterations.
_MOST_UNKNOWNS = 1024

# From so many on, of several levels, MINRES takes less time than matrices where it takes few
# iterations: for a turn from the last one's answer, and for an answer from afar.
_MANY_UNKNOWNS, _MANY_FROM_AFAR = 128, 24

# A matrix of that order takes 16 MiB.
_MOST_REMEMBERED = 2048

# In deeper nests the code for a second way takes longer to compile than it saves.
_DEEP = 4


def abilities_of(
    sizes: tuple[int, ...], strategy: AbstractStrategy, plans: tuple[LevelPlan, ...]
) -> Abilities:
    """The ways that levels of these sizes may go under a strategy."""
    plain = all(
        isinstance(plan.mover, TrustRegionNewton)
        and not plan.mover.flat
        and plan.exact
        and plan.tolerance is None
        for plan in plans[1:]
    )
    if not isinstance(strategy, Implicit) or len(sizes) == 1 or not plain or strategy.iterations:
        return Abilities()
    unknowns = flat_size(sizes, 1)
    form = strategy.elimination_plans(sizes)[1].form
    with_matrices = strategy.linear_solver in ("auto", "dense") and form in ("full", "reduced")
    with_matrices &= unknowns <= _MOST_UNKNOWNS
    several = strategy.linear_solver == "auto" and len(sizes) > 2
    from_afar = unknowns >= (_MANY_FROM_AFAR if len(sizes) <= _DEEP else _MANY_UNKNOWNS)
    products = several and unknowns >= _MANY_UNKNOWNS and not plans[0].mover.needs_factor
    return Abilities(
        jointly=with_matrices and unknowns >= _FEW_UNKNOWNS,
        products=products,
        ahead=several and from_afar,
        verified=several and from_afar and with_matrices,
        adapts=products or form in ("cg", "minres"),
        remembers=strategy.linear_solver == "auto"
        and form == "cg"
        and len(sizes) == 2
        and unknowns <= _MOST_REMEMBERED,
    )


def careful(abilities: Abilities) -> Abilities:
    """Without the ways that leave something to the certificate, or to what follows."""
    return Abilities(jointly=abilities.jointly)
