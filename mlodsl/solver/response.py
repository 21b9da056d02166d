"""Best responses, total gradients and solutions as pure functions of params and choices.

They go through `jit`, `vmap` and `grad`. Where a level can't be solved they raise at run time
(set EQX_ON_ERROR=nan to get NaN instead).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from mlodsl.calculus import Vectors, choices, operators, point_of, reduced_spectrum, split
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.strategies import Point

from .certificate.certify import lower_findings
from .certificate.lower import certify_lower_level, read_lower_levels
from .certificate.restarts import search_better_responses
from .choose import choose_strategy
from .compiling import is_traced
from .constrained import (
    constrained_hypergradient,
    constrained_report,
    constrained_response,
    constrained_solution,
    is_constrained,
)
from .differentiate import differentiable_point
from .goals import residual
from .kept import Kept
from .level import run_level
from .nest import Nest
from .oracle import evaluate_top, total_gradient
from .outcome import Outcome
from .plan import plan_nest, top_tolerance
from .readings import objectives, stationarity
from .rules import EXACT
from .solution import ResponseReport, answering_variables, as_written

Checked = TypeVar("Checked")

_LIMIT = int(Outcome.LIMIT)

# How often a better answer is gone on from, and how long one is looked for.
_MOST_RESTARTS = 4
_RESTART_SECONDS = 2.0

# Above this size of the top level `solution` looks at first-order conditions alone.
_SECOND_ORDER = 64


def best_response(problem: Problem, above: Vectors, start: Vectors) -> Vectors:
    """The vectors of the levels below `above`, each at its best response.

    Arguments:
        above: the choices of the leading levels; at least one, at most all but one.
        start: where the levels below start, one vector each. Derivatives with respect to it
            are zero.
    """
    if is_constrained(problem):
        return constrained_response(problem, above, start)
    level = len(above)
    point = _answer(problem, above, start)
    flat = _flat_at(problem, level, point)
    flat = _verified(problem, level, flat, _outcomes(problem, above, flat, point.outcomes), above)
    flat = differentiable_point(problem, level, above, flat, constrained=False)
    return choices(problem.sizes, level, flat)


def best_response_report(problem: Problem, above: Vectors, start: Vectors) -> ResponseReport:
    """As `best_response`, outside of transformations, with what is known of the answer.

    The best answer is looked for from other starts too.
    """
    if is_constrained(problem):
        return constrained_report(problem, above, start)
    level = len(above)
    nest = plan_nest(problem, Settings(), EXACT)
    generator = np.random.default_rng(0)
    for _ in range(_MOST_RESTARTS):
        point = _answer(problem, above, start)
        everyone = read_lower_levels(nest, point)
        reads = [read for read in everyone if read.level >= level]
        findings = lower_findings(problem, reads, np.asarray(point.outcomes))
        if findings:
            break
        search = search_better_responses(
            nest, problem, point, everyone, generator, seconds=_RESTART_SECONDS, first=level
        )
        better = min(search.better, key=lambda one: one.level, default=None)
        if better is None or better.unbounded:
            break
        found = list(choices(problem.sizes, 0, point.flat))[level:]
        found[better.level - level] = jnp.asarray(better.own)
        start = tuple(found)
    vectors = choices(problem.sizes, 0, point.flat)
    return ResponseReport(
        variables=answering_variables(problem, level, vectors),
        objectives=as_written(problem, np.asarray(objectives(problem, vectors))),
        levels={
            problem.level_names[read.level]: certify_lower_level(problem, read) for read in reads
        },
        findings=tuple(findings),
    )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What total gradients of a problem have in common."""

    nest: Nest
    guess: Float[Array, " below"]
    tolerance: Float[Array, ""]


_prepared: Kept[_Prepared] = Kept()


def hypergradient(problem: Problem, settings: Settings, own: Float[Array, " own"]) -> Array:
    """The total gradient of the top objective, as a minimisation, by the settings' strategy.

    The strategy is chosen, and the levels are planned, once for a problem and settings.
    """
    found = _prepared.find(problem, settings)
    if found is None:
        if is_constrained(problem):
            problem = problem.fold()
            start = problem.start(settings.seed)
            return constrained_hypergradient(problem, settings, jnp.asarray(own), start[1:])
        # Another object than the problem: what is kept for that mustn't hold it.
        found = _prepare(problem.fold().replaced(), settings)
        if not is_traced(problem, found.guess):
            _prepared.keep(problem, found, settings)
    gradient, outcomes = total_gradient(found.nest, own, found.guess, found.tolerance)
    if not is_traced(outcomes) and max(np.asarray(outcomes).tolist()) < _LIMIT:
        return gradient
    return _verified(problem, 1, gradient, outcomes, (own,))


def _prepare(problem: Problem, settings: Settings) -> _Prepared:
    start = problem.start(settings.seed)
    nest = plan_nest(problem, settings, choose_strategy(problem, settings).built)
    dtype = start[0].dtype
    guess = jnp.zeros(0, dtype) if len(start) == 1 else point_of(problem.sizes, 1, start[1:])
    return _Prepared(nest, guess, jnp.asarray(top_tolerance(problem, settings), dtype))


def solution(problem: Problem, settings: Settings) -> Vectors:
    """The solution, a vector for each level, as a function of the problem's params.

    The whole solve is one compiled loop; with constraints a search on the host. Raises at run time
    where a level can't be solved or the top level stands at no minimum of its own problem.
    """
    if is_constrained(problem):
        return constrained_solution(problem, settings)
    vectors, outcomes, unsolved = _compiled_solution(problem, settings)
    vectors = _verified(problem, 1, vectors, outcomes)
    message = (
        f"level `{problem.level_names[0]}` could not be solved to a minimum of its own; "
        "`model.solve()` says what is wrong"
    )
    if is_traced(unsolved):
        checked: Vectors = eqx.error_if(vectors, unsolved, message)
        return checked
    if bool(unsolved):
        raise RuntimeError(message)
    return vectors


@eqx.filter_jit
def _compiled_solution(
    problem: Problem, settings: Settings
) -> tuple[Vectors, Int[Array, " levels"], Bool[Array, ""]]:
    """The vectors, how the solve of each level ended, and whether the top one is unsolved."""
    nest = plan_nest(problem, settings, choose_strategy(problem, settings).built)
    tolerance = jnp.asarray(top_tolerance(problem, settings), problem.structure.dtype)
    start = jax.lax.stop_gradient(problem.start(settings.seed))
    fixed = jax.lax.stop_gradient(eqx.filter(nest, eqx.is_array))
    solving = eqx.combine(fixed, nest)
    final = run_level(solving, 0, (), point_of(problem.sizes, 0, start), tolerance)
    point = final.point
    polished = evaluate_top(
        solving, point.own, split(problem.sizes, 0, point.flat)[1], jnp.zeros_like(tolerance)
    )
    left = residual(solving, 0, polished)
    # A residual above the tolerance may be rounding, if it is small beside the gradient's parts.
    direct = jax.grad(lambda own: problem.objective(0, (own, *vectors[1:])))
    vectors = choices(problem.sizes, 0, polished.flat)
    parts = jnp.linalg.norm(direct(polished.own)) + 1
    eps = jnp.finfo(tolerance.dtype).eps
    failed = (final.outcome > int(Outcome.STALLED)) & (final.outcome != _LIMIT)
    unsolved = failed | ~(left <= jnp.maximum(tolerance, jnp.sqrt(eps) * parts))
    unsolved |= _is_no_minimum(solving, polished)
    constrained = nest.plans[0].constrained
    flat = differentiable_point(problem, 0, (), polished.flat, constrained=constrained)
    return choices(problem.sizes, 0, flat), polished.outcomes, unsolved


def _answer(problem: Problem, above: Vectors, start: Vectors) -> Point:
    """The evaluation of the top level with the levels in `above` held still."""
    level = len(above)
    nest: Nest = plan_nest(problem, Settings(), EXACT)
    still = jnp.array([0 < other < level for other in range(problem.number_of_levels)])
    nest = eqx.tree_at(lambda n: n.frozen, nest, still)
    flat = point_of(problem.sizes, 1, (*above[1:], *start))
    arguments = jax.lax.stop_gradient((eqx.filter(nest, eqx.is_array), above[0], flat))
    held = eqx.combine(arguments[0], nest)
    return evaluate_top(held, arguments[1], arguments[2], jnp.zeros((), flat.dtype))


def _flat_at(problem: Problem, level: int, point: Point) -> Float[Array, " flat"]:
    flat = point.flat
    for leading in range(level):
        flat = split(problem.sizes, leading, flat)[1]
    return flat


def _is_no_minimum(nest: Nest, point: Point) -> Bool[Array, ""]:
    """Whether the top level stands still at a maximum, a saddle, or where its gradient fades out.

    By its reduced Hessian; not looked at in a domain, or where the level is large.
    """
    size = point.own.size
    if nest.plans[0].constrained or size > _SECOND_ORDER:
        return jnp.array(False)
    place = nest.place(0, ())
    at = operators(place.game, 0, (), point.flat, point.below, place.plans)
    seen = reduced_spectrum(at.reduced, size, point.own.dtype)
    curved = seen.curvatures > seen.floor
    along = seen.axes.T @ point.gradient
    step = jnp.where(curved, along / jnp.where(curved, seen.curvatures, 1), 0)
    fades = jnp.linalg.norm(step) > 1e-3 * (1 + jnp.linalg.norm(point.own))
    return fades | (seen.curvatures[0] < -1e3 * seen.floor)


def _outcomes(
    problem: Problem,
    above: Vectors,
    flat: Float[Array, " flat"],
    outcomes: Int[Array, " levels"],
) -> Int[Array, " levels"]:
    """The outcomes, a level that stalled with a gradient far from zero counted as unsolved.

    Where it stalled at a kink, its gradient jumps over zero; elsewhere rounding is what stops it.
    """
    level = len(above)
    gradient = stationarity(problem, level, above, flat)
    values = objectives(problem, (*above, *choices(problem.sizes, level, flat)))
    for lower in range(level, problem.number_of_levels):
        size = problem.sizes[lower]
        rounding = jnp.finfo(gradient.dtype).eps ** 0.4 * (1 + jnp.abs(values[lower]))
        far = ~(jnp.linalg.norm(gradient[:size]) <= rounding)
        stalled = outcomes[lower] == int(Outcome.STALLED)
        outcomes = outcomes.at[lower].set(jnp.where(far & stalled, _LIMIT, outcomes[lower]))
        gradient = gradient[size + (gradient.size - size) // 2 :]
    return outcomes


def _verified(
    problem: Problem,
    level: int,
    value: Checked,
    outcomes: Int[Array, " levels"],
    above: Vectors = (),
) -> Checked:
    """The value, raising at run time where a level from `level` on could not be solved.

    Inside of a transformation of JAX the error is one of Equinox, outside of it a plain one.

    Arguments:
        above: what the leading levels choose, where that is given.

    Raises:
        RuntimeError: the lowest level that failed, and what to look at.
    """
    names = problem.level_names[level:]
    if not names:
        return value
    failed: Bool[Array, " levels"] = outcomes[level:] >= _LIMIT
    messages = [
        f"level `{name}` could not be solved here: it is unbounded, not finite, or needs another "
        "start; `mlodsl respond` says which"
        for name in names
    ]
    if not is_traced(outcomes):
        if not (known := np.asarray(failed)).any():
            return value
        for name, own in zip(problem.level_names, above, strict=False):
            if not (is_traced(own) or np.isfinite(np.asarray(own)).all()):
                raise RuntimeError(f"what level `{name}` chooses here is not a finite number")
        raise RuntimeError(messages[int(np.flatnonzero(known)[-1])])
    # The lowest level that failed: the others follow from it.
    last = jax.lax.argmax(failed[::-1], 0, jnp.int32)
    index = jnp.asarray(len(names) - 1, jnp.int32) - last
    checked: Checked = eqx.branched_error_if(value, jnp.any(failed), index, messages)
    return checked
