"""The equations of a jaxpr, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def results_of(primitive: Any, operands: Sequence[Any], params: Mapping[str, Any]) -> list[Any]:
    """What a primitive makes of its operands."""
    found = primitive.get_bind_params(params)
    # Older versions of JAX take functions from among the params.
    functions, others = found if isinstance(found, tuple) else ((), found)
    made = primitive.bind(*functions, *operands, **others)
    return list(made) if primitive.multiple_results else [made]


def called_jaxpr(equation: Any) -> Any | None:
    """The closed jaxpr that an equation merely calls; None of any other equation."""
    return equation.params["jaxpr"] if equation.primitive.name in ("jit", "pjit") else None
