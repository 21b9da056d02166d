"""Reads the point of a result file that `mlodsl solve --out` wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlodsl.diagnostics import Diagnostic, ModelError, did_you_mean

from .inputs import wrong_value
from .point import outside_of_domains

if TYPE_CHECKING:
    from mlodsl.modules import Problem


def read_variables(flag: str, path: str) -> dict[str, object]:
    """The variables of a result file as they stand there.

    Raises:
        ModelError: E706, it can't be read, or is no result.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise _refusal(flag, path, f"it cannot be read: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        raise _refusal(flag, path, f"it is not JSON: {problem}") from None
    variables = content.get("variables") if isinstance(content, dict) else None
    if not isinstance(variables, dict):
        raise _refusal(flag, path, "it holds no `variables`")
    return variables


def point_of_result(
    problem: Problem, flag: str, path: str, variables: dict[str, object]
) -> dict[str, np.ndarray]:
    """The variables as arrays of the model's shapes.

    Raises:
        ModelError: E706 for each variable that is missing, unknown, or of another shape.
    """
    shapes = {
        item.name: item.shape for layout in problem.structure.levels for item in layout.variables
    }
    wrong: list[Diagnostic] = []
    found: dict[str, np.ndarray] = {}
    for name in variables.keys() - shapes.keys():
        hint = did_you_mean(name, shapes)
        wrong += _refusal(flag, path, f"the model has no variable `{name}`", hint).diagnostics
    for name, shape in shapes.items():
        if name not in variables:
            wrong += _refusal(flag, path, f"it has no variable `{name}`").diagnostics
            continue
        try:
            array = np.asarray(variables[name], float)
        except (TypeError, ValueError):
            array = np.asarray(float("nan"))
        if not np.isfinite(array).all():
            wrong += _refusal(flag, path, f"`{name}` is not an array of numbers").diagnostics
        elif array.shape != shape:
            sizes = [", ".join(map(str, size)) for size in (array.shape, shape)]
            message = f"`{name}` has shape [{sizes[0]}], in the model [{sizes[1]}]"
            wrong += _refusal(flag, path, message).diagnostics
        else:
            found[name] = array
    if not wrong:
        for message in outside_of_domains(problem, found).values():
            wrong += _refusal(flag, path, message).diagnostics
    if wrong:
        raise ModelError(wrong)
    return found


def _refusal(flag: str, path: str, message: str, hint: str | None = None) -> ModelError:
    text = f"`{path}` is not a result of this model: {message}"
    return ModelError([wrong_value(flag, path, text, hint, code="E706")])
