"""Reads a command's arguments; what is wrong is a diagnostic that points into the command line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span, did_you_mean

from .command import Arguments, Command, Flag

HELP = ("-h", "--help")


class CommandLine:
    """What was typed, as a text that diagnostics point into.

    Arguments:
        words: after the program's name.
    """

    def __init__(self, words: Sequence[str]) -> None:
        quoted = [shlex.quote(word) for word in words]
        self.words = tuple(words)
        self._source = Source("command line", " ".join(["mlodsl", *quoted]))
        self._places: list[tuple[int, int]] = []
        offset = len("mlodsl")
        for word in quoted:
            self._places.append((offset + 1, offset + 1 + len(word)))
            offset += 1 + len(word)

    def place(self, index: int) -> Span:
        """The place of a word; past the last one, of all that was typed."""
        if index >= len(self._places):
            return Span(self._source, 0, len(self._source.text))
        return Span(self._source, *self._places[index])

    def wrong(self, index: int, message: str, hint: str | None = None) -> Diagnostic:
        """A diagnostic at a word."""
        return Diagnostic("E703", message, self.place(index), hint)


def parse_arguments(command: Command, line: CommandLine, first: int) -> Arguments:
    """The arguments of a command.

    A flag's value follows it, or stands behind `=`. After `--` nothing is a flag.

    Arguments:
        first: the index of the first word after the command's name.

    Raises:
        ModelError: E703 for each unknown flag, missing or superfluous value or word.
    """
    flags = {flag.name: flag for flag in command.flags}
    words: list[tuple[int, str]] = []
    values: dict[str, tuple[str, ...]] = {}
    wrong: list[Diagnostic] = []
    index = first
    while index < len(line.words):
        word = line.words[index]
        here, index = index, index + 1
        if word == "--":
            words += list(enumerate(line.words))[index:]
            break
        if not word.startswith("-") or word == "-":
            words.append((here, word))
            continue
        name, equals, value = word.partition("=")
        flag = flags.get(name)
        if flag is None:
            wrong.append(_unknown_flag(command, line, here, name))
            continue
        if flag.value is None and equals:
            wrong.append(line.wrong(here, f"`{name}` takes no value", f"write `{name}`"))
            continue
        if flag.value is not None and not equals:
            if index >= len(line.words) or _is_flag(line.words[index], flags):
                hint = f"write `{name} {flag.value}`"
                wrong.append(line.wrong(here, f"`{name}` needs a value", hint))
                continue
            value, index = line.words[index], index + 1
        if name in values and not flag.repeats:
            wrong.append(line.wrong(here, f"`{name}` is given twice", "remove one of the two"))
        values[name] = (*values.get(name, ()), value)
    wrong += _wrong_words(command, line, words)
    if wrong:
        raise ModelError(wrong)
    return Arguments(tuple(word for _, word in words), values)


def _is_flag(word: str, flags: dict[str, Flag]) -> bool:
    """Whether a word is one of the flags, and not the value of the one before it."""
    return word.partition("=")[0] in flags or word in HELP


def _unknown_flag(command: Command, line: CommandLine, index: int, name: str) -> Diagnostic:
    names = [flag.name for flag in command.flags]
    known = ", ".join(f"`{flag}`" for flag in names)
    message = f"`mlodsl {command.name}` has no flag `{name}`; " + (
        f"its flags are {known}" if names else "it takes none"
    )
    return line.wrong(index, message, _likely(name, names))


def _likely(name: str, flags: list[str]) -> str | None:
    """What was meant by an unknown flag: another one, or an option of a solve."""
    from mlodsl.settings import SOLVE_OPTIONS

    options = {f"--{option}": option for option in SOLVE_OPTIONS} if "--set" in flags else {}
    hint = did_you_mean(name, [*flags, *options])
    for flag, option in options.items():
        if flag not in flags and hint == did_you_mean(flag, [flag]):
            return f"an option of a solve is written `--set solve.{option}=VALUE`"
    return hint


def _wrong_words(
    command: Command, line: CommandLine, words: Sequence[tuple[int, str]]
) -> list[Diagnostic]:
    usage = f"write `{usage_of(command)}`"
    if len(words) < command.least:
        what = command.words.strip("[]").rstrip("…")
        message = f"`mlodsl {command.name}` needs a {what}"
        return [line.wrong(len(line.words), message, usage)]
    if command.most is None:
        return []
    message = f"`mlodsl {command.name}` takes " + (
        "no arguments" if command.most == 0 else f"one {command.words.strip('[]')}"
    )
    return [line.wrong(index, message, usage) for index, _ in words[command.most :]]


def usage_of(command: Command) -> str:
    """A command's usage, `mlodsl solve MODEL [flags]`."""
    parts = ["mlodsl", command.name, command.words, "[flags]" if command.flags else ""]
    return " ".join(part for part in parts if part)
