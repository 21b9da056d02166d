"""The values of params and data as arrays of the model's precision, checked for sense."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.check import CheckedModel, DataInfo, ParamInfo
from mlodsl.diagnostics import Diagnostic, Span

from .dependencies import order_of_params, visible_lets
from .evaluator import evaluate
from .lets import value_of_let
from .scope import Scope
from .values import Value, as_array


@dataclass(slots=True)
class Binding:
    """The arrays found, and what is wrong with those that weren't."""

    arrays: dict[str, Array] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def bind_data(checked: CheckedModel, given: Mapping[str, object], dtype: np.dtype) -> Binding:
    """The data as arrays: of the declared shape, every entry a number (not NaN)."""
    binding = Binding()
    for info in checked.data:
        span = info.node.name.span
        if info.name not in given:
            hint = f"give it with `--data {info.name}=PATH`, or `data={{…}}` in Python"
            message = f"no values for the data `{info.name}`"
            binding.diagnostics.append(Diagnostic("E604", message, span, hint))
            continue
        array = _as_numbers(given[info.name], dtype)
        problem = "is not an array of numbers" if array is None else _what_is_wrong(info, array)
        if array is None or problem is not None:
            code = "E603" if problem and problem.startswith("has shape") else "E601"
            message = f"the data `{info.name}` {problem}"
            binding.diagnostics.append(Diagnostic(code, message, span))
            continue
        binding.arrays[info.name] = jnp.asarray(array, dtype)
    return binding


def _what_is_wrong(info: DataInfo, array: np.ndarray | Array) -> str | None:
    expected = info.shape
    if expected is not None and tuple(expected) != array.shape:
        return f"has shape {_show(array.shape)}, expected {_show(expected)}"
    if isinstance(array, jax.core.Tracer):
        return None
    wrong = np.argwhere(np.isnan(array))
    if len(wrong):
        place = ", ".join(map(str, wrong[0]))
        return f"is not a number (nan) at [{place}], counted from 0"
    return None


def bind_params(
    checked: CheckedModel,
    given: Mapping[str, object],
    data: Mapping[str, Array],
    dtype: np.dtype,
    functions: Mapping[str, Callable[..., object]],
) -> Binding:
    """The real params as arrays: the caller's, or their expression's value.

    A param whose value names other params or lets follows them, in the right order.
    """
    binding = Binding()
    names: dict[str, Value] = {**checked.statics, **data}
    scope = Scope(names, dtype, checked.functions, checked.index_use, functions)
    params = {info.name: info for info in checked.params}
    lets = visible_lets(checked, None)
    for name in order_of_params(checked):
        if name in lets:
            names[name] = value_of_let(lets[name], scope)
        elif params[name].kind != "int":
            _bind_param(params[name], given, scope, binding)
            # A stand-in for a value that was refused: the others are still looked at.
            stand_in = jnp.zeros(_known_shape(params[name]), dtype)
            names[name] = binding.arrays.get(name, stand_in)
    return binding


def _bind_param(
    info: ParamInfo, given: Mapping[str, object], scope: Scope, binding: Binding
) -> None:
    span = info.node.name.span if info.value is None else info.value.span

    def refuse(code: str, message: str, hint: str | None = None, place: Span = span) -> None:
        binding.diagnostics.append(Diagnostic(code, message, place, hint))

    if info.name in given:
        array = _as_numbers(given[info.name], scope.dtype)
    elif info.value is not None:
        array = as_array(evaluate(info.value, scope), scope.dtype)
    else:
        hint = f"give it with `--set {info.name}=…`, or `params={{…}}` in Python"
        return refuse("E604", f"no value for the param `{info.name}`", hint)
    if array is None:
        return refuse("E606", f"the param `{info.name}` is not a number or an array of numbers")
    try:
        array = jnp.asarray(array, scope.dtype)
        if info.shape is not None:
            array = jnp.broadcast_to(array, _known_shape(info))
    except ValueError:
        assert info.shape is not None
        found, expected = _show(array.shape), _show(info.shape)
        return refuse("E606", f"the param `{info.name}` has shape {found}, expected {expected}")
    if not isinstance(array, jax.core.Tracer) and np.isnan(array).any():
        return refuse("E606", f"the param `{info.name}` is not a number (nan)")
    binding.arrays[info.name] = array
    return None


def _known_shape(info: ParamInfo) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else 1 for size in info.shape or ())


def _as_numbers(value: object, dtype: np.dtype) -> np.ndarray | Array | None:
    """A caller's value as an array of real numbers; None where it isn't one."""
    if isinstance(value, jax.Array):
        return None if jnp.issubdtype(value.dtype, jnp.complexfloating) else value
    try:
        array = np.asarray(value)
        return array.astype(dtype) if array.dtype.kind in "biuf" else None
    except (TypeError, ValueError):
        return None


def _show(shape: tuple[object, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
