"""`mlodsl fmt MODEL…`: formats model files in place. Loads neither JAX nor Equinox."""

from __future__ import annotations

import sys
from pathlib import Path

from mlodsl.diagnostics import Diagnostic, ModelError, did_you_mean
from mlodsl.loading import read_standard_input
from mlodsl.loading.atomic import write_atomically
from mlodsl.syntax import decode, format_program, parse_program

from .command import Arguments, Command, Flag
from .terminal import note, print_diagnostics, say

_CHANGED = 1
_WRONG = 2


def format_models(arguments: Arguments) -> int:
    """Formats every file; 2 where one has errors, 1 where `--check` would change one."""
    only_check = arguments.has("--check")
    code = 0
    for word in arguments.words:
        try:
            changed = _format_one(word, only_check)
        except ModelError as error:
            print_diagnostics(error.diagnostics)
            code = _WRONG
            continue
        if changed and only_check:
            code = max(code, _CHANGED)
    return code


def _format_one(word: str, only_check: bool) -> bool:
    """Formats one file; returns whether it changes.

    Raises:
        ModelError: it can't be read or written, or has errors; it is left as it was.
    """
    raw = _read(word)
    name = "<stdin>" if word == "-" else word
    program, diagnostics = parse_program(decode(name, raw))
    if program is None:
        raise ModelError(diagnostics)
    text = format_program(program)
    changed = text.encode() != raw
    if only_check:
        if changed:
            say(f"would format {name}")
    elif word == "-":
        sys.stdout.write(text)
    elif changed:
        _write(word, text)
        note(f"formatted {name}")
    return changed


def _read(word: str) -> bytes:
    if word == "-":
        return read_standard_input()
    try:
        return Path(word).read_bytes()
    except (OSError, ValueError) as problem:
        hint = None
        if isinstance(problem, FileNotFoundError):
            near = [file.name for file in Path(word).parent.glob("*.mlo")]
            hint = did_you_mean(Path(word).name, near)
        reason = getattr(problem, "strerror", None) or problem
        message = f"`{word}` cannot be read: {reason}"
        raise ModelError([Diagnostic("E003", message, None, hint)]) from None


def _write(word: str, text: str) -> None:
    try:
        write_atomically(Path(word), text.encode())
    except OSError as problem:
        message = f"`{word}` cannot be written: {problem.strerror or problem}"
        raise ModelError([Diagnostic("E704", message)]) from None


COMMAND = Command(
    name="fmt",
    words="MODEL…",
    least=1,
    most=None,
    doc="""Formats model files in place, in the one canonical layout; comments stay. A file with
    syntax errors is left as it is. `-` formats standard input to standard output.""",
    flags=(Flag("--check", "change nothing; name the files that would change, and exit with 1"),),
    run=format_models,
    examples=(
        ("mlodsl fmt game.mlo", "one file"),
        ("mlodsl fmt --check models/*.mlo", "in continuous integration"),
        ("mlodsl fmt - < game.mlo", "from an editor"),
    ),
)
