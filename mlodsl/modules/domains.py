"""Euclidean projections onto the domains of variables; derivatives pass through them."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.syntax import nodes

from .evaluator import evaluate
from .scope import Scope
from .values import Numbers, as_array


def project_onto(domain: nodes.Domain, x: Numbers, scope: Scope) -> Numbers:
    """The point of a domain nearest to `x`, the domain's bounds evaluated in `scope`."""
    if isinstance(domain, nodes.IntervalDomain):
        least = as_array(evaluate(domain.minimum, scope), scope.dtype)
        largest = as_array(evaluate(domain.maximum, scope), scope.dtype)
        return project_onto_interval(x, least, largest)
    match domain.name.name:
        case "nonnegative":
            return project_onto_interval(x, 0.0, jnp.inf)
        case "simplex":
            return project_onto_simplex(x)
        case "ball":
            (radius,) = domain.arguments
            return project_onto_ball(x, as_array(evaluate(radius, scope), scope.dtype))
    raise AssertionError(f"the checker lets no domain `{domain.name.name}` stand")


def project_onto_interval(x: Numbers, least: Numbers | float, largest: Numbers | float) -> Numbers:
    """`x` clipped elementwise; on a bound its derivative is that of the inside."""
    return jnp.where(x < least, least, jnp.where(x > largest, largest, x))


def project_onto_simplex(x: Float[Array, "... n"]) -> Float[Array, "... n"]:
    """Each row (along the last axis) moved to the nearest one that is ≥ 0 and sums to 1.

    The answer is `max(x - θ, 0)`, with θ such that the entries kept sum to 1 (Held, Wolfe
    and Crowder 1974). One sort a row.
    """
    # A shift of all entries doesn't change the answer; this one keeps the sums accurate.
    x = x - jnp.max(x, axis=-1, keepdims=True)
    falling = -jnp.sort(-x, axis=-1)
    count = jnp.arange(1, x.shape[-1] + 1, dtype=x.dtype)
    thresholds = (jnp.cumsum(falling, axis=-1) - 1) / count
    kept = jnp.sum(falling > thresholds, axis=-1, keepdims=True)
    threshold = jnp.take_along_axis(thresholds, kept - 1, axis=-1)
    return jnp.where(x > threshold, x - threshold, 0.0)


def project_onto_ball(x: Numbers, radius: Float[Array, ""] | float) -> Numbers:
    """`x`, shortened to the Euclidean length `radius` where it is longer."""
    squares = jnp.sum(jnp.square(x))
    inside = squares <= jnp.square(radius)
    return x * jnp.where(inside, 1.0, radius / jnp.sqrt(jnp.where(inside, 1.0, squares)))
