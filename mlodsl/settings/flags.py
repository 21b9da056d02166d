"""Reads the flags `--set KEY=VALUE`, `--strategy NAME` and `--data NAME=PATH`.

Each flag becomes a `Source` of its own, so that a diagnostic points into what was typed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span
from mlodsl.syntax import parse_expression
from mlodsl.syntax.nodes import Expression, Identifier, LevelOptions, Option

from .read import Layer

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY = "write a param's name, `solve.OPTION` or `solve.level.NAME.OPTION`"


def layer_of_flags(
    flags: Sequence[str],
) -> tuple[Layer, dict[str, Expression], tuple[Diagnostic, ...]]:
    """The options and the params that `--set` flags give.

    Arguments:
        flags: each flag's `KEY=VALUE`; a key is a param's name, `solve.OPTION`, or
            `solve.level.NAME.OPTION`.

    Returns:
        The layer of options, the params' values by name, and the diagnostics: E702 for what
        isn't a flag, E506 for a param that is given twice, and the parser's own for a value.
    """
    diagnostics: list[Diagnostic] = []
    options: list[Option] = []
    levels: dict[str, LevelOptions] = {}
    params: dict[str, Expression] = {}
    for flag in flags:
        source = Source("--set", flag)
        try:
            parts, value = _key_and_value(source)
        except ModelError as error:
            diagnostics.extend(error.diagnostics)
            continue
        match parts:
            case [param]:
                if param.name in params:
                    message = f"`{param.name}` is given twice"
                    hint = "remove one of the two"
                    diagnostics.append(Diagnostic("E506", message, param.span, hint))
                params[param.name] = value
            case [_, Identifier(name="level"), level, key]:
                option = Option(key=key, value=value, span=key.span.to(value.span))
                known = levels.get(level.name)
                levels[level.name] = LevelOptions(
                    name=known.name if known else level,
                    options=(*known.options, option) if known else (option,),
                    span=known.span if known else level.span.to(value.span),
                )
            case [*_, key]:
                options.append(Option(key=key, value=value, span=key.span.to(value.span)))
    return (*options, *levels.values()), params, tuple(diagnostics)


def layer_of_strategy(text: str, flag: str = "--strategy") -> tuple[Layer, tuple[Diagnostic, ...]]:
    """The layer of `--strategy NAME`; the name may have arguments, as in a `solve` block.

    Arguments:
        flag: what diagnostics name as the place.
    """
    source = Source(flag, text)
    try:
        value = parse_expression(source)
    except ModelError as error:
        return (), error.diagnostics
    key = Identifier(name="strategy", span=value.span)
    return (Option(key=key, value=value, span=value.span),), ()


def paths_of_flags(
    flags: Sequence[str],
) -> tuple[dict[str, tuple[str, Span]], tuple[Diagnostic, ...]]:
    """The paths by data name that `--data NAME=PATH` flags give, with the flags' spans."""
    diagnostics: list[Diagnostic] = []
    paths: dict[str, tuple[str, Span]] = {}
    for flag in flags:
        source = Source("--data", flag)
        everything = Span(source, 0, len(flag))
        name, equals, path = flag.partition("=")
        name = name.strip()
        if not equals or not _WORD.fullmatch(name) or not path.strip():
            message = f"`--data {flag}` is not of the form `NAME=PATH`"
            diagnostics.append(Diagnostic("E702", message, everything, "write `NAME=PATH`"))
        elif name in paths:
            message = f"the data `{name}` is given twice"
            diagnostics.append(Diagnostic("E506", message, everything, "remove one of the two"))
        else:
            paths[name] = (path, everything)
    return paths, tuple(diagnostics)


def _key_and_value(source: Source) -> tuple[list[Identifier], Expression]:
    """The words of the key, and the value.

    Raises:
        ModelError: where the flag isn't `KEY=VALUE`, or the value is no expression.
    """
    text = source.text
    key, equals, value = text.partition("=")
    everything = Span(source, 0, len(text))
    if not equals:
        message = f"`--set {text}` has no `=`"
        raise ModelError([Diagnostic("E702", message, everything, "write `KEY=VALUE`")])
    parts: list[Identifier] = []
    start = 0
    for piece in key.split("."):
        word = piece.strip()
        offset = start + piece.find(word)
        span = Span(source, offset, offset + len(word))
        if not _WORD.fullmatch(word):
            message = f"`{key.strip()}` is not a key"
            raise ModelError([Diagnostic("E702", message, Span(source, 0, len(key)), _KEY)])
        parts.append(Identifier(name=word, span=span))
        start += len(piece) + 1
    _verify_key(parts, Span(source, 0, len(key.rstrip())))
    if not value.strip():
        message = f"`{key.strip()}` has no value"
        raise ModelError([Diagnostic("E702", message, everything, "write `KEY=VALUE`")])
    return parts, parse_expression(source, len(key) + 1)


def _verify_key(parts: Sequence[Identifier], span: Span) -> None:
    names = [part.name for part in parts]
    match names:
        case ["solve"] | ["solve", "level"] | ["solve", "level", _]:
            message = f"`{span.text.strip()}` names no option"
        case [_] | ["solve", _] | ["solve", "level", _, _]:
            return
        case ["solve", first, *_] if first != "level":
            message = f"`{span.text.strip()}` is not a key: `{first}` has no parts"
        case ["solve", *_]:
            message = f"`{span.text.strip()}` is not a key: an option has no parts"
        case ["level", *_]:
            message = f"`{span.text.strip()}` is not a key"
        case _:
            message = f"`{span.text.strip()}` is not a key: a param's name has no parts"
    raise ModelError([Diagnostic("E702", message, span, _KEY)])
