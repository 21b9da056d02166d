"""Constraints as values: what is to be at most zero, and what is to be zero."""

from __future__ import annotations

import math
from collections.abc import Iterator

import jax.numpy as jnp
from jaxtyping import Array, Float

from mlodsl.check import PlayerInfo
from mlodsl.syntax import format_expression, nodes

from .comprehensions import collect
from .evaluator import evaluate, is_unrolled_in_full
from .scope import Scope
from .values import Numbers, as_array

Pair = tuple[bool, nodes.Expression]


def halves(constraint: nodes.Constraint) -> Iterator[Pair]:
    """Each half `a <= b` of a constraint as `a - b`, with whether it is an equality.

    `lo <= a <= hi` has two, the lower bound first.
    """
    comparison = constraint.comparison
    assert isinstance(comparison, nodes.Comparison), "the checker lets nothing else stand"
    left = comparison.first
    for operator, right in comparison.rest:
        first, second = (right, left) if operator == ">=" else (left, right)
        difference = nodes.Chain(first, (("-", second),), span=comparison.span)
        yield operator == "==", difference
        left = right


def value_of_half(
    constraint: nodes.Constraint, difference: nodes.Expression, scope: Scope
) -> Numbers:
    """The values of one half, one an index and an entry; those of the `for` come first."""
    if not constraint.clauses:
        return as_array(evaluate(difference, scope), scope.dtype)
    generator = nodes.Generator(difference, constraint.clauses, span=constraint.span)
    return collect(generator, scope, evaluate, is_unrolled_in_full).values


def constraint_values(
    player: PlayerInfo, scope: Scope
) -> tuple[Float[Array, " inequalities"], Float[Array, " equalities"]]:
    """All constraints of a player: what is to be ≤ 0 and what is to be 0, in the order written."""
    parts: tuple[list[Numbers], list[Numbers]] = ([], [])
    for constraint in player.constraints:
        for is_equality, difference in halves(constraint):
            parts[is_equality].append(value_of_half(constraint, difference, scope).ravel())
    empty = jnp.zeros(0, scope.dtype)
    at_most, equal = (jnp.concatenate([empty, *part]) for part in parts)
    return at_most, equal


def multipliers_by_name(
    player: PlayerInfo,
    scope: Scope,
    at_most: Float[Array, " inequalities"],
    equal: Float[Array, " equalities"],
) -> dict[str, Numbers]:
    """`dual` of each named constraint, from the multipliers of `constraint_values`.

    With p the optimal value as a minimisation: of `a <= b` it is -∂p/∂b, of `a >= b` ∂p/∂b, of
    `a == b` ∂p/∂b; of `lo <= a <= hi` the upper bound's less the lower bound's.
    """
    found: dict[str, Numbers] = {}
    left = [at_most, equal]
    for constraint in player.constraints:
        for position, (is_equality, difference) in enumerate(halves(constraint)):
            shape = value_of_half(constraint, difference, scope).shape
            size = math.prod(shape)
            own, left[is_equality] = left[is_equality][:size], left[is_equality][size:]
            if constraint.name is None:
                continue
            name = constraint.name.name
            value = -own.reshape(shape) if is_equality else own.reshape(shape)
            found[name] = value - found[name] if position else value
    return found


def domain_values(
    domain: nodes.Domain, x: Numbers, scope: Scope
) -> tuple[Float[Array, " inequalities"], Float[Array, " equalities"]]:
    """A domain as constraints: each entry's lower bounds, then its upper ones.

    An infinite bound is a value of -inf.
    """
    empty = jnp.zeros(0, scope.dtype)
    if isinstance(domain, nodes.IntervalDomain):
        least = as_array(evaluate(domain.minimum, scope), scope.dtype)
        largest = as_array(evaluate(domain.maximum, scope), scope.dtype)
        return jnp.concatenate([(least - x).ravel(), (x - largest).ravel()]), empty
    match domain.name.name:
        case "nonnegative":
            return -x.ravel(), empty
        case "simplex":
            return -x.ravel(), (jnp.sum(x, axis=-1) - 1).ravel()
        case "ball":
            radius = as_array(evaluate(domain.arguments[0], scope), scope.dtype)
            return (jnp.sum(jnp.square(x)) - jnp.square(radius))[None], empty
    raise AssertionError(f"the checker lets no domain `{domain.name.name}` stand")


def labels(player: PlayerInfo, scope: Scope) -> tuple[list[str], list[str]]:
    """What each value of `constraint_values` and of the domains before it comes from, in words.

    Arguments:
        scope: with the shapes of everything the constraints need.
    """
    parts: tuple[list[str], list[str]] = ([], [])
    for variable in player.variables:
        if variable.domain is not None:
            value = as_array(scope.lookup(variable.name), scope.dtype)
            sizes = [part.size for part in domain_values(variable.domain, value, scope)]
            for names, size in zip(parts, sizes, strict=True):
                names += [f"the domain of `{variable.name}`"] * size
    for constraint in player.constraints:
        text = format_expression(constraint.comparison)
        label = f"`{constraint.name.name}`" if constraint.name else f"`{text}`"
        for is_equality, difference in halves(constraint):
            parts[is_equality].extend([label] * value_of_half(constraint, difference, scope).size)
    return parts
