"""When the Hessian of the level below is inverted, to precondition solves at later points.

It is done once the products that it could have saved have taken some times as long as it takes, as
measured (at first: as long as it takes to compile, over all runs so far), so that no run loses much
by it. Where it saved little, since the Hessian changes too much from turn to turn, the next time is
put off.
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
from mlodsl.modules import Problem
from mlodsl.strategies import Point

from .compiling import compiled
from .kept import Kept
from .nest import Nest

# What each evaluation of the level takes with its own inverse: products of one linear solve.
_FEWEST = 3

# It saved little where excess products a turn are more than this share of those before.
_LITTLE = 0.5

# Seconds that it takes to compile, some more or some less.
_COMPILING = 0.3

# A certificate makes at least so many evaluations.
_CERTIFICATE = 100

# Seconds that it takes for a structure, once it was compiled for it.
_forming: Kept[float] = Kept()

# Seconds of excess products of all runs of a structure, as long as it wasn't compiled for it.
_lost_seconds: Kept[float] = Kept()


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
        patience: by what the time until it is formed is longer; at first, where the top level's
            steps are longest, by two.
        seen: evaluations and products when the last turn ended.
    """

    turns: int = 0
    products: int = 0
    excess: int = 0
    seconds: float = 0.0
    before: float = 0.0
    patience: float = 2.0
    seen: tuple[int, int] = (0, 0)

    def after(self, nest: Nest, point: Point, seconds: float) -> Nest:
        """The nest to go on with after a turn.

        Arguments:
            point: of the top level, as it stands.
            seconds: that the turn took.
        """
        if nest.preconditioner is None:
            return nest
        counts = int(np.asarray(point.evaluations)[1]), int(np.asarray(point.products)[1])
        evaluations, products = counts[0] - self.seen[0], counts[1] - self.seen[1]
        self.seen = counts
        self.turns += 1
        self.products += products
        self.seconds += seconds
        excess = max(products - _FEWEST * evaluations, 0)
        self.excess += excess
        forming = _forming.find(_structure(nest))
        if forming is None:
            earlier = _lost_seconds.find(_structure(nest)) or 0.0
            more = excess * seconds / max(products, 1)
            lost = _lost_seconds.keep(_structure(nest), earlier + more)
        else:
            lost = self.excess * self.seconds / max(self.products, 1)
        cost = self.patience * (_COMPILING if forming is None else forming)
        if not self.excess or lost < cost:
            return nest
        return self._form(nest, point, known=forming is not None)

    def _form(self, nest: Nest, point: Point, *, known: bool) -> Nest:
        mean = self.excess / self.turns
        little = self.before > 0 and mean > _LITTLE * self.before
        self.patience = 2 * self.patience if little else 1.0
        own, flat, _ = split(nest.game.sizes, 0, point.flat)
        began = time.perf_counter()
        found = jax.block_until_ready(_inverse_below(nest, own, flat))
        took = time.perf_counter() - began
        # Compiling included, nothing is known but that it takes about a product for each variable.
        forming = took if known else flat.size * self.seconds / self.products
        _forming.keep(_structure(nest), forming)
        self.before = max(mean, self.before)
        self.turns, self.products, self.excess, self.seconds = 0, 0, 0, 0.0
        return nest.replaced(preconditioner=found)


def preconditioned_near(nest: Nest, point: Point, seconds: float) -> Nest:
    """The nest for the evaluations of a certificate, all next to a point of the top level.

    Arguments:
        seconds: that a turn near the point took.
    """
    if nest.preconditioner is None:
        return nest
    forming = _forming.find(_structure(nest))
    if _CERTIFICATE * seconds < (_COMPILING if forming is None else forming):
        return nest
    own, flat, _ = split(nest.game.sizes, 0, point.flat)
    return nest.replaced(preconditioner=_inverse_below(nest, own, flat))


def _structure(nest: Nest) -> object:
    assert isinstance(nest.game, Problem)
    return nest.game.structure
