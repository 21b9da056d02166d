"""From a checked model, params and data to a `Problem`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import jax
import numpy as np

from mlodsl.check import CheckedModel
from mlodsl.diagnostics import Diagnostic, ModelError, Span, did_you_mean
from mlodsl.syntax import nodes

from .binding import bind_data, bind_params
from .dependencies import needs, params_that_follow
from .evaluator import evaluate
from .lets import let_key
from .problem import Problem
from .refusals import refuse_features
from .structure import structure_of
from .values import as_array


def build(
    checked: CheckedModel,
    params: Mapping[str, object],
    data: Mapping[str, object],
    functions: Mapping[str, Callable[..., object]],
    dtype: np.dtype | type | str,
) -> Problem:
    """The compiled model.

    Arguments:
        checked: the model, its shapes all known.
        params: arrays that the Python caller gives in place of params' expressions.
        data: the arrays of all data.
        functions: the Python caller's functions; they get and return JAX arrays.
        dtype: the precision of everything, float64 (inside `jax.enable_x64(True)`) or float32.

    Raises:
        ModelError: the model uses what can't be solved yet, a value is missing or isn't
            finite, a Python function fails, or an objective isn't a scalar.
    """
    _stop_at(refuse_features(checked))
    kind = np.dtype(dtype)
    given = frozenset(params) & {info.name for info in checked.params if info.kind != "int"}
    values = bind_data(checked, data, kind)
    _stop_at(values.diagnostics)
    constants = bind_params(checked, params, values.arrays, kind, functions)
    _stop_at(constants.diagnostics)
    structure = structure_of(checked, kind, dict(functions), given)
    problem = Problem(constants.arrays, values.arrays, {}, structure)
    _stop_at([*wrong_domains(problem), *_wrong_objectives(problem)])
    return problem


def with_params(problem: Problem, values: Mapping[str, object]) -> Problem:
    """The problem with other values of some real params; nothing is compiled again.

    A param that nobody gave an array and whose value names a changed one follows it. Pure
    and traceable. What `fold` computed is computed again.

    Raises:
        ModelError: the model has no such real param, or a value isn't a number of its shape.
    """
    structure = problem.structure
    _stop_at([_unknown(name, structure.checked) for name in values if name not in problem.params])
    following = params_that_follow(structure.checked, values.keys()) - structure.given
    kept = {name: value for name, value in problem.params.items() if name not in following}
    binding = bind_params(
        structure.checked, {**kept, **values}, problem.arrays, structure.dtype, structure.functions
    )
    _stop_at(binding.diagnostics)
    changed = Problem(binding.arrays, problem.data, {}, structure)
    return changed.fold() if problem.folded else changed


def names_that_vary(problem: Problem, changed: Collection[str]) -> frozenset[tuple[str, str]]:
    """The leaves that `with_params` gives another value, where some params change.

    Returns:
        For each `params` or `folded`, and its name there.
    """
    structure = problem.structure
    checked = structure.checked
    following = params_that_follow(checked, changed) - structure.given
    params = frozenset(changed) | following
    folded = {
        let_key(let)
        for level, lets in enumerate(structure.foldable)
        for let in lets
        if params & needs(checked, [let.value], level, player=let.player).names
    }
    return frozenset(
        {("params", name) for name in params & problem.params.keys()}
        | {("folded", name) for name in folded & problem.folded.keys()}
    )


def _unknown(name: str, checked: CheckedModel) -> Diagnostic:
    real = [info.name for info in checked.params if info.kind != "int"]
    if name in (info.name for info in checked.params):
        hint = "compile the model with it"
        return Diagnostic(
            "E606", f"`{name}` is a whole number: a new one compiles again", None, hint
        )
    return Diagnostic("E605", f"the model has no param `{name}`", None, did_you_mean(name, real))


def _stop_at(diagnostics: Sequence[Diagnostic]) -> None:
    if diagnostics:
        raise ModelError(diagnostics)


@partial(jax.jit, static_argnums=(2, 3))
def _objective(
    problem: Problem, vectors: tuple[jax.Array, ...], level: int, player: int
) -> jax.Array:
    """An objective whose trace JAX keeps: a second build of a text traces nothing anew."""
    return problem.objective(level, vectors, player)


def _wrong_objectives(problem: Problem) -> list[Diagnostic]:
    """What is wrong with the objectives, found by tracing each without computing it."""
    found: list[Diagnostic] = []
    dtype = problem.structure.dtype
    vectors = tuple(jax.ShapeDtypeStruct((size,), dtype) for size in problem.sizes)
    for level in range(problem.number_of_levels):
        for index, player in enumerate(problem.structure.players(level)):
            found += _wrong_objective(problem, vectors, level, index, player.objective.span)
    return found


def _wrong_objective(
    problem: Problem, vectors: tuple[object, ...], level: int, player: int, place: Span
) -> list[Diagnostic]:
    try:
        _objective.eval_shape(problem, vectors, level, player)
    except ModelError as error:
        return list(error.diagnostics)
    except RecursionError:
        hint = "compute parts of it in fewer steps"
        return [Diagnostic("E004", "functions call each other too deeply", place, hint)]
    except IndexError as error:
        return [Diagnostic("E206", str(error), place)]
    except (TypeError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        return [Diagnostic("E201", f"the objective has no value: {reason}", place)]
    return []


def wrong_domains(problem: Problem) -> list[Diagnostic]:
    """Domains that hold no point, as far as the values of params tell."""
    found: list[Diagnostic] = []
    for level in range(problem.number_of_levels):
        for player in problem.structure.players(level):
            for variable in player.variables:
                domain = variable.domain
                if domain is None or problem.moves(level, domain, player.name):
                    continue
                reason = _emptiness(problem, level, player.name, domain)
                if reason is not None:
                    message = f"the domain of `{variable.name}` is empty: {reason}"
                    found.append(Diagnostic("E401", message, domain.span))
    return found


def _emptiness(problem: Problem, level: int, player: str, domain: nodes.Domain) -> str | None:
    scope = problem.scope([domain], level, {}, player)
    if isinstance(domain, nodes.IntervalDomain):
        least, largest = (
            as_array(evaluate(bound, scope), scope.dtype)
            for bound in (domain.minimum, domain.maximum)
        )
        if _is_traced(least, largest):
            return None
        bounds = np.broadcast_arrays(np.asarray(least), np.asarray(largest))
        wrong = np.argwhere(~(bounds[0] <= bounds[1]))
        if len(wrong) == 0:
            return None
        low, high = (bound[tuple(wrong[0])] for bound in bounds)
        return f"its least value {low:g} isn't at most its largest, {high:g}"
    if domain.name.name == "ball":
        radius = as_array(evaluate(domain.arguments[0], scope), scope.dtype)
        if not _is_traced(radius) and not float(radius) >= 0:
            return f"its radius is {float(radius):g}"
    return None


def _is_traced(*arrays: jax.Array) -> bool:
    return any(isinstance(array, jax.core.Tracer) for array in arrays)
