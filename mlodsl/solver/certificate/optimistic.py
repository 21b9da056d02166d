"""Answers of a flat second level: the one of its many minima that suits the leader best.

Where the second of two levels has a valley of minima (a Polyak-Łojasiewicz level), ties break in
favour of the leader, and the leader's objective at the tie it likes best may still be smooth:
φ(x) = min f(x, y) over the minima y of g. Its gradient needs no unique response: it is the
limit of ∇φ_σ ("On Finding Small Hyper-Gradients in Bilevel Optimization", Lemma 4.3 and G.7).
"""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from mlodsl.calculus import Game, Vectors, choices, point_of
from mlodsl.modules import Problem
from mlodsl.strategies import FirstOrderBilevel, Point

from ..lanes import joined
from ..nest import Nest
from ..oracle import evaluate_top
from ..outcome import Outcome
from ..readings import objectives
from .lower import LowerLevel, read_lower_levels
from .names import name_of_entry, quote_choice
from .norms import eps_of

# Starts along and across the valley, in units of 1 + the size of the answer.
_SPREADS = (0.3, 1.0, 3.0, 10.0)
_RANDOM_LINES = 4
_LINE = tuple(np.geomspace(1e-4, 30.0, 28))

# How far along the valley's axes the second objective is looked at, in the same units.
_DISTANCES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_MOST_AXES = 8


def is_valley(problem: Problem, reads: list[LowerLevel]) -> bool:
    """Whether the model has two levels, the second one solved and flat in some directions."""
    if problem.number_of_levels != 2 or reads[0].curvature is None:
        return False
    curvature = reads[0].curvature
    small = eps_of(reads[0].own) ** 0.4
    flat = abs(curvature.smallest) <= curvature.floor
    return flat and curvature.spectrum is not None and reads[0].gradient_norm <= small


def select_tie(nest: Nest, optimistic: Nest, returned: Point) -> tuple[Point, list[LowerLevel]]:
    """The leader's favourite answer near the returned one, and the second level read there.

    Arguments:
        nest: the exact nest.
        optimistic: the nest of penalised minimisations that starts from the returned point.
    """
    zero = np.zeros((), returned.own.dtype)
    flat = point_of(nest.game.sizes, 1, choices(nest.game.sizes, 0, returned.flat)[1:])
    point = evaluate_top(optimistic, returned.own, flat, zero)
    answer = point_of(nest.game.sizes, 1, choices(nest.game.sizes, 0, point.flat)[1:])
    still = eqx.tree_at(lambda n: n.frozen, nest, np.array([False, True]))
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
    if not valley.size:
        return [
            f"{name} is flat along `{along}` at one answer and not at another near by: its minimum "
            "is degenerate, and its response has no derivative"
        ]
    across = _norm(valley.T @ slope)
    if not across <= _stationary(problem, optimistic, vectors, slope, valley):
        return [
            f"{name} is flat along `{along}`, and its answer is not the one of its ties that suits "
            f"level `{problem.level_names[0]}` best (slope {across:.3g} along them)"
        ]
    return [
        *_slope_findings(problem, point, valley),
        *_penalty_findings(problem, optimistic, point, tolerance),
        *_better_tie(problem, optimistic, point, valley, slope, generator),
    ]


def _slope_findings(problem: Problem, point: Point, valley: np.ndarray) -> list[str]:
    """Whether the valley is the end of a slope that flattens out, which has no minimum.

    A slope rises on one side and not on the other, however far; a valley on both, or on neither.
    """
    own, answer = choices(problem.sizes, 0, point.flat)
    here = float(objectives(problem, (own, answer))[1])
    noise = eps_of(own) ** 0.5 * (1 + abs(here))
    size = 1 + _norm(np.asarray(answer))
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
    zero = np.zeros((), point.own.dtype)
    below = point_of(problem.sizes, 1, choices(problem.sizes, 0, point.flat)[1:])
    other = evaluate_top(halved, point.own, below, zero)
    change = _norm(np.asarray(other.gradient) - np.asarray(point.gradient))
    gradient_size = _norm(np.asarray(point.gradient))
    if change <= max(10 * tolerance, 0.1 * gradient_size):
        return []
    return [
        f"the total gradient at the tie that suits best is known only to {change:.3g}; the "
        "response may be degenerate or change there by leaps"
    ]


def _stationary(
    problem: Problem,
    optimistic: Nest,
    vectors: Vectors,
    slope: np.ndarray,
    valley: np.ndarray,
) -> float:
    """What a slope of the leader's objective along the valley may be at its best tie.

    The penalised minimisations are off by the order of σ, which the objective's curvature along
    the valley turns into a slope.
    """
    strategy = optimistic.strategy
    assert isinstance(strategy, FirstOrderBilevel)
    own, answer = vectors
    size = 1 + _norm(np.asarray(answer))
    step = 1e-2 * size
    bends = [
        _norm(np.asarray(_upper_slope(problem, own, answer + step * axis)) - slope)
        for axis in valley.T[:_MOST_AXES]
    ]
    rounding = 1e3 * eps_of(slope) * _norm(slope)
    return 100 * float(strategy.sigma) * (max(bends) / step * size + _norm(slope)) + rounding


def _norm(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))


def _better_tie(
    problem: Problem,
    optimistic: Nest,
    point: Point,
    valley: np.ndarray,
    slope: np.ndarray,
    generator: np.random.Generator,
) -> list[str]:
    """Whether another tie suits the leader better: along the valley, or from starts elsewhere.

    Along straight lines in the valley both objectives are looked at from close by to far off;
    the penalised minimisations start where the leader's has minima there, and at random.
    """
    own, answer = choices(problem.sizes, 0, point.flat)
    here = np.asarray(objectives(problem, (own, answer)))
    eps = eps_of(slope)
    size = 1 + _norm(np.asarray(answer))
    # The leader's objective is exact to its rounding and to that of the answer across the valley.
    noise = np.array(
        [1e3 * eps * abs(here[0]) + eps**0.6 * _norm(slope) * size, eps**0.4 * (1 + abs(here[1]))]
    )

    def is_better(there: np.ndarray) -> bool:
        tie = there[1] <= here[1] + noise[1] and there[0] < here[0] - noise[0]
        return bool(tie or there[1] < here[1] - noise[1])

    def sentence(found: np.ndarray) -> list[str]:
        return [
            f"level `{problem.level_names[1]}` has another answer, "
            f"{quote_choice(problem, 1, found)}, that is better for it, or as good and better for "
            f"level `{problem.level_names[0]}`, in whose favour ties break; start it nearer to "
            "that with `var … = …`"
        ]

    starts = []
    draws = valley @ generator.standard_normal((valley.shape[1], _RANDOM_LINES))
    lines = [*valley.T[:_MOST_AXES], *(draws / np.linalg.norm(draws, axis=0)).T]
    for line in lines:
        for sign in (1.0, -1.0):
            places = [np.asarray(answer) + sign * far * size * line for far in _LINE]
            values = np.array(
                [
                    np.asarray(objectives(problem, (own, place.astype(slope.dtype))))
                    for place in places
                ]
            )
            # On the valley to rounding: the second objective has not risen at all.
            flat = values[:, 1] <= here[1] + 1e3 * eps * (abs(here[1]) + eps)
            for place in np.flatnonzero(flat & (values[:, 0] < here[0] - noise[0])):
                return sentence(places[int(place)])
            inner = values[1:-1, 0]
            dips = np.flatnonzero((inner < values[:-2, 0]) & (inner <= values[2:, 0])) + 1
            starts += [places[int(dip)] for dip in dips[:2]]
    for spread in _SPREADS:
        draw = generator.standard_normal(slope.size)
        inside = valley @ (valley.T @ draw)
        for direction in (inside, -inside, draw, -draw):
            starts.append(np.asarray(answer) + spread * size * direction / _norm(direction))
    zero = np.zeros((), point.own.dtype)
    for start in starts:
        trial = evaluate_top(optimistic, point.own, start.astype(slope.dtype), zero)
        if np.any(np.asarray(trial.outcomes) >= Outcome.LIMIT):
            continue
        found = choices(problem.sizes, 0, trial.flat)
        if is_better(np.asarray(objectives(problem, found))):
            return sentence(np.asarray(found[1]))
    return []


@joined
def _upper_slope(
    game: Game, own: Float[Array, " own"], answer: Float[Array, " below"]
) -> Float[Array, " below"]:
    """∇_y f."""
    return jax.grad(lambda y: game.objective(0, (own, y)))(answer)
