"""What `mlodsl plot` draws: a result, a trace or a comparison, told apart by content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlodsl.diagnostics import ModelError

from .inputs import wrong_value

if TYPE_CHECKING:
    from mlodsl.report import Drawing

_STEP = ("step", "seconds", "objective", "hypergradient_norm")


def read_drawable(place: str, path: str) -> dict[str, Any] | list[dict[str, Any]]:
    """The content of a file: an object for a result or a comparison, a list of steps for a trace.

    Arguments:
        place: what diagnostics name as the place, a flag or a word.

    Raises:
        ModelError: E706, it can't be read or is neither of them.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not a text"
        raise _refusal(place, path, f"it cannot be read: {reason}") from None
    content = _parse(text)
    if isinstance(content, dict) and ("variables" in content or "comparison" in content):
        return content
    return _read_steps(place, path, text)


def _parse(text: str) -> Any:
    """The value of a JSON text; None where it is none, or several."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _read_steps(place: str, path: str, text: str) -> list[dict[str, Any]]:
    lines = text.splitlines()
    first = _parse(lines[0]) if lines else None
    if not (isinstance(first, dict) and "step" in first):
        message = "it is no result, no trace and no comparison"
        raise _refusal(place, path, message)
    steps = []
    for number, line in enumerate(lines, start=1):
        step = _parse(line)
        if not isinstance(step, dict):
            raise _refusal(place, path, f"line {number} is not JSON")
        _verify_step(place, path, f"line {number}", step)
        steps.append(step)
    return steps


def _verify_step(place: str, path: str, where: str, step: object) -> None:
    for key in _STEP:
        value = step.get(key) if isinstance(step, dict) else None
        if value is None or _array(value).shape != ():
            raise _refusal(place, path, f"{where} holds no number `{key}`")


def _array(value: object) -> np.ndarray:
    """An array of numbers; of shape (0,) where the value is none."""
    try:
        return np.asarray(value, float)
    except (TypeError, ValueError):
        return np.zeros(0)


def drawing_of(
    place: str, path: str, content: dict[str, Any] | list[dict[str, Any]], trace: list[Any]
) -> Drawing:
    """The picture of what `read_drawable` read.

    Arguments:
        trace: steps to draw below a result; empty: none.

    Raises:
        ModelError: E706, a part of it is damaged.
    """
    from mlodsl.report import comparison_drawing, curve_of_steps, result_drawing, trace_drawing

    if isinstance(content, list):
        return trace_drawing(curve_of_steps(Path(path).name, content))
    try:
        if "comparison" in content:
            return comparison_drawing(content)
        variables = _variables(place, path, content)
        curve = curve_of_steps("its trace", trace) if trace else None
        return result_drawing(content, variables, curve)
    except ModelError:
        raise
    except KeyError as problem:
        raise _refusal(place, path, f"it has no `{problem.args[0]}`") from None
    except (TypeError, ValueError, AttributeError) as problem:
        raise _refusal(place, path, f"it is damaged: {problem}") from None


def _variables(place: str, path: str, content: Mapping[str, Any]) -> dict[str, np.ndarray]:
    variables = content["variables"]
    if not isinstance(variables, dict) or not variables:
        raise _refusal(place, path, "it holds no `variables`")
    found = {name: _array(value) for name, value in variables.items()}
    for name, value in found.items():
        if value.size == 0:
            raise _refusal(place, path, f"`{name}` is not an array of numbers")
    return found


def _refusal(place: str, path: str, message: str) -> ModelError:
    hint = "give a file that `mlodsl solve` or `mlodsl compare` wrote with `--out` or `--trace`"
    text = f"`{path}` cannot be drawn: {message}"
    return ModelError([wrong_value(place, path, text, hint, code="E706")])
