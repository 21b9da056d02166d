"""The help texts: of the program, and of each command."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .command import Command
from .parsing import usage_of

_WIDTH = 88

EPILOGUE = """\
MODEL is a path, `-` for standard input, or the name of a ready model (`mlodsl models`).

Examples:
  mlodsl models                                  the models that come with mlodsl
  mlodsl solve stackelberg3                      solve one of them
  mlodsl solve game.mlo --out result.json        solve your own, and keep the result
  mlodsl solve game.mlo --set c=2 --set solve.tolerance=1e-10
  mlodsl check game.mlo                          every error at once, nothing is solved
  mlodsl respond game.mlo --at x=0.3             what the lower levels answer to x = 0.3

`mlodsl COMMAND --help` says more about a command.
Exit codes: 0 solved, 1 not converged, 2 the input is wrong, 130 interrupted."""


def program_help(commands: Sequence[tuple[str, str]]) -> str:
    """The help of the program.

    Arguments:
        commands: names and summaries.
    """
    lines = ["mlodsl: a modelling language for multilevel optimization", ""]
    lines += ["Usage: mlodsl COMMAND …", "", "Commands:"]
    lines += _columns(commands)
    lines += ["", "Flags:", *_columns([("--help", "this text"), ("--version", "the version")])]
    return "\n".join([*lines, "", EPILOGUE])


def command_help(command: Command) -> str:
    """The help of a command."""
    lines = [f"Usage: {usage_of(command)}", "", *_paragraphs(command.doc)]
    if command.flags:
        rows = [
            (flag.name if flag.value is None else f"{flag.name} {flag.value}", flag.doc)
            for flag in command.flags
        ]
        lines += ["", "Flags:", *_columns(rows)]
    if command.examples:
        lines += ["", "Examples:", *_columns(command.examples)]
    return "\n".join(lines)


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = min(max(len(left) for left, _ in rows), 46)
    found = []
    for left, right in rows:
        wrapped = textwrap.wrap(right, max(_WIDTH - width - 4, 30)) or [""]
        if len(left) > width:
            found.append(f"  {left}")
            left = ""
        found.append(f"  {left:<{width}}  {wrapped[0]}".rstrip())
        found += [" " * (width + 4) + line for line in wrapped[1:]]
    return found


def _paragraphs(text: str) -> list[str]:
    found: list[str] = []
    for paragraph in text.split("\n\n"):
        found += [*([""] if found else []), *textwrap.wrap(" ".join(paragraph.split()), _WIDTH)]
    return found
