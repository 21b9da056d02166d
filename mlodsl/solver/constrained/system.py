"""The conditions under which the levels below a choice answer it, as equations and pairs.

A player p of level k, with x_k the level's variables and w_{k+1} everything below, chooses his part
of x_k and anticipates the levels below through their conditions:

    min f_p   under   g_p ≤ 0,  h_p = 0,  R_{k+1}(w_{k+1}) = 0,  S_{k+1}(w_{k+1}) ≥ 0
    L_p = f_p + λ·g_p + μ·h_p + ξ·R_{k+1} - σ·S_{k+1}
    E_k = (∇ L_p in x_p and w_{k+1} for each p,  h_p for each p,  R_{k+1})
    0 ≤ slack ⊥ force ≥ 0:   (-g_p, λ_p)  and  (S_{k+1}, σ_p)  for each p

with w_k = (x_k; λ, μ, ξ, σ of each p; w_{k+1}). A mask says of each pair which side is zero: R_k is
E_k with the sides that are zero, S_k the other sides. On each piece, one choice of all masks, the
answers are smooth functions of the choice. Where an inequality of S_{k+1} that comes from a pair is
active, both its sides are zero: the player stands at a kink of the answers below and is pulled into
neither piece where -ξ of the zero side isn't negative, which joins S_k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.modules import Problem

Vectors = tuple[Any, ...]
Masks = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PlayerShape:
    """How many numbers belong to a player.

    Arguments:
        start, stop: his entries in the level's vector.
        at_most: which of his inequalities have a finite bound; the others don't take part.
        all_at_most: how many inequalities there are with those without.
        equal: how many equations.
    """

    start: int
    stop: int
    at_most: tuple[int, ...]
    all_at_most: int
    equal: int

    @property
    def own(self) -> slice:
        """His entries in the level's vector."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class LevelShape:
    """How many numbers belong to a level and those below it."""

    level: int
    size: int
    players: tuple[PlayerShape, ...]
    below: LevelShape | None

    @property
    def inherited(self) -> int:
        """The inequalities S_{k+1} that each player keeps."""
        return 0 if self.below is None else self.below.pairs + self.below.signs

    @property
    def pairs(self) -> int:
        """Of slacks and forces."""
        own = sum(len(player.at_most) for player in self.players)
        return own + len(self.players) * self.inherited

    @property
    def signs(self) -> int:
        """Of the multipliers that tell whether a kink holds a player."""
        return 0 if self.below is None else len(self.players) * self.below.pairs

    @property
    def multipliers(self) -> tuple[tuple[int, int, int, int], ...]:
        """For each player how many λ, μ, ξ and σ."""
        below = 0 if self.below is None else self.below.unknowns
        return tuple(
            (len(player.at_most), player.equal, below, self.inherited) for player in self.players
        )

    @property
    def unknowns(self) -> int:
        """The length of w_k, and of R_k."""
        below = 0 if self.below is None else self.below.unknowns
        return self.size + sum(map(sum, self.multipliers)) + below

    @property
    def force_places(self) -> np.ndarray:
        """Where in w_k the force of each pair stands."""
        of_own, of_inherited, place = [], [], self.size
        for at_most, equal, of_equations, inherited in self.multipliers:
            of_own.append(np.arange(place, place + at_most))
            place += at_most + equal + of_equations
            of_inherited.append(np.arange(place, place + inherited))
            place += inherited
        return np.concatenate([*of_own, *of_inherited]).astype(int)

    @property
    def inherited_pairs(self) -> list[tuple[int, int]]:
        """The pairs that stand for pairs of the level below: both their numbers."""
        if self.below is None:
            return []
        first = sum(len(player.at_most) for player in self.players)
        return [
            (first + player * self.inherited + index, index)
            for player in range(len(self.players))
            for index in range(self.below.pairs)
        ]

    @property
    def depth(self) -> int:
        """How many levels there are from this one down."""
        return 1 if self.below is None else 1 + self.below.depth


def shape_of(
    problem: Problem, level: int, vectors: Vectors, *, everything: bool = False
) -> LevelShape | None:
    """The shape of the levels from one down, which inequalities take part read off a point.

    Arguments:
        everything: whether all of them do, so that the values may be traced.
    """
    if level >= problem.number_of_levels:
        return None
    players = []
    for player in range(len(problem.structure.players(level))):
        if everything:
            at_most, equal = jax.eval_shape(
                lambda at, player=player: problem.constraints(level, at, player), vectors
            )
            kept = tuple(range(at_most.size))
        else:
            at_most, equal = problem.constraints(level, vectors, player)
            # Only what has no bound anywhere is left out, not what has none at one point.
            without = np.asarray(at_most) == -np.inf
            for other in _beside(vectors):
                without &= np.asarray(problem.constraints(level, other, player)[0]) == -np.inf
            kept = tuple(np.flatnonzero(~without).tolist())
        own = problem.structure.own(level, player)
        players.append(PlayerShape(own.start, own.stop, kept, at_most.size, equal.size))
    below = shape_of(problem, level + 1, vectors, everything=everything)
    return LevelShape(level, problem.sizes[level], tuple(players), below)


def _beside(vectors: Vectors) -> list[Vectors]:
    """Other points, at several distances."""
    generator = np.random.default_rng(0)
    return [
        tuple(vector + scale * generator.standard_normal(vector.size) for vector in vectors)
        for scale in (0.1, 1.0, 10.0)
    ]


def choices(shape: LevelShape | None, w: Any) -> Vectors:
    """The variables (x_k, x_{k+1}, …) inside w_k."""
    found = []
    while shape is not None:
        found.append(w[: shape.size])
        w = below_of(shape, w)
        shape = shape.below
    return tuple(found)


def below_of(shape: LevelShape, w: Any) -> Any:
    """w_{k+1} inside w_k."""
    return w[shape.size + sum(map(sum, shape.multipliers)) :]


def multipliers_of(shape: LevelShape, w: Any) -> list[list[Any]]:
    """λ, μ, ξ and σ of each player."""
    place = shape.size
    found = []
    for sizes in shape.multipliers:
        own = []
        for size in sizes:
            own.append(w[place : place + size])
            place += size
        found.append(own)
    return found


def constraints(
    problem: Problem, shape: LevelShape, index: int, vectors: Vectors, duals: dict[str, Any] | None
) -> tuple[Array, Array]:
    """A player's inequalities that take part, and his equations.

    A bound that is infinite after all counts as one that is never reached.
    """
    at_most, equal = problem.constraints(shape.level, vectors, index, duals)
    kept = at_most[jnp.array(shape.players[index].at_most, int)]
    return jnp.where(kept == -jnp.inf, -1.0, kept), equal


def duals_of(
    problem: Problem, shape: LevelShape | None, above: Vectors, w: Any
) -> dict[str, Any] | None:
    """`dual` of the named constraints from a level down; None where the model names none."""
    if not problem.structure.uses_duals:
        return None
    vectors = (*above, *choices(shape, w))
    found: dict[str, Any] = {}
    while shape is not None:
        for index, (at_most, equal, _, _) in enumerate(multipliers_of(shape, w)):
            player = shape.players[index]
            everywhere = jnp.zeros(player.all_at_most, at_most.dtype)
            places = jnp.array(player.at_most, int)
            everywhere = everywhere.at[places].set(at_most)
            found |= problem.duals(shape.level, vectors, index, everywhere, equal)
        w, shape = below_of(shape, w), shape.below
    return found


def lagrangian(
    problem: Problem,
    shape: LevelShape,
    index: int,
    above: Vectors,
    x: Any,
    multipliers: list[Any],
    below: Any,
    masks: Masks,
) -> Array:
    """L_p, given the masks of the levels below."""
    at_most, equal, of_equations, of_inequalities = multipliers
    here = (*above, x)
    duals = duals_of(problem, shape.below, here, below)
    vectors = (*here, *choices(shape.below, below))
    values = constraints(problem, shape, index, vectors, duals)
    value = problem.objective(shape.level, vectors, index, duals)
    value = value + at_most @ values[0] + equal @ values[1]
    if shape.below is not None:
        equations, inequalities = conditions(problem, shape.below, here, below, masks)
        value = value + of_equations @ equations - of_inequalities @ inequalities
    return value


def system(
    problem: Problem, shape: LevelShape, above: Vectors, w: Any, masks: Masks
) -> tuple[Array, Array, Array]:
    """E_k, the slacks and the forces, given the masks of the levels below k."""
    x, below = w[: shape.size], below_of(shape, w)
    here = (*above, x)
    slopes, of_equal, slacks, forces = [], [], [], []
    equations = inequalities = jnp.zeros(0, w.dtype)
    duals = duals_of(problem, shape.below, here, below)
    vectors = (*here, *choices(shape.below, below))
    if shape.below is not None:
        equations, inequalities = conditions(problem, shape.below, here, below, masks)
    inherited = []
    for index, multipliers in enumerate(multipliers_of(shape, w)):
        own = shape.players[index].own

        def value(
            mine: Array,
            rest: Array,
            index: int = index,
            own: slice = own,
            multipliers: list[Any] = multipliers,
        ) -> Array:
            chosen = x.at[own].set(mine)
            return lagrangian(problem, shape, index, above, chosen, multipliers, rest, masks)

        slopes.extend(jax.grad(value, argnums=(0, 1))(x[own], below))
        at_most, equal = constraints(problem, shape, index, vectors, duals)
        of_equal.append(equal)
        slacks.append(-at_most)
        forces.append(multipliers[0])
        inherited.append(multipliers[3])
    copies = [inequalities] * len(inherited)
    return (
        jnp.concatenate([*slopes, *of_equal, equations]),
        jnp.concatenate([*slacks, *copies]),
        jnp.concatenate([*forces, *inherited]),
    )


def signs(shape: LevelShape, w: Any) -> Any:
    """-ξ of the zero side of each pair below, for each player: not negative where a kink holds."""
    if shape.below is None:
        return w[:0]
    first = shape.below.unknowns - shape.below.pairs
    found = [-own[2][first:] for own in multipliers_of(shape, w)]
    return jnp.concatenate(found) if isinstance(w, jax.Array) else np.concatenate(found)


def conditions(
    problem: Problem, shape: LevelShape, above: Vectors, w: Any, masks: Masks
) -> tuple[Array, Array]:
    """R_k, to be zero, and S_k, not to be negative, given the masks from k down."""
    equations, slacks, forces = system(problem, shape, above, w, masks[1:])
    active = masks[0]
    at_kinks = [pair for pair, _ in shape.inherited_pairs]
    held = jnp.where(active[jnp.array(at_kinks, int)], signs(shape, w), 1.0)
    return (
        jnp.concatenate([equations, jnp.where(active, slacks, forces)]),
        jnp.concatenate([jnp.where(active, forces, slacks), held]),
    )
