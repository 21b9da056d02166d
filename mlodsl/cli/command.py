"""What a command is: its words, its flags, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of a command.

    Arguments:
        name: with its dashes, `--out`.
        doc: what it does, in a few words.
        value: what stands for its value in the help, `FILE`; None: it takes none.
        repeats: whether it may be given several times.
    """

    name: str
    doc: str
    value: str | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """What was typed after a command's name.

    Arguments:
        words: what isn't a flag, in order.
        values: the values of each flag that was given, in order; a flag without value has
            the empty text.
    """

    words: tuple[str, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def has(self, flag: str) -> bool:
        """Whether a flag was given."""
        return flag in self.values

    def all(self, flag: str) -> tuple[str, ...]:
        """All values of a flag."""
        return self.values.get(flag, ())

    def one(self, flag: str) -> str | None:
        """The value of a flag that doesn't repeat; None where it wasn't given."""
        values = self.all(flag)
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the program.

    Arguments:
        name: what is typed for it.
        words: what its words are called in the help, `MODEL…`; empty: it takes none.
        least, most: how many words it takes; `most` None: any number.
        doc: what it does; the help prints it.
        run: does it and returns the exit code.
        examples: command lines, each with what it is for.
    """

    name: str
    words: str
    least: int
    most: int | None
    doc: str
    flags: tuple[Flag, ...]
    run: Callable[[Arguments], int]
    examples: tuple[tuple[str, str], ...] = ()
