"""The result file: a solution as JSON, format 1 of the interface contract."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlodsl.solver import Certificate, Solution

from .versions import versions

FORMAT = 1


def result_dict(solution: Solution, model: str) -> dict[str, Any]:
    """A solution as the result file holds it.

    Arguments:
        solution: what `solve` returned.
        model: the model's name.

    Returns:
        Dicts, lists, strings, numbers, truth values and None alone: `json.dumps` takes it as it
        is. Numbers that aren't finite are the strings `nan`, `inf`, `-inf`; what was not
        computed is None.
    """
    strategy = solution.strategy
    found: dict[str, Any] = plain(
        {
            "format": FORMAT,
            "model": model,
            "status": str(solution.status),
            "message": solution.message,
            "strategy": {
                "name": strategy.name,
                "chosen_by": strategy.chosen_by,
                "reason": strategy.reason,
                "options": strategy.options,
            },
            "params": solution.params,
            "variables": solution.variables,
            "objectives": solution.objectives,
            "certificate": _certificate(solution.certificate),
            "local_solutions": [
                {"objective": one.objective, "variables": one.variables}
                for one in solution.local_solutions
            ],
            "steps": solution.steps,
            "evaluations": solution.evaluations,
            "products": solution.products,
            "seconds": {name: round(value, 6) for name, value in solution.seconds.items()},
            "seed": solution.seed,
            "versions": versions(),
            "device": solution.device,
            "devices": solution.devices,
        }
    )
    return found


def _certificate(certificate: Certificate) -> dict[str, object]:
    return {
        "claim": certificate.claim,
        "hypergradient_norm": certificate.hypergradient_norm,
        "levels": {
            name: {
                "gradient_norm": level.gradient_norm,
                "min_curvature": level.min_curvature,
                "unique": level.unique,
                "direction": level.direction,
                "distance": level.distance,
                "gap": level.gap,
                "complementarity": level.complementarity,
                "strictly_complementary": level.strict,
                "multipliers": level.multipliers,
                "errors": {
                    "gradient_norm": level.errors.gradient_norm,
                    "min_curvature": level.errors.min_curvature,
                    "gap": level.errors.gap,
                },
            }
            for name, level in certificate.levels.items()
        },
        "constraint_violation": certificate.constraint_violation,
        "checked_against": certificate.checked_against,
        "relative_error": certificate.relative_error,
        "difference_norm": certificate.difference_norm,
        "rounding": certificate.rounding,
        "errors": {
            "hypergradient_norm": certificate.rounding,
            "difference_norm": certificate.difference_error,
        },
        "response_error": certificate.response_error,
        "starts": certificate.starts,
        "findings": certificate.findings,
    }


def plain(value: Any) -> Any:
    """A value as plain JSON: arrays as nested lists, numbers that aren't finite as strings."""
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return _number(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            array = np.asarray(value)
            items = array.tolist()
            return items if np.isfinite(array).all() else plain(items)


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"


def result_text(result: Mapping[str, Any], *, ascii_only: bool = False) -> str:
    """A result, or any plain JSON object, as text: a line for each entry, arrays on one line."""
    return _lines(result, "", ascii_only) + "\n"


def _lines(value: Any, indent: str, ascii_only: bool) -> str:
    if not isinstance(value, Mapping) or not value:
        return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    deeper = indent + "  "
    entries = [
        f"{deeper}{json.dumps(key, ensure_ascii=ascii_only)}: {_lines(item, deeper, ascii_only)}"
        for key, item in value.items()
    ]
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
