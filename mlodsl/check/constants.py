"""Arithmetic on what is known before solving: values of scalars, bounds of indices.

Literals, `int` params and sizes are known; `+ - * / ^`, unary `-` and `floor` of known
scalars are known too. A known scalar whose value the checker can't tell yet stays known.
"""

from __future__ import annotations

import math
from dataclasses import replace

from .types import ArrayType, Interval

_LARGEST = 2**63
"""Whole numbers beyond 64 bits are left to floating point: no shape is that large."""


def negate(found: ArrayType) -> ArrayType:
    """The type of `-a`."""
    interval = found.interval
    if interval is not None:
        interval = replace(interval, least=-interval.largest, largest=-interval.least)
    static = None if found.static is None else -found.static
    return replace(found, static=static, symbol=None, interval=interval)


def floor(found: ArrayType) -> ArrayType:
    """The type of `floor(a)`."""
    if found.kind == "int":
        return found
    static = found.static
    if static is not None:
        static = math.floor(static) if math.isfinite(static) and abs(static) < _LARGEST else None
    return ArrayType(found.shape, "int", found.known, static)


def combine(operator: str, first: ArrayType, second: ArrayType) -> ArrayType:
    """The scalar type of `a + b`, `a - b`, `a * b`, `a / b` or `a ^ b` of two scalars."""
    both_whole = first.kind == second.kind == "int"
    kind = "int" if both_whole and operator != "/" else "real"
    known = first.known and second.known
    static = None
    if first.static is not None and second.static is not None:
        static = _calculate(operator, first.static, second.static)
        if isinstance(static, float) and operator == "^":
            kind = "real"
    elif operator == "^":
        kind = "real"
    interval = _bounds(operator, first, second) if both_whole else None
    return ArrayType((), "int" if kind == "int" else "real", known, static, None, interval)


def _calculate(operator: str, first: int | float, second: int | float) -> int | float | None:
    try:
        match operator:
            case "+":
                value: int | float = first + second
            case "-":
                value = first - second
            case "*":
                value = first * second
            case "/":
                value = first / second
            case _:
                value = _power(first, second)
    except (ArithmeticError, ValueError):
        return None
    return float(value) if isinstance(value, int) and abs(value) >= _LARGEST else value


def _power(base: int | float, exponent: int | float) -> int | float:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if abs(base) < 2 or exponent * abs(base).bit_length() < 128:
            return base ** min(exponent, 128) if abs(base) > 1 else _small_power(base, exponent)
        return math.pow(base, exponent)
    return math.pow(base, exponent)


def _small_power(base: int, exponent: int) -> int:
    if base == -1:
        return 1 if exponent % 2 == 0 else -1
    return 1 if base == 1 or exponent == 0 else 0


def _as_interval(found: ArrayType) -> Interval | None:
    if found.interval is not None:
        return found.interval
    return Interval(found.static, found.static) if isinstance(found.static, int) else None


def _bounds(operator: str, first: ArrayType, second: ArrayType) -> Interval | None:
    if first.interval is None and second.interval is None:
        return None
    left, right = _as_interval(first), _as_interval(second)
    if left is None or right is None or operator not in "+-*":
        return None
    if operator == "+":
        ends = (left.least + right.least, left.largest + right.largest)
    elif operator == "-":
        ends = (left.least - right.largest, left.largest - right.least)
    else:
        corners = [a * b for a in (left.least, left.largest) for b in (right.least, right.largest)]
        ends = (min(corners), max(corners))
    exact = left.exact and right.exact and not left.indices & right.indices
    return Interval(*ends, exact, left.indices | right.indices)
