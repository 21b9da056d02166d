"""The vectors of levels whose variables a caller gives by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.diagnostics import Diagnostic, ModelError, did_you_mean

from .layout import LevelLayout
from .problem import Problem


def leading_vectors(
    problem: Problem, choices: Mapping[str, Any], levels: int | None = None
) -> tuple[Array, ...]:
    """The vectors of the leading levels whose variables are all given.

    Arguments:
        choices: values by name; numbers, arrays of NumPy or of JAX, tracers among them.
        levels: how many levels may be given, all of them if None.

    Raises:
        ModelError: E604, E605, E606: a value is missing, of no variable, or no fitting array.
    """
    structure = problem.structure
    layouts = structure.levels[:levels]
    given, missing = [], []
    for layout in layouts:
        missing = [item.name for item in layout.variables if item.name not in choices]
        if missing:
            break
        given.append(layout)
    count = sum(len(layout.variables) for layout in given)
    wrong = [] if count == len(choices) else _wrong_names(layouts, choices)
    late = len(choices) - count - len(wrong)
    for layout in given:
        wrong += _wrong_values(layout, choices)
    if missing and (late or not given):
        names = ", ".join(f"`{name}`" for name in missing)
        wrong.append(Diagnostic("E604", f"a value is missing for {names}"))
    if wrong:
        raise ModelError(wrong)
    return tuple(layout.gather(choices, structure.dtype) for layout in given)


def _wrong_names(layouts: Sequence[LevelLayout], choices: Mapping[str, Any]) -> list[Diagnostic]:
    known = [variable.name for layout in layouts for variable in layout.variables]
    return [
        Diagnostic(
            "E605", f"there is no variable `{name}` to give here", None, did_you_mean(name, known)
        )
        for name in choices
        if name not in known
    ]


def _wrong_values(layout: LevelLayout, choices: Mapping[str, Any]) -> list[Diagnostic]:
    found = []
    for item in layout.variables:
        value = _as_array(choices[item.name])
        if value is None:
            message = f"the value of `{item.name}` is not a number or an array of numbers"
            found.append(Diagnostic("E606", message))
        elif not _fits(value.shape, item.shape):
            message = (
                f"`{item.name}` has shape {item.shape}, but a value of shape {value.shape} is given"
            )
            found.append(Diagnostic("E606", message))
    return found


def _as_array(value: Any) -> np.ndarray | Array | None:
    """The value as an array of real numbers; None where it is none."""
    try:
        if isinstance(value, (float, int)):
            return np.asarray(value, float)
        array = value if isinstance(value, (np.ndarray, Array)) else jnp.asarray(value)
    except (TypeError, ValueError, OverflowError):
        return None
    kinds = (jnp.floating, jnp.integer, jnp.bool_)
    return array if any(jnp.issubdtype(array.dtype, kind) for kind in kinds) else None


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    if shape == wanted:
        return True
    try:
        return bool(jnp.broadcast_shapes(shape, wanted) == wanted)
    except ValueError:
        return False
