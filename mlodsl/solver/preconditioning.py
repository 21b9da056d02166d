"""When the Hessian of the level below is inverted, to precondition solves at later points.

To form it costs about as much as a product for each variable, or what it was measured to cost.
It is formed once the products that it could have saved have cost as much: whatever comes, that
takes at most twice as long as the better of never and at once. Where it saved little, since the
Hessian changes too much from turn to turn, the next time is put off.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mlodsl.calculus import Preconditioner, hessian_product, preconditioner_of, split
from mlodsl.calculus.blocks import products_with_units
from mlodsl.strategies import Point

from .compiling import compiled
from .nest import Nest

# What each evaluation of the level takes with its own inverse: products of one linear solve.
_FEWEST = 3

# It saved little where excess products a turn are more than this share of those before.
_LITTLE = 0.5


@functools.lru_cache(maxsize=8)
def no_preconditioner(size: int) -> Preconditioner:
    """One that leaves residuals as they are."""
    return Preconditioner(jnp.zeros((size, size), jnp.float32), jnp.array(False))


@compiled
def _inverse_below(
    nest: Nest, own: Float[Array, " own"], flat: Float[Array, " below"]
) -> Preconditioner:
    product = hessian_product(nest.game, 1, (own,), flat)
    return preconditioner_of(products_with_units(product, flat.size, flat))


@dataclass(slots=True)
class Preconditioning:
    """What the solves of the level below have cost since its Hessian was formed, or the start.

    Arguments:
        turns, products, seconds: how many turns of the top level, the products that these took
            and how long.
        excess: the products above the fewest.
        before: the most excess products a turn, of the times before it was formed.
        forming: seconds that it took; None where that isn't known.
        patience: by what the time until it is formed anew is longer.
        seen: evaluations and products when the last turn ended.
    """

    turns: int = 0
    products: int = 0
    excess: int = 0
    seconds: float = 0.0
    before: float | None = None
    forming: float | None = None
    patience: float = 1.0
    seen: tuple[int, int] = (0, 0)

    def after(self, nest: Nest, point: Point, seconds: float) -> Nest:
        """The nest to go on with after a turn.

        Arguments:
            point: of the top level, as it stands.
            seconds: that the turn took.
        """
        if nest.preconditioner is None:
            return nest
        size = nest.game.sizes[1]
        counts = int(np.asarray(point.evaluations)[1]), int(np.asarray(point.products)[1])
        evaluations, products = counts[0] - self.seen[0], counts[1] - self.seen[1]
        self.seen = counts
        self.turns += 1
        self.products += products
        self.seconds += seconds
        self.excess += max(products - _FEWEST * evaluations, 0)
        cost = float(size)
        if self.forming is not None and self.products:
            cost = self.forming * self.products / self.seconds
        if self.excess < self.patience * cost:
            return nest
        return self._form(nest, point)

    def _form(self, nest: Nest, point: Point) -> Nest:
        mean = self.excess / self.turns
        little = self.before is not None and mean > _LITTLE * self.before
        self.patience = 2 * self.patience if little else 1.0
        own, flat, _ = split(nest.game.sizes, 0, point.flat)
        began = time.perf_counter()
        found = jax.block_until_ready(_inverse_below(nest, own, flat))
        # The first time it is compiled too.
        self.forming = None if self.before is None else time.perf_counter() - began
        self.before = max(mean, self.before or 0.0)
        self.turns, self.products, self.excess, self.seconds = 0, 0, 0, 0.0
        return nest.replaced(preconditioner=found)
