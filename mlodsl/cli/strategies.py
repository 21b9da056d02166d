"""`mlodsl strategies [NAME]`: the strategies, from their table. Loads neither JAX nor Equinox."""

from __future__ import annotations

import textwrap

from mlodsl.diagnostics import Diagnostic, ModelError, did_you_mean
from mlodsl.settings import (
    STRATEGIES,
    StrategySignature,
    signature_text,
)

from .command import Arguments, Command
from .terminal import say

_WIDTH = 88


def show_strategies(arguments: Arguments) -> int:
    """Lists the strategies, or prints one in full."""
    if arguments.words:
        _show(arguments.words[0])
        return 0
    width = max(map(len, STRATEGIES))
    for name, strategy in STRATEGIES.items():
        say(f"{name:<{width}}  {strategy.summary}")
    return 0


def _show(name: str) -> None:
    if name not in STRATEGIES:
        known = ", ".join(f"`{strategy}`" for strategy in STRATEGIES)
        hint = did_you_mean(name, STRATEGIES)
        message = f"no strategy `{name}`; there are {known}"
        raise ModelError([Diagnostic("E502", message, None, hint)])
    strategy = STRATEGIES[name]
    say(signature_text(name, strategy.options) if strategy.options else name)
    say()
    say(strategy.doc)
    say()
    say(f"Levels: {_levels(strategy)}.")
    for option in strategy.options:
        say()
        say(signature_text("", [option]).strip("()"))
        say(textwrap.indent(textwrap.fill(option.doc, _WIDTH - 2), "  "))


def _levels(strategy: StrategySignature) -> str:
    least, most = strategy.minimum_levels, strategy.maximum_levels
    if most is None:
        return "any number" if least <= 1 else f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"


COMMAND = Command(
    name="strategies",
    words="[NAME]",
    least=0,
    most=1,
    doc="""Lists the strategies, the ways to a total gradient, a line each. With a name: that one in
    full, with its options.""",
    flags=(),
    run=show_strategies,
    examples=(
        ("mlodsl strategies implicit", "one in full"),
        ("mlodsl solve game.mlo --strategy implicit", "to use it"),
    ),
)
