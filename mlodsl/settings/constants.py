"""Constant arithmetic in option values: `1/3`, `-1`, `2^-3`, `inf`, `1e-8`, `auto`.

A value is an expression tree; here it becomes a number, a truth value or a word. Nothing but
literals, `pi`, `inf` and `+ - * / ^` counts, so reading a setting never runs anything.
"""

from __future__ import annotations

import math

from mlodsl.diagnostics import Span
from mlodsl.syntax.nodes import (
    Chain,
    Constant,
    Expression,
    Generator,
    Name,
    Negation,
    Number,
    Power,
)

from .structure import OptionValue

_LARGEST_EXACT_BITS = 256
_CONSTANTS: dict[str, OptionValue] = {
    "pi": math.pi,
    "inf": math.inf,
    "true": True,
    "false": False,
}


class NotConstant(Exception):
    """The expression isn't a constant.

    Arguments:
        span: the part that isn't.
        reason: what is wrong with it, to stand after "found …"; empty where the part's text
            says it all.
    """

    def __init__(self, span: Span, reason: str = "") -> None:
        super().__init__(reason)
        self.span = span
        self.reason = reason


def evaluate_constant(expression: Expression | Generator) -> OptionValue:
    """The value of a constant expression; a name alone is a word and comes back as a `str`.

    Raises:
        NotConstant: for anything that isn't a constant, and where arithmetic fails.
    """
    match expression:
        case Name(name=name):
            return name
        case Constant(name=name):
            return _CONSTANTS[name]
        case Number(value=value):
            return value
        case _:
            return evaluate_number(expression)


def evaluate_number(expression: Expression | Generator) -> int | float:
    """The value of constant arithmetic; words and truth values are refused.

    Raises:
        NotConstant: for anything that isn't a number, and where arithmetic fails.
    """
    match expression:
        case Number(value=value):
            return value
        case Constant(name="pi" | "inf" as name):
            return math.pi if name == "pi" else math.inf
        case Negation(operand=operand):
            return -evaluate_number(operand)
        case Chain(first=first, rest=rest):
            value = evaluate_number(first)
            for operator, right in rest:
                value = _apply(operator, value, evaluate_number(right), expression.span)
            return value
        case Power(base=base, exponent=exponent):
            return _power(evaluate_number(base), evaluate_number(exponent), expression.span)
        case _:
            raise NotConstant(expression.span)


def _apply(operator: str, left: int | float, right: int | float, span: Span) -> int | float:
    try:
        match operator:
            case "+":
                value = left + right
            case "-":
                value = left - right
            case "*":
                value = left * right
            case "/":
                value = left / right
            case _:
                raise NotConstant(span)
    except ZeroDivisionError:
        raise NotConstant(span, "which divides by zero") from None
    except OverflowError:
        raise NotConstant(span, "which is too large") from None
    return _checked(value, span)


def _power(base: int | float, exponent: int | float, span: Span) -> int | float:
    try:
        whole = isinstance(base, int) and isinstance(exponent, int) and exponent >= 0
        # Exact as long as it is small; `9^9^9` would never end.
        if whole and int(base).bit_length() * exponent <= _LARGEST_EXACT_BITS:
            return base**exponent
        value = float(base) ** float(exponent)
    except ZeroDivisionError:
        raise NotConstant(span, "which divides by zero") from None
    except OverflowError:
        raise NotConstant(span, "which is too large") from None
    if isinstance(value, complex):
        raise NotConstant(span, "which is not a real number")
    return _checked(value, span)


def _checked(value: int | float, span: Span) -> int | float:
    if isinstance(value, int):
        return value if value.bit_length() <= _LARGEST_EXACT_BITS else float(value)
    if math.isnan(value):
        raise NotConstant(span, "which is not a number")
    return value
