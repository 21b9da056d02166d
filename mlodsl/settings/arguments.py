"""Named arguments of a strategy or an optimiser, read against the table's parameters."""

from __future__ import annotations

from collections.abc import Sequence

from mlodsl.diagnostics import Diagnostic, did_you_mean
from mlodsl.syntax.nodes import Keyword

from .kinds import listed
from .signatures import Parameter
from .structure import OptionValue
from .values import read_value


def bind_keywords(
    keywords: Sequence[Keyword],
    parameters: Sequence[Parameter],
    owner: str,
    unknown: str,
    diagnostics: list[Diagnostic],
    shown: str = "",
) -> tuple[tuple[str, OptionValue], ...]:
    """The values of named arguments, in the table's order.

    Arguments:
        keywords: what was written.
        parameters: what there is.
        owner: who takes them, for messages, e.g. "strategy `implicit`".
        unknown: the code for an unknown one.
        diagnostics: what is wrong is appended here.
        shown: the signature, for the message about an unknown one.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, OptionValue] = {}
    refuse_repeats(keywords, diagnostics)
    for keyword in keywords:
        name = keyword.name.name
        if name not in known:
            noun = "option" if unknown == "E501" else "argument"
            there_are = shown or (listed(tuple(known)) if known else f"it takes no {noun}s")
            message = f"unknown {noun} `{name}` of the {owner}: {there_are}"
            hint = did_you_mean(name, known)
            diagnostics.append(Diagnostic(unknown, message, keyword.name.span, hint))
            continue
        value = read_value(name, known[name].kind, keyword.value, diagnostics)
        if value is not None:
            values[name] = value
    return tuple((name, values[name]) for name in known if name in values)


def refuse_repeats(keywords: Sequence[Keyword], diagnostics: list[Diagnostic]) -> None:
    """Report each argument that is given a second time (E506)."""
    seen: set[str] = set()
    for keyword in keywords:
        name = keyword.name.name
        if name in seen:
            message = f"`{name}` is given twice"
            diagnostics.append(
                Diagnostic("E506", message, keyword.name.span, "remove one of the two")
            )
        seen.add(name)
