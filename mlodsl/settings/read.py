"""Reads what `solve { }`, a YAML file, flags and Python keywords say into one `Settings`.

Each of these is a *layer*: options as nodes, with spans in the text they come from. Every layer
is read in full, so a mistake is reported even where a later layer says otherwise; of the values
that are right, the later layer's wins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from mlodsl.diagnostics import Diagnostic, Span, did_you_mean
from mlodsl.syntax.nodes import Identifier, LevelOptions, Option

from .calls import read_optimizer, read_strategy
from .kinds import listed
from .options import LEVEL_KEYS, LEVEL_OPTIONS, SOLVE_KEYS, SOLVE_OPTIONS
from .signatures import Parameter
from .strategies import STRATEGIES
from .structure import LevelSettings, Settings
from .values import read_value

Layer: TypeAlias = tuple[Option | LevelOptions, ...]


def read_settings(
    layers: Sequence[Layer], level_names: Sequence[str]
) -> tuple[Settings, tuple[Diagnostic, ...]]:
    """The settings that the layers say together, and everything that is wrong with them.

    Arguments:
        layers: the file's `solve` block, the YAML file, the flags; a later one wins option by
            option. A strategy or an optimiser is one option: its arguments aren't mixed.
        level_names: the levels of the model, top first.

    Returns:
        The settings, defaults where an option is missing or wrong, and the diagnostics.
    """
    diagnostics: list[Diagnostic] = []
    fields: dict[str, Any] = {}
    levels: dict[str, dict[str, Any]] = {}
    for layer in layers:
        options = tuple(item for item in layer if isinstance(item, Option))
        fields |= _read_options(options, _SOLVE_READERS, SOLVE_OPTIONS, diagnostics)
        seen: set[str] = set()
        for block in layer:
            if not isinstance(block, LevelOptions):
                continue
            name = block.name.name
            if name not in level_names:
                diagnostics.append(_unknown_level(block.name, level_names))
            elif name in seen:
                diagnostics.append(_given_twice(block.name))
            seen.add(name)
            read = _read_options(block.options, _LEVEL_READERS, LEVEL_OPTIONS, diagnostics)
            levels.setdefault(name, {}).update(read)
    chosen = tuple((name, LevelSettings(**levels[name])) for name in level_names if name in levels)
    if "strategy" in fields and not diagnostics:
        reason = STRATEGIES[fields["strategy"].name].misfit(len(level_names))
        if reason is not None and level_names:
            diagnostics.append(Diagnostic("E507", reason, _strategy_span(layers), "use `auto`"))
    return Settings(**fields, levels=chosen), tuple(diagnostics)


def _strategy_span(layers: Sequence[Layer]) -> Span:
    """Where the strategy that counts is named: the last layer wins."""
    return next(
        option.value.span
        for layer in reversed(layers)
        for option in layer
        if isinstance(option, Option) and option.key.name == "strategy"
    )


_SOLVE_READERS = {"strategy": read_strategy}
_LEVEL_READERS = {"optimizer": read_optimizer}


def _read_options(
    options: Sequence[Option],
    readers: Mapping[str, Any],
    table: Mapping[str, Parameter],
    diagnostics: list[Diagnostic],
) -> dict[str, Any]:
    """The values of one block of options by name; wrong ones are left out."""
    values: dict[str, Any] = {}
    seen: set[str] = set()
    for option in options:
        key = option.key.name
        if key in seen:
            diagnostics.append(_given_twice(option.key))
        seen.add(key)
        if key in readers:
            value = readers[key](option.value, diagnostics)
            if value is not None:
                values[key] = value
        elif key in table:
            value = read_value(key, table[key].kind, option.value, diagnostics)
            if value is not None:
                values[key] = None if value == table[key].unset else value
        else:
            diagnostics.append(_unknown_option(option.key, readers is _LEVEL_READERS))
    return values


def _given_twice(identifier: Identifier) -> Diagnostic:
    message = f"`{identifier.name}` is given twice"
    return Diagnostic("E506", message, identifier.span, "remove one of the two")


def _unknown_option(key: Identifier, in_level: bool) -> Diagnostic:
    here, elsewhere = (LEVEL_KEYS, SOLVE_KEYS) if in_level else (SOLVE_KEYS, LEVEL_KEYS)
    place = "a level in `solve`" if in_level else "`solve`"
    hint = did_you_mean(key.name, here)
    if key.name in elsewhere:
        hint = (
            f"write `{key.name}` outside of the level's braces"
            if in_level
            else f"write `level NAME {{ {key.name} = … }}`"
        )
    elif not in_level and key.name == "level":
        hint = "write `level NAME { … }`"
    there_are = f"the options of {place} are {listed(here)}"
    if not in_level:
        there_are += ", and `level NAME { … }`"
    return Diagnostic("E501", f"unknown option `{key.name}`; {there_are}", key.span, hint)


def _unknown_level(name: Identifier, level_names: Sequence[str]) -> Diagnostic:
    there_are = f"the levels are {listed(tuple(level_names))}" if level_names else "there is none"
    message = f"unknown level `{name.name}`; {there_are}"
    return Diagnostic("E505", message, name.span, did_you_mean(name.name, level_names))
