"""What kinds of values options take: a number in a range, a whole number, a word, true or false.

`describe` says a kind in words, for messages; `accept` turns a constant into the value that
`Settings` holds, or says None where the constant is of another kind or out of range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from .structure import OptionValue

LARGEST_WHOLE_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number, above `minimum` (or at it, unless `exclusive`) and below `below`.

    Arguments:
        minimum: the lower bound.
        exclusive: whether the bound itself is refused.
        below: the upper bound, itself refused.
        infinite: whether `inf` is allowed too.
        words: names allowed instead of a number, e.g. `auto`.
    """

    minimum: float = -math.inf
    exclusive: bool = False
    below: float = math.inf
    infinite: bool = False
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number of at least `minimum` that fits into 64 bits; `1e3` is one too."""

    minimum: int = -LARGEST_WHOLE_NUMBER
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]


Kind: TypeAlias = Number | WholeNumber | Boolean | Choice

POSITIVE = Number(minimum=0.0, exclusive=True)
NUMBER = Number()
BOOLEAN = Boolean()


def listed(words: tuple[str, ...] | list[str], last: str = "and") -> str:
    """Words in backticks as a list in a sentence: "`a`, `b` and `c`"."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def words_of(kind: Kind) -> tuple[str, ...]:
    """The words that a value of this kind may be."""
    match kind:
        case Boolean():
            return ("true", "false")
        case _:
            return kind.words


def describe(kind: Kind) -> str:
    """The kind in words, with its article: "a positive number or `auto`"."""
    match kind:
        case Boolean():
            return "`true` or `false`"
        case Choice(words):
            return listed(words, "or")
        case Number():
            base = _describe_number(kind)
        case WholeNumber(minimum):
            bound = "" if minimum == -LARGEST_WHOLE_NUMBER else f" of at least {minimum}"
            base = f"a whole number{bound}"
    return f"{base} or {listed(kind.words, 'or')}" if kind.words else base


def _describe_number(kind: Number) -> str:
    finite = "" if kind.infinite else "finite "
    if kind.below < math.inf:
        return f"a number between {kind.minimum:g} and {kind.below:g}"
    if kind.minimum == -math.inf:
        return f"a {finite}number"
    if kind.minimum == 0 and kind.exclusive:
        return f"a positive {finite}number"
    bound = "more than" if kind.exclusive else "at least"
    return f"a {finite}number of {bound} {kind.minimum:g}"


def accept(kind: Kind, value: OptionValue) -> OptionValue | None:
    """The constant as a value of this kind, or None where it isn't one.

    Arguments:
        kind: what is expected.
        value: a constant as `evaluate_constant` gives it; a `str` is a word.
    """
    match kind:
        case Boolean():
            return value if isinstance(value, bool) else None
        case Choice(words):
            return value if isinstance(value, str) and value in words else None
        case Number():
            return _accept_number(kind, value)
        case WholeNumber():
            return _accept_whole_number(kind, value)


def _accept_number(kind: Number, value: OptionValue) -> OptionValue | None:
    if isinstance(value, str):
        return value if value in kind.words else None
    if isinstance(value, bool) or math.isnan(value):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if math.isinf(number) and not kind.infinite:
        return None
    if number < kind.minimum or (kind.exclusive and number == kind.minimum):
        return None
    if kind.below < math.inf and number >= kind.below:
        return None
    return number


def _accept_whole_number(kind: WholeNumber, value: OptionValue) -> OptionValue | None:
    if isinstance(value, str):
        return value if value in kind.words else None
    if isinstance(value, bool) or not math.isfinite(value) or value != int(value):
        return None
    whole = int(value)
    return whole if kind.minimum <= whole <= LARGEST_WHOLE_NUMBER else None
