"""Points spread over a variable's domain, or around its start where nothing bounds it.

What comes in are shares of a cube: numbers in (0, 1), one for each entry of the variable. Shares
that are spread over the cube give points that are spread over the domain.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax.scipy.special import gammainc, ndtri

from mlodsl.syntax import nodes

from .evaluator import evaluate
from .scope import Scope
from .values import Numbers, as_array

# Around a start: half of the points within 1 + its size, none beyond some ten times of it.
_CUT = 0.94


def spread_over(
    domain: nodes.Domain | None, start: Numbers, shares: Numbers, scope: Scope
) -> Numbers:
    """A point of a domain for shares of a cube.

    Intervals, simplices and balls are filled evenly. What isn't bounded on both sides is spread
    `around` the start, and mirrored at the bound that it has.

    Arguments:
        domain: None: all numbers.
        start: within the domain, of the variable's shape.
        shares: in (0, 1), of the same shape.
    """
    free = around(start, shares)
    if domain is None:
        return free
    if isinstance(domain, nodes.IntervalDomain):
        least = as_array(evaluate(domain.minimum, scope), scope.dtype)
        largest = as_array(evaluate(domain.maximum, scope), scope.dtype)
        return _in_interval(least, largest, free, shares)
    match domain.name.name:
        case "nonnegative":
            return jnp.abs(free)
        case "simplex":
            # Exponential variables over their sum are evenly spread.
            waits = -jnp.log(shares)
            return waits / jnp.sum(waits, axis=-1, keepdims=True)
        case "ball":
            (radius,) = domain.arguments
            return _in_ball(as_array(evaluate(radius, scope), scope.dtype), free, shares)
    raise AssertionError(f"the checker lets no domain `{domain.name.name}` stand")


def around(start: Numbers, shares: Numbers) -> Numbers:
    """A point at Cauchy-distributed distances from a start, in units of 1 + its size, cut off."""
    return start + (1 + jnp.abs(start)) * jnp.tan(_CUT * jnp.pi * (shares - 0.5))


def _in_interval(least: Numbers, largest: Numbers, free: Numbers, shares: Numbers) -> Numbers:
    above, below = jnp.isfinite(least), jnp.isfinite(largest)
    # An infinite bound, though not chosen, would leave its NaN in a derivative.
    low, high = jnp.where(above, least, 0.0), jnp.where(below, largest, 0.0)
    inside = low + shares * (high - low)
    one_sided = jnp.where(above, low + jnp.abs(free - low), high - jnp.abs(high - free))
    return jnp.where(above & below, inside, jnp.where(above | below, one_sided, free))


def _in_ball(radius: Numbers, free: Numbers, shares: Numbers) -> Numbers:
    normal = ndtri(shares)
    squares = jnp.sum(jnp.square(normal))
    # χ² of n degrees: the share of all normal vectors that are shorter.
    share = gammainc(normal.size / 2, squares / 2)
    length = jnp.sqrt(squares)
    direction = normal / jnp.where(length > 0, length, 1.0)
    return jnp.where(jnp.isfinite(radius), radius * share ** (1 / normal.size) * direction, free)
