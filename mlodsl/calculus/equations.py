"""The equations of a jaxpr, one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jax.extend import core


def read(
    jaxpr: Any,
    consts: Sequence[Any],
    given: Sequence[Any],
    results: Callable[[Any, list[Any]], Sequence[Any]],
) -> list[Any]:
    """The results of a jaxpr whose values are of some other kind than arrays.

    Arguments:
        results: of an equation, from the values of its operands.
    """
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    values.update(zip(jaxpr.invars, given, strict=True))

    def value(atom: Any) -> Any:
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    for equation in jaxpr.eqns:
        operands = [value(atom) for atom in equation.invars]
        values.update(zip(equation.outvars, results(equation, operands), strict=True))
    return [value(atom) for atom in jaxpr.outvars]


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
