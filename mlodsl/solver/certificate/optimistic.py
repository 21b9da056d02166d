"""Answers of a flat second level: the one of its many minima that suits the leader best.

Where the second of two levels has a valley of minima (a Polyak-Łojasiewicz level), ties break in
favour of the leader, and the leader's objective at the tie it likes best may still be smooth:
φ(x) = min f(x, y) over the minima y of g. Its gradient needs no unique response: it is the
limit of ∇φ_σ ("On Finding Small Hyper-Gradients in Bilevel Optimization", Lemma 4.3 and G.7).
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mlodsl.calculus import Game, choices, point_of
from mlodsl.modules import Problem
from mlodsl.strategies import FirstOrderBilevel, Point

from ..nest import Nest
from ..oracle import evaluate_top, objectives
from ..outcome import Outcome
from .lower import LowerLevel, read_lower_levels
from .names import name_of_entry, quote_choice

# Starts along and across the valley, in units of 1 + the size of the answer.
_SPREADS = (0.3, 1.0, 3.0, 10.0)

# How far along the valley's axes the second objective is looked at, in the same units.
_DISTANCES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_MOST_AXES = 8


def is_valley(problem: Problem, reads: list[LowerLevel]) -> bool:
    """Whether the model has two levels, the second one solved and flat in some directions."""
    if problem.number_of_levels != 2 or reads[0].curvature is None:
        return False
    curvature = reads[0].curvature
    small = float(np.finfo(reads[0].own.dtype).eps) ** 0.4
    flat = abs(curvature.smallest) <= curvature.floor
    return flat and curvature.spectrum is not None and reads[0].gradient_norm <= small


def select_tie(nest: Nest, optimistic: Nest, returned: Point) -> tuple[Point, list[LowerLevel]]:
    """The leader's favourite answer near the returned one, and the second level read there.

    Arguments:
        nest: the exact nest.
        optimistic: the nest of penalised minimisations that starts from the returned point.
    """
    zero = jnp.zeros((), returned.own.dtype)
    flat = point_of(nest.game.sizes, 1, choices(nest.game.sizes, 0, returned.flat)[1:])
    point = evaluate_top(optimistic, returned.own, flat, zero)
    answer = point_of(nest.game.sizes, 1, choices(nest.game.sizes, 0, point.flat)[1:])
    still = eqx.tree_at(lambda n: n.frozen, nest, jnp.array([False, True]))
    held = evaluate_top(still, returned.own, answer, zero)
    return point, read_lower_levels(still, held)


def valley_findings(
    problem: Problem,
    optimistic: Nest,
    point: Point,
    read: LowerLevel,
    tolerance: float,
    generator: np.random.Generator,
) -> list[str]:
    """What speaks against the selected tie, a sentence each; empty where nothing does.

    The penalised minimisations must have ended, the selection must be stationary for the leader
    along the valley, no other tie may suit him better, and the total gradient must not depend on
    the penalty.
    """
    name = f"level `{problem.level_names[1]}`"
    curvature = read.curvature
    if curvature is None or curvature.spectrum is None:
        return [f"{name}: its curvature could not be computed at the tie that suits best"]
    along = name_of_entry(problem, 1, curvature.axis)
    outcomes = np.asarray(point.outcomes)
    if np.any(outcomes >= Outcome.LIMIT) or not np.isfinite(float(point.value)):
        return [
            f"{name} is flat along `{along}`, and which of its answers suits level "
            f"`{problem.level_names[0]}` best has no bounded answer: bound the variables, or add a "
            "small cost"
        ]
    vectors = choices(problem.sizes, 0, point.flat)
    slope = np.asarray(_upper_slope(problem, *vectors))
    values, axes = curvature.spectrum
    if values[0] < -curvature.floor:
        return [f"{name} is at a saddle point along `{along}`"]
    valley = axes[:, values <= curvature.floor]
    eps = float(np.finfo(slope.dtype).eps)
    scale = 1 + float(np.linalg.norm(slope)) + float(abs(point.value))
    across = float(np.linalg.norm(valley.T @ slope))
    if not across <= eps ** (1 / 4) * scale:
        return [
            f"{name} is flat along `{along}`, and its answer is not the one of its ties that suits "
            f"level `{problem.level_names[0]}` best (slope {across:.3g} along them)"
        ]
    return [
        *_slope_findings(problem, point, valley),
        *_penalty_findings(problem, optimistic, point, tolerance),
        *_better_tie(problem, optimistic, point, valley, generator),
    ]


def _slope_findings(problem: Problem, point: Point, valley: np.ndarray) -> list[str]:
    """Whether the valley is the end of a slope that flattens out, which has no minimum.

    A slope rises on one side and not on the other, however far; a valley on both, or on neither.
    """
    own, answer = choices(problem.sizes, 0, point.flat)
    here = float(objectives(problem, (own, answer))[1])
    noise = float(np.finfo(np.asarray(own).dtype).eps) ** 0.5 * (1 + abs(here))
    size = 1 + float(np.linalg.norm(np.asarray(answer)))
    for axis in valley.T[:_MOST_AXES]:
        rises = []
        for sign in (1.0, -1.0):
            shifts = [sign * distance * size * axis for distance in _DISTANCES]
            values = [float(objectives(problem, (own, answer + shift))[1]) for shift in shifts]
            if min(values) < here - noise:
                return [
                    f"level `{problem.level_names[1]}` has a better answer further along "
                    f"`{name_of_entry(problem, 1, axis)}`; start it nearer to that"
                ]
            rises.append(max(values) > here + noise)
        if rises[0] != rises[1]:
            return [
                f"level `{problem.level_names[1]}` flattens out along "
                f"`{name_of_entry(problem, 1, axis)}` on one side alone; it may have no best "
                "answer: add a small cost on that direction"
            ]
    return []


def _penalty_findings(
    problem: Problem, optimistic: Nest, point: Point, tolerance: float
) -> list[str]:
    """Whether half the penalty's σ gives another total gradient."""
    strategy = optimistic.strategy
    assert isinstance(strategy, FirstOrderBilevel)
    halved = eqx.tree_at(lambda n: n.strategy.sigma, optimistic, strategy.sigma / 2)
    zero = jnp.zeros((), point.own.dtype)
    below = point_of(problem.sizes, 1, choices(problem.sizes, 0, point.flat)[1:])
    other = evaluate_top(halved, point.own, below, zero)
    change = float(np.linalg.norm(np.asarray(other.gradient) - np.asarray(point.gradient)))
    gradient_size = float(np.linalg.norm(np.asarray(point.gradient)))
    if change <= max(10 * tolerance, 0.1 * gradient_size):
        return []
    return [
        f"the total gradient at the tie that suits best is known only to {change:.3g}; the "
        "response may be degenerate or change there by leaps"
    ]


def _better_tie(
    problem: Problem,
    optimistic: Nest,
    point: Point,
    valley: np.ndarray,
    generator: np.random.Generator,
) -> list[str]:
    """Whether the penalised minimisations find a better tie from elsewhere in the valley."""
    own, answer = (np.asarray(vector) for vector in choices(problem.sizes, 0, point.flat))
    here = np.asarray(objectives(problem, (jnp.asarray(own), jnp.asarray(answer))))
    noise = float(np.finfo(own.dtype).eps) ** 0.4 * (1 + np.abs(here))
    zero = jnp.zeros((), point.own.dtype)
    for spread in _SPREADS:
        draw = generator.standard_normal(answer.size)
        inside = valley @ (valley.T @ draw)
        for direction in (inside, -inside, draw, -draw):
            length = float(np.linalg.norm(direction)) or 1.0
            shift = spread * (1 + float(np.linalg.norm(answer))) * direction / length
            start = jnp.asarray((answer + shift).astype(answer.dtype))
            trial = evaluate_top(optimistic, point.own, start, zero)
            if np.any(np.asarray(trial.outcomes) >= Outcome.LIMIT):
                continue
            found = choices(problem.sizes, 0, trial.flat)
            there = np.asarray(objectives(problem, found))
            if there[1] < here[1] - noise[1] or (
                there[1] <= here[1] + noise[1] and there[0] < here[0] - noise[0]
            ):
                where = quote_choice(problem, 1, np.asarray(found[1]))
                whose = (
                    "itself"
                    if there[1] < here[1] - noise[1]
                    else (f"level `{problem.level_names[0]}`, in whose favour ties break")
                )
                return [
                    f"level `{problem.level_names[1]}` has a better answer for {whose}: {where}; "
                    "start it nearer to that with `var … = …`"
                ]
    return []


@eqx.filter_jit
def _upper_slope(
    game: Game, own: Float[Array, " own"], answer: Float[Array, " below"]
) -> Float[Array, " below"]:
    """∇_y f."""
    return jax.grad(lambda y: game.objective(0, (own, y)))(answer)
