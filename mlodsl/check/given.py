"""What the caller of the checker says about params, and whether it fits the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mlodsl.diagnostics import Span
from mlodsl.syntax import nodes

from .builtins import BUILTINS
from .outline import ItemKind, Outline
from .reports import Reports
from .types import Shape
from .uses import Binding, uses


@dataclass(frozen=True, slots=True)
class GivenParam:
    """A param's value from the caller.

    Arguments:
        expression: as a flag or a YAML file gives it; None where Python gives an array.
        shape: the shape of that array.
        static: its value, if it is a whole number.
        span: where it was given, None in Python.
    """

    expression: nodes.Expression | None = None
    shape: Shape | None = None
    static: int | None = None
    span: Span | None = None


def verify_given(outline: Outline, given: Mapping[str, GivenParam], reports: Reports) -> None:
    """Reports given params that the model doesn't declare, and values that aren't constants."""
    params = _names(outline, ItemKind.PARAM)
    data = _names(outline, ItemKind.DATA)
    for name, value in given.items():
        place = value.span or _place_of_name(name, value.expression)
        if name in data:
            hint = f"give data with `--data {name}=PATH`, or `data=…` in Python"
            reports.add("E605", f"`{name}` is data, not a param", place, hint)
        elif name not in params:
            shown = ", ".join(f"`{param}`" for param in sorted(params))
            has = f"its params are {shown}" if params else "it has none"
            message = f"the model has no param `{name}`: {has}"
            reports.add("E605", message, place, reports.similar(name, params))
        if value.expression is not None:
            _verify_constant(name, value.expression, reports)


def _place_of_name(name: str, value: nodes.Expression | None) -> Span | None:
    """Where a flag or a YAML file has the name, which stands before the value."""
    if value is None:
        return None
    source = value.span.source
    start = source.text.rfind(name, 0, value.span.start)
    return value.span if start < 0 else Span(source, start, start + len(name))


def _names(outline: Outline, kind: ItemKind) -> frozenset[str]:
    return frozenset(item.names[0].name for item in outline.items if item.kind is kind)


def _verify_constant(param: str, expression: nodes.Expression, reports: Reports) -> None:
    for use in uses(expression):
        if isinstance(use, Binding) or use.name in use.local:
            continue
        if use.name not in BUILTINS or not use.called:
            message = f"the value of `{param}` must be a constant, and `{use.name}` is a name"
            hint = "use numbers, lists and built-in functions"
            reports.add("E606", message, use.node.span, hint)
