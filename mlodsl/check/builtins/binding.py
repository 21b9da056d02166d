"""Which argument of a call is which parameter, as Python binds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from mlodsl.check.misfit import Misfit
from mlodsl.diagnostics import did_you_mean
from mlodsl.syntax import nodes

from .signature import REQUIRED, Parameter, show_signature

Bound: TypeAlias = dict[str, nodes.Expression | tuple[nodes.Expression, ...]]


def bind_arguments(name: str, parameters: tuple[Parameter, ...], call: nodes.Call) -> Bound:
    """The call's arguments by the names of the parameters, as Python binds them.

    Raises:
        Misfit: too many or too few arguments, an unknown one, or one given twice.
    """
    signature = show_signature(name, parameters)
    positional = [parameter for parameter in parameters if not parameter.keyword_only]
    bound: Bound = {}
    given: list[nodes.Expression] = list(call.arguments)  # type: ignore[arg-type]
    while given and positional:
        parameter = positional.pop(0)
        if parameter.variadic:
            bound[parameter.name] = tuple(given)
            given = []
        else:
            bound[parameter.name] = given.pop(0)
    if given:
        count = len(call.arguments)
        raise Misfit(
            "E202", f"{count} argument{'s' * (count != 1)} for `{signature}`", _max_hint(name)
        )
    by_name = {parameter.name: parameter for parameter in parameters}
    for keyword in call.keywords:
        _bind_keyword(keyword, signature, by_name, bound)
    missing = [
        parameter.name
        for parameter in parameters
        if parameter.default is REQUIRED and parameter.name not in bound
    ]
    if missing:
        raise Misfit("E202", f"no argument for `{missing[0]}` of `{signature}`")
    return bound


def _bind_keyword(
    keyword: nodes.Keyword, signature: str, by_name: Mapping[str, Parameter], bound: Bound
) -> None:
    word = keyword.name.name
    if word not in by_name or by_name[word].variadic:
        hint = did_you_mean(word, by_name)
        raise Misfit("E203", f"unknown argument `{word}` of `{signature}`", hint, keyword.name)
    if word in bound:
        raise Misfit("E202", f"argument `{word}` of `{signature}` twice", None, keyword.name)
    bound[word] = keyword.value


def _max_hint(name: str) -> str | None:
    larger = {"max": "maximum", "min": "minimum"}
    return f"the {larger[name]} of two is `{larger[name]}(a, b)`" if name in larger else None
