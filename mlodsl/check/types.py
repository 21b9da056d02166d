"""What the checker knows about an expression: its kind, its shape, its whole-number value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Dimension: TypeAlias = int | str | None
"""A size: known, or named by a `data` statement that isn't bound yet, or unknown (None)."""

Shape: TypeAlias = tuple[Dimension, ...]

NumberKind: TypeAlias = Literal["real", "int", "bool"]


@dataclass(frozen=True, slots=True)
class Interval:
    """The least and largest value of a whole-number expression of `for` indices.

    `exact` where both are attained; `indices` names the `for` indices it depends on, since
    two intervals add up exactly only where they depend on different ones.
    """

    least: int
    largest: int
    exact: bool = True
    indices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ArrayType:
    """An array of numbers; `shape` None where even the rank is unknown.

    Arguments:
        known: whether it is a scalar whose value is known before solving, though perhaps
            not yet to the checker (the rows of data without a source, a `for` index).
        static: that value, where the checker knows it.
        symbol: the size of that name, where `data X : real[n]` named it and isn't bound.
        interval: the bounds of a `for` index, or of the entries of a list of whole numbers.
    """

    shape: Shape | None = None
    kind: NumberKind = "real"
    known: bool = False
    static: int | float | None = None
    symbol: str | None = None
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


def whole_number(value: int) -> ArrayType:
    """The type of a whole number that is known before solving."""
    return ArrayType((), "int", known=True, static=value)


def common_kind(*found: ArrayType) -> NumberKind:
    """Whole numbers where all are, real ones otherwise."""
    return "int" if all(one.kind == "int" for one in found) else "real"


def size_type(size: Dimension) -> ArrayType:
    """The type of the size of an axis, as a whole number."""
    if isinstance(size, int):
        return whole_number(size)
    return ArrayType((), "int", known=True, symbol=size)


def show_shape(shape: Shape | None) -> str:
    """A shape as messages print it: `real`, `real[3]`, `real[n, 2]`, `?` where unknown."""
    if shape is None:
        return "real[…]"
    if not shape:
        return "real"
    return f"real[{', '.join('?' if size is None else str(size) for size in shape)}]"


def show_type(found: Type) -> str:
    """A type as messages print it, with its article."""
    match found:
        case ArrayType(kind="bool"):
            return "a truth value"
        case ArrayType(shape=shape):
            return f"an array {show_shape(shape)}" if shape != () else "a scalar"
        case TupleType(items=items):
            return f"{len(items)} parts of a `split`"
        case TextType():
            return "a text"
        case NetworkType():
            return "a network"
        case _:
            return "something unknown"
