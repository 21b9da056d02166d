"""The functions of a model with constraints and their derivatives, on the host.

With x the upper and y the lower variables, λ and μ the multipliers of the lower level's
constraints, z = (x, y, λ, μ):

    F(x, y), G(x, y) ≤ 0, H(x, y) = 0            the upper level
    f(x, y), g(x, y) ≤ 0, h(x, y) = 0            the lower level
    s(z) = ∇_y f + λ·∇_y g + μ·∇_y h             stationarity of the lower level
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mlodsl.modules import Problem

# Arrays of the host or of JAX: compiled functions take both.
Parts = tuple[Any, ...]

_NEWTON_STEPS = 8

# The order of the parts of a model, in values, Jacobians and weights.
UPPER, UPPER_AT_MOST, UPPER_EQUAL, LOWER, LOWER_AT_MOST, LOWER_EQUAL, STATIONARITY = range(7)


@dataclass(frozen=True, slots=True)
class Shape:
    """How many numbers there are of each kind.

    Arguments:
        upper, lower: variables x and y.
        at_most, equal: multipliers λ and μ.
    """

    upper: int
    lower: int
    at_most: int
    equal: int

    @property
    def choices(self) -> int:
        """Of x and y together."""
        return self.upper + self.lower

    @property
    def all(self) -> int:
        """Of z."""
        return self.choices + self.at_most + self.equal

    def split(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """x, y, λ and μ."""
        ends = np.cumsum([self.upper, self.lower, self.at_most])
        x, y, at_most, equal = np.split(z, ends)
        return x, y, at_most, equal


@dataclass(slots=True)
class Functions:
    """A model's functions as NumPy arrays; those at the last point are kept.

    Arguments:
        problem: of one or two levels.
        shape: its sizes.
        start: x and y where the model starts.
        bounded: for each level, which of its inequalities have a finite bound; the others
            don't take part.
        moving: whether what the follower may choose depends on the upper variables.
        counts: how often the functions of both levels, and the lower one's alone, were asked for.
    """

    problem: Problem
    shape: Shape
    start: tuple[np.ndarray, np.ndarray]
    bounded: tuple[tuple[int, ...], ...]
    moving: bool
    counts: list[int] = field(default_factory=lambda: [0, 0])
    _last: tuple[bytes, list[np.ndarray], list[np.ndarray]] | None = field(default=None)

    @staticmethod
    def of(problem: Problem, seed: int) -> Functions:
        """The functions of a problem with its start drawn from a seed."""
        vectors = problem.start(jax.random.PRNGKey(seed))
        x = np.asarray(vectors[0])
        y = np.asarray(vectors[1]) if len(vectors) == 2 else np.zeros(0, x.dtype)
        bounded, counts = [], []
        for level in range(problem.number_of_levels):
            at_most, equal = problem.constraints(level, vectors)
            bounded.append(tuple(np.flatnonzero(np.asarray(at_most) > -np.inf).tolist()))
            counts.append((len(bounded[-1]), equal.size))
        lower = counts[1] if len(counts) == 2 else (0, 0)
        upper_names = {item.name for item in problem.structure.levels[0].variables}
        moving = len(counts) == 2 and bool(upper_names & problem.constrained_names(1))
        return Functions(problem, Shape(x.size, y.size, *lower), (x, y), tuple(bounded), moving)

    def at(self, z: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The values of all parts at z, and their Jacobians in z."""
        key = z.tobytes()
        if self._last is None or self._last[0] != key:
            self._last = (key, *self.beside(z))
        return self._last[1], self._last[2]

    def beside(self, z: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """As `at`, for a point that will not be asked for again."""
        self.counts[0] += 1
        found = _values_and_slopes(self.problem, self.bounded, self.shape.split(z))
        values, slopes = jax.device_get(found)
        return values, slopes

    def below(self, x: np.ndarray, y: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """f, g and h at (x, y), and their Jacobians in y."""
        self.counts[1] += 1
        values, slopes = jax.device_get(_lower(self.problem, self.bounded, x, y))
        return values, slopes

    def below_many(self, x: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """f for many y, and how far each is from feasible."""
        value, violation = jax.device_get(_many_lower(self.problem, self.bounded, x, ys))
        return value, violation

    def follow(self, z: np.ndarray, active: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The follower's answer with the given constraints active, found from z = (x, y, λ, μ).

        By Newton's method on its conditions, for x as it is in z.

        Returns:
            f there, its derivative in x along the answer, and z; f infinite where the answer has
            gone: it isn't reached, isn't feasible, or a constraint would pull.
        """
        point = self.shape.split(z)
        value, slope, found = jax.device_get(_follow(self.problem, self.bounded, point, active))
        return float(value), slope, np.concatenate([point[0], found])

    def curvature(self, z: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
        """The Hessian in z of the parts' sum with these weights."""
        point = self.shape.split(z)
        return np.asarray(_weighted_hessian(self.problem, self.bounded, point, weights))


def _parts(problem: Problem, bounded: tuple[tuple[int, ...], ...], point: Parts) -> list[Array]:
    x, y, at_most, equal = point
    empty = jnp.zeros(0, x.dtype)
    if problem.number_of_levels == 1:
        above = _bounded_constraints(problem, bounded, 0, (x,))
        return [problem.objective(0, (x,)), *above, jnp.zeros((), x.dtype), empty, empty, empty]

    def lagrangian(answer: Float[Array, " lower"]) -> Float[Array, ""]:
        below = _bounded_constraints(problem, bounded, 1, (x, answer))
        return problem.objective(1, (x, answer)) + at_most @ below[0] + equal @ below[1]

    return [
        problem.objective(0, (x, y)),
        *_bounded_constraints(problem, bounded, 0, (x, y)),
        problem.objective(1, (x, y)),
        *_bounded_constraints(problem, bounded, 1, (x, y)),
        jax.grad(lagrangian)(y),
    ]


def _bounded_constraints(
    problem: Problem, bounded: tuple[tuple[int, ...], ...], level: int, vectors: Parts
) -> tuple[Array, Array]:
    at_most, equal = problem.constraints(level, vectors)
    return at_most[jnp.array(bounded[level], int)], equal


@eqx.filter_jit
def _values_and_slopes(
    problem: Problem, bounded: tuple[tuple[int, ...], ...], point: Parts
) -> tuple[list[Array], list[Array]]:
    def parts(z: Parts) -> list[Array]:
        return _parts(problem, bounded, z)

    values = parts(point)
    by_part = jax.jacfwd(parts)(point)
    slopes = [jnp.concatenate(pieces, axis=-1) for pieces in by_part]
    return values, slopes


@eqx.filter_jit
def _lower(
    problem: Problem, bounded: tuple[tuple[int, ...], ...], x: Any, y: Any
) -> tuple[list[Array], list[Array]]:
    def parts(answer: Array) -> list[Array]:
        below = _bounded_constraints(problem, bounded, 1, (x, answer))
        return [problem.objective(1, (x, answer)), *below]

    return parts(y), jax.jacfwd(parts)(y)


@eqx.filter_jit
def _many_lower(
    problem: Problem, bounded: tuple[tuple[int, ...], ...], x: Any, ys: Any
) -> tuple[Array, Array]:
    def one(y: Array) -> tuple[Array, Array]:
        at_most, equal = _bounded_constraints(problem, bounded, 1, (x, y))
        violation = jnp.sum(jnp.maximum(at_most, 0)) + jnp.sum(jnp.abs(equal))
        return problem.objective(1, (x, y)), violation

    return jax.vmap(one)(ys)


@eqx.filter_jit
def _follow(
    problem: Problem, bounded: tuple[tuple[int, ...], ...], point: Parts, active: Any
) -> tuple[Array, Array, Array]:
    x, *start = point
    sizes = np.cumsum([part.size for part in start])[:-1]

    def lagrangian(x: Array, unknowns: Array) -> Array:
        y, at_most, equal = jnp.split(unknowns, sizes)
        values = _bounded_constraints(problem, bounded, 1, (x, y))
        return problem.objective(1, (x, y)) + at_most @ values[0] + equal @ values[1]

    def conditions(unknowns: Array) -> Array:
        y, at_most, _ = jnp.split(unknowns, sizes)
        stationarity = jax.grad(lagrangian, argnums=1)(x, unknowns)[: y.size]
        values = _bounded_constraints(problem, bounded, 1, (x, y))
        return jnp.concatenate([stationarity, jnp.where(active, values[0], at_most), values[1]])

    def once(unknowns: Array, _: None) -> tuple[Array, None]:
        matrix = jax.jacfwd(conditions)(unknowns)
        step = jnp.linalg.lstsq(matrix, conditions(unknowns), rcond=1e-12)[0]
        return unknowns - step, None

    unknowns, _ = jax.lax.scan(once, jnp.concatenate(start), None, length=_NEWTON_STEPS)
    y, at_most, _ = jnp.split(unknowns, sizes)
    outside = _bounded_constraints(problem, bounded, 1, (x, y))[0]
    reached = jnp.linalg.norm(conditions(unknowns)) <= 1e-8 * (1 + jnp.linalg.norm(unknowns))
    stays = reached & jnp.all(outside <= 1e-8) & jnp.all(at_most >= -1e-8)
    value = jnp.where(stays, problem.objective(1, (x, y)), jnp.inf)
    return value, jax.grad(lagrangian)(x, unknowns), unknowns


@eqx.filter_jit
def _weighted_hessian(
    problem: Problem, bounded: tuple[tuple[int, ...], ...], point: Parts, weights: list[Any]
) -> Array:
    sizes = np.cumsum([part.size for part in point])[:-1]

    def weighted(z: Array) -> Array:
        parts = _parts(problem, bounded, tuple(jnp.split(z, sizes)))
        return sum(
            (jnp.sum(weight * part) for weight, part in zip(weights, parts, strict=True)),
            jnp.zeros((), z.dtype),
        )

    return jax.hessian(weighted)(jnp.concatenate(point))
