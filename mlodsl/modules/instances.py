"""Params' values for many instances at once: which of them vary, checked for sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from mlodsl.diagnostics import Diagnostic, ModelError, did_you_mean
from mlodsl.syntax import nodes

from .build import with_params, wrong_domains
from .evaluator import evaluate
from .problem import Problem
from .values import as_array


@dataclass(frozen=True, slots=True)
class Instances:
    """Instances of a problem that differ in params alone.

    Arguments:
        problem: with the values that all instances have in common.
        values: params that vary, by name: [count, *shape of the param].
    """

    problem: Problem
    values: dict[str, np.ndarray]

    @property
    def count(self) -> int:
        """How many instances there are."""
        return len(next(iter(self.values.values())))


def instances_of(problem: Problem, params: Mapping[str, object]) -> Instances:
    """The instances that params' values describe.

    Arguments:
        params: by name; an array with one axis more than the param has the instances along its
            first axis, any other value is that of all instances.

    Raises:
        ModelError: there is no such real param; a value isn't numbers of its shape; the axes of
            instances differ in length, are empty, or there is none; an instance has a domain
            without points, or a param whose value isn't a number.
    """
    checked = problem.structure.checked
    wrong: list[Diagnostic] = []
    common: dict[str, object] = {}
    values: dict[str, np.ndarray] = {}
    for name, given in params.items():
        if name not in problem.params:
            whole = any(info.name == name for info in checked.params)
            wrong.append(_static(name) if whole else _unknown(problem, name))
            continue
        found = _numbers(given, problem.structure.dtype)
        shape = problem.params[name].shape
        if found is None:
            message = f"the values of `{name}` are not numbers, or not arrays of equal shapes"
            wrong.append(Diagnostic("E606", message))
        elif found.ndim != len(shape) + 1:
            common[name] = found
        elif not _fits(found.shape[1:], shape):
            shapes = f"has shape {_show(found.shape[1:])}, expected {_show(shape)}"
            wrong.append(Diagnostic("E606", f"each instance of `{name}` {shapes}"))
        else:
            values[name] = np.broadcast_to(found, (len(found), *shape))
    wrong = wrong or _wrong_counts(values) or _wrong_numbers(values)
    if wrong:
        raise ModelError(wrong)
    found_instances = Instances(with_params(problem, common) if common else problem, values)
    _verify(found_instances)
    return found_instances


def instance(instances: Instances, index: int) -> Problem:
    """One of the instances."""
    one = {name: value[index] for name, value in instances.values.items()}
    return with_params(instances.problem, one)


def _static(name: str) -> Diagnostic:
    message = f"`{name}` is a whole number, which sets sizes: its values can't share compiled code"
    hint = f'loop over its values with `mlodsl.compile(…, params={{"{name}": value}})`'
    return Diagnostic("E606", message, None, hint)


def _unknown(problem: Problem, name: str) -> Diagnostic:
    hint = did_you_mean(name, problem.params)
    return Diagnostic("E605", f"the model has no param `{name}`", None, hint)


def _numbers(given: object, dtype: np.dtype) -> np.ndarray | None:
    try:
        found = np.asarray(given)
    except (TypeError, ValueError):
        return None
    return found.astype(dtype) if found.dtype.kind in "biuf" else None


def _fits(found: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(found, shape) == shape
    except ValueError:
        return False


def _show(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _wrong_counts(values: Mapping[str, np.ndarray]) -> list[Diagnostic]:
    counts = {name: len(value) for name, value in values.items()}
    if not counts:
        message = "no param has an axis of instances: nothing varies"
        hint = 'give an array with one value for each, e.g. `params={"c": [1.0, 2.0]}`'
        return [Diagnostic("E606", message, None, hint)]
    told = ", ".join(f"`{name}` has {count}" for name, count in counts.items())
    if len(set(counts.values())) > 1:
        message = f"the params differ in how many instances they have: {told}"
        return [Diagnostic("E606", message, None, "give arrays of one length")]
    if 0 in counts.values():
        message = f"there are no instances: {told}"
        return [Diagnostic("E606", message, None, "give at least one value")]
    return []


def _wrong_numbers(values: Mapping[str, np.ndarray]) -> list[Diagnostic]:
    return [
        Diagnostic("E606", f"the param `{name}` is not a number (nan) in instance {place[0][0]}")
        for name, value in values.items()
        if len(place := np.argwhere(np.isnan(value)))
    ]


def _verify(instances: Instances) -> None:
    """Raises what the compilation of the first wrong instance alone would raise."""
    right = np.asarray(_is_right(instances.problem, dict(instances.values)))
    for index in np.flatnonzero(~right):
        one = instance(instances, int(index))
        wrong = [
            Diagnostic("E606", f"the param `{name}` is not a number (nan) in instance {index}")
            for name, value in one.params.items()
            if np.isnan(value).any()
        ]
        raise ModelError(wrong or wrong_domains(one))


@eqx.filter_jit
def _is_right(problem: Problem, values: dict[str, Any]) -> Bool[Array, " instances"]:
    """For each instance whether its params are numbers and its domains hold points."""

    def of_instance(values: dict[str, Array]) -> Bool[Array, ""]:
        one = with_params(problem, values)
        right = jnp.array(True)
        for param in one.params.values():
            right &= ~jnp.any(jnp.isnan(param))
        for level in range(one.number_of_levels):
            for player in one.structure.players(level):
                for variable in player.variables:
                    domain = variable.domain
                    if domain is not None and not one.moves(level, domain, player.name):
                        right &= _holds_points(one, level, player.name, domain)
        return right

    return jax.vmap(of_instance)(values)


def _holds_points(
    problem: Problem, level: int, player: str, domain: nodes.Domain
) -> Bool[Array, ""]:
    scope = problem.scope([domain], level, {}, player)
    if isinstance(domain, nodes.IntervalDomain):
        least, largest = (
            as_array(evaluate(bound, scope), scope.dtype)
            for bound in (domain.minimum, domain.maximum)
        )
        return jnp.all(least <= largest)
    if domain.name.name == "ball":
        return as_array(evaluate(domain.arguments[0], scope), scope.dtype) >= 0
    return jnp.array(True)
