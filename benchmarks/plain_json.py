"""Numbers as JSON holds them, and their text."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

_DIGITS = 6


def plain(value: Any) -> Any:
    """Numbers, lists and dicts as JSON holds them: rounded, NaN and infinities as None."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | np.ndarray():
            return [plain(item) for item in value]
        case str() | None:
            return value
        case bool() | np.bool_():
            return bool(value)
        case int() | np.integer():
            return int(value)
        case _:
            number = float(value)
            return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None


def text(value: Any, indent: str = "") -> str:
    """JSON, with each list of numbers on one line."""
    inner = indent + " "
    if isinstance(value, dict) and value:
        entries = [f"{json.dumps(key)}: {text(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner + entry for entry in entries) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = ",\n".join(inner + text(item, inner) for item in value)
        return f"[\n{items}\n{indent}]"
    return json.dumps(value, ensure_ascii=False)
