"""What the checker knows about an expression: its kind, its shape, its whole-number value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Dimension: TypeAlias = int | str | None
"""A size: known, or named by a `data` statement that isn't bound yet, or unknown (None)."""

Shape: TypeAlias = tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """The least and largest value of a whole-number expression of `for` indices; `exact`
    where both are attained."""

    least: int
    largest: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array of numbers; `shape` None where even the rank is unknown.

    `static` is the value of a scalar known before solving; `interval` bounds a `for` index.
    """

    shape: Shape | None = None
    kind: Literal["real", "int", "bool"] = "real"
    static: int | float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class TupleType:
    """The parts that `split` returns."""

    items: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class TextType:
    """A text in quotes."""


@dataclass(frozen=True, slots=True)
class NetworkType:
    """A network variable: called on the last axis, `inputs` wide to `outputs` wide."""

    inputs: Dimension = None
    outputs: Dimension = None


@dataclass(frozen=True, slots=True)
class UnknownType:
    """The type of an expression in which an error was already reported."""


Type: TypeAlias = ArrayType | TupleType | TextType | NetworkType | UnknownType

SCALAR = ArrayType(())
UNKNOWN = UnknownType()


def show_shape(shape: Shape | None) -> str:
    """A shape as messages print it: `real`, `real[3]`, `real[n, 2]`, `?` where unknown."""
    if shape is None:
        return "real[…]"
    if not shape:
        return "real"
    return f"real[{', '.join('?' if size is None else str(size) for size in shape)}]"
