"""The values of lets."""

from __future__ import annotations

from mlodsl.check import LetInfo

from .dependencies import static_value
from .evaluator import evaluate
from .scope import Scope
from .values import Value


def let_key(let: LetInfo) -> str:
    """The name of a let among the folded values; levels and players may each have one of it."""
    if let.level is None:
        return let.name
    return f"{let.level}.{let.player or ''}.{let.name}"


def value_of_let(let: LetInfo, scope: Scope) -> Value:
    """The value of a let whose needs are in `scope`."""
    static = static_value(let)
    if static is not None:
        return static
    value = evaluate(let.value, scope)
    if let.part is None:
        return value
    assert isinstance(value, tuple), "only `split` has parts"
    return value[let.part]
