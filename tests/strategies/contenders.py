"""Every strategy with options that make it accurate, and the error that its theory gives then.

The error is relative to the total gradient, for games whose curvatures are of order 1: a new
strategy is a line here, and is tested on every game.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp

from mlodsl.strategies import (
    AbstractStrategy,
    FiniteDifferences,
    FirstOrderBilevel,
    Galet,
    Hoag,
    Implicit,
    IterativeDifferentiation,
    ProximalFirstOrderBilevel,
    Unrolling,
    ValueFunction,
)

# σ, and what the error of the first order in it may be: constants of the games are of order 1.
SIGMA = 1e-4
FIRST_ORDER = 10 * SIGMA
# Of second order: 10 σ² with a σ of 1e-3, and answers that are right to 1e-15 divided by σ.
SECOND_ORDER = 1e-5
EXACT = 1e-9
STEPS = 60


@dataclass(frozen=True)
class Contender:
    """A strategy for a number of levels, and the relative error of its total gradients."""

    make: Callable[[int], AbstractStrategy]
    error: float


def unrolled(steps: int) -> Callable[[int], AbstractStrategy]:
    """Steps of gradient descent from the answer, in each lower level."""
    return lambda levels: IterativeDifferentiation((Unrolling(None, steps, steps),) * (levels - 1))


CONTENDERS: dict[str, Contender] = {
    "implicit": Contender(lambda _: Implicit(), EXACT),
    # Steps 1 / (1.1 L) with μ / L above 1/4 in all games leave (1 - 1 / 4.4)^60 = 2e-7 of ITD's
    # error, times a number of order 60 a level further down.
    "itd": Contender(unrolled(STEPS), 1e-5),
    # Of order h² = 4e-11, and rounding 1e-15 / h = 2e-10.
    "fd": Contender(lambda _: FiniteDifferences(jnp.asarray(0.0)), 1e-7),
    "fd one-sided": Contender(lambda _: FiniteDifferences(jnp.asarray(0.0), central=False), 1e-6),
    "f2ba": Contender(lambda _: FirstOrderBilevel(jnp.asarray(SIGMA)), FIRST_ORDER),
    "f2ba central": Contender(
        lambda _: FirstOrderBilevel(jnp.asarray(1e-3), "central"), SECOND_ORDER
    ),
    "f2ba extrapolated": Contender(
        lambda _: FirstOrderBilevel(jnp.asarray(1e-3), "extrapolated"), SECOND_ORDER
    ),
    "prox_f2ba": Contender(
        lambda _: ProximalFirstOrderBilevel(jnp.asarray(SIGMA), jnp.asarray(10.0)), FIRST_ORDER
    ),
    # The condition number squared, and a residual of 1e-12.
    "galet": Contender(lambda _: Galet(), 1e-8),
    "hoag": Contender(lambda _: Hoag(jnp.asarray(0.1), jnp.asarray(0.2)), EXACT),
    "value_function": Contender(
        lambda _: ValueFunction(jnp.asarray(1 / SIGMA), jnp.asarray(10.0), jnp.asarray(10.0)),
        FIRST_ORDER,
    ),
}
