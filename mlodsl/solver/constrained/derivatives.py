"""Best responses, total gradients and solutions of models with constraints, as functions.

An answer is searched for on the host; that decides which constraints are active. What JAX
differentiates are the conditions with these held (`system.conditions`), by the implicit function
theorem. Under `jit` and `vmap` the search is a callback, one instance after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.modules import Problem
from mlodsl.settings import Settings

from ..differentiate import solve_linear
from ..run import Watch
from ..status import Status
from . import system
from .first_order import conditions
from .functions import Functions
from .kkt import Candidate
from .lowest import Effort
from .place import FORCE, SLACK
from .search import better_below, responses
from .solve import run_search
from .state import Response, Tools, in_favour
from .system import LevelShape, Vectors

_DIFFERENTIATING = ("auto", "implicit", "kkt")
_OF_RIVALS = 1e-6


def constrained_response(problem: Problem, above: Vectors, start: Vectors) -> Vectors:
    """The vectors of the levels below `above`, each at its best answer.

    Raises at run time where a level has none, or none that conditions hold at.
    """
    shape, w = _answer(problem, above, start)
    return system.choices(shape, w)


def constrained_hypergradient(
    problem: Problem, settings: Settings, own: Array, start: Vectors
) -> Array:
    """The total gradient of the top objective along the answers with the same active constraints.

    Raises:
        ModelError: the strategy isn't one that differentiates conditions, or several players
            are at the top.
    """
    name = settings.strategy.name
    if name not in _DIFFERENTIATING:
        message = f"`{name}` can't differentiate answers under constraints"
        raise ModelError([Diagnostic("E507", message, None, "use `implicit` or `auto`")])
    if problem.structure.checked.levels[0].has_players:
        message = "several players are at the top, each with an objective of his own"
        raise ModelError([Diagnostic("E507", message, None, "give one of them a level above")])

    return jax.grad(lambda own: constrained_value(problem, own, start))(own)


def constrained_value(problem: Problem, own: Array, start: Vectors) -> Array:
    """The top objective, as a minimisation, at the answer to the top level's choice."""
    if problem.number_of_levels == 1:
        return problem.objective(0, (own,))
    shape, w = _answer(problem, (own,), start)
    duals = system.duals_of(problem, shape, (own,), w)
    return problem.objective(0, (own, *system.choices(shape, w)), 0, duals)


def constrained_solution(problem: Problem, settings: Settings) -> Vectors:
    """The solution, a vector for each level, as a function of the problem's params.

    Raises at run time where the search doesn't converge.
    """
    vectors = problem.start(settings.seed)

    def solved(problem: Problem, above: Vectors, start: Vectors) -> tuple[np.ndarray, np.ndarray]:
        run = run_search(problem, settings, Watch(), everything=True)
        masks = run.best.piece
        if run.solution.status is not Status.CONVERGED or masks is None:
            raise RuntimeError(run.solution.message)
        functions = run.search.functions
        whole = Functions.between(problem, (), start)
        w = run.best.point
        if functions.place.own is not None:
            found = conditions(functions, run.search.rivals, w, masks, second=False)
            if found.of_rivals > _OF_RIVALS:
                raise RuntimeError(
                    f"level `{problem.level_names[0]}` stands where the answer below is about to "
                    "jump; there the solution has no derivative"
                )
            x, below = functions.place.split(w)
            w = np.concatenate([x, found.multipliers, below])
            values, _ = whole.at(w, masks)
            masks = (values[FORCE] > values[SLACK], *masks)
        return _exact(whole, Response(w, masks, holds=True))

    shape = system.shape_of(problem, 0, vectors, everything=True)
    assert shape is not None, "there is a level"
    w = _differentiable(problem, shape, (), vectors, solved)
    return system.choices(shape, w)


def _answer(problem: Problem, above: Vectors, start: Vectors) -> tuple[LevelShape, Array]:
    """The shape of the levels below `above`, and w at their best answer."""
    shape = system.shape_of(problem, len(above), (*above, *start), everything=True)
    assert shape is not None, "a level answers"
    return shape, _differentiable(problem, shape, above, start, _searched)


def _searched(problem: Problem, above: Vectors, start: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """The best answer and its masks, one after the other."""
    functions = Functions.between(problem, above, start)
    tools = Tools(np.random.default_rng(0))
    found = responses(functions, functions.start_below(), None, tools, Effort())
    if not found:
        name = problem.level_names[len(above)]
        raise RuntimeError(
            f"level `{name}` has no answer here that keeps its constraints; `mlodsl respond` says "
            "more"
        )
    best = in_favour(functions, found)[0]
    if functions.players_below > 1:
        candidate = Candidate(best.point, 0.0, best.piece, complete=True)
        if better_below(functions, candidate, tools, Effort())[1] is not None:
            name = problem.level_names[len(above)]
            raise RuntimeError(f"no equilibrium of level `{name}` was found here")
    return _exact(functions, best)


def _exact(functions: Functions, response: Response) -> tuple[np.ndarray, np.ndarray]:
    values, _, w = functions.follow(response.point, response.piece)
    if not np.all(np.isfinite(values)):
        level = functions.problem.level_names[len(functions.above)]
        raise RuntimeError(
            f"level `{level}` has an answer here at which its conditions don't hold with "
            "multipliers that are unique: it has no derivative"
        )
    return w, np.concatenate(response.piece)


def _differentiable(
    problem: Problem,
    shape: LevelShape,
    above: Vectors,
    start: Vectors,
    search: Callable[[Problem, Vectors, Vectors], tuple[np.ndarray, np.ndarray]],
) -> Array:
    """w as the search finds it, with its derivatives in the problem's leaves and in `above`."""
    arguments = jax.lax.stop_gradient(eqx.filter((problem, above, start), eqx.is_array))
    static = eqx.filter((problem, above, start), eqx.is_array, inverse=True)

    def on_host(arguments: Any) -> tuple[np.ndarray, np.ndarray]:
        held, leading, below = eqx.combine(jax.tree.map(jnp.asarray, arguments), static)
        numbers = (tuple(map(np.asarray, part)) for part in (leading, below))
        return search(held, *numbers)

    def called_back(words: Any) -> tuple[np.ndarray, np.ndarray]:
        with jax.enable_x64(True):
            w, flat = on_host(jax.tree.map(_from_words, words))
        return np.ascontiguousarray(w).view(np.uint32), flat

    counts = _pairs(shape)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(arguments)):
        kinds = (
            jax.ShapeDtypeStruct((2 * shape.unknowns,), np.uint32),
            jax.ShapeDtypeStruct((sum(counts),), np.bool_),
        )
        words = jax.tree.map(_to_words, arguments)
        found, flat = jax.pure_callback(called_back, kinds, words, vmap_method="sequential")
        w = jax.lax.bitcast_convert_type(found.reshape(-1, 2), jnp.float64)
    else:
        w, flat = map(jnp.asarray, on_host(arguments))
    masks = tuple(jnp.split(flat, np.cumsum(counts)[:-1]))

    def equations(w: Array) -> Array:
        return system.conditions(problem, shape, above, w, masks)[0]

    return jax.lax.custom_root(equations, w, lambda _, guess: guess, solve_linear)


def _pairs(shape: LevelShape) -> list[int]:
    """How many pairs each level has, from one down."""
    return [shape.pairs] + ([] if shape.below is None else _pairs(shape.below))


def _to_words(array: Array) -> Array:
    """float64 as pairs of 32 bits: a caller without 64-bit arithmetic would round it on the way."""
    return jax.lax.bitcast_convert_type(array, jnp.uint32) if _is_double(array) else array


def _from_words(array: Any) -> np.ndarray:
    words = np.ascontiguousarray(array)
    if words.dtype != np.uint32:
        return words
    return words.view(np.float64).reshape(words.shape[:-1])


def _is_double(array: Array) -> bool:
    return array.dtype == jnp.float64
