"""What a built-in function *is*: its signature, its shape rule, its line of documentation.

What it *computes* stands in `modules/`, under the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from mlodsl.check.misfit import Misfit, quote
from mlodsl.check.types import ArrayType, Dimension, Shape, Type, UnknownType, show_type
from mlodsl.syntax import nodes


class Role(Enum):
    """What an argument is used as."""

    ARRAY = auto()
    """Numbers that may depend on variables."""
    CONDITION = auto()
    """A comparison."""
    WHOLE = auto()
    """A whole number known before solving: a size, an axis, a seed."""
    NETWORK = auto()
    """Numbers, or a network that stands for all its parameters."""
    OPTION = auto()
    """A literal: text, number, list, or a word such as `auto`."""


class Place(Enum):
    """Where a built-in may stand; the value says it in messages."""

    EXPRESSION = "in expressions"
    FOR = "after `for … in`"
    SOURCE = "as the source of a `data` statement"
    DRAW = "after `~` in the start of a variable"
    TYPE = "as the type of a variable"


class Required(Enum):
    """The default of a parameter without a default."""

    REQUIRED = auto()


Default: TypeAlias = int | float | str | Required | None
REQUIRED = Required.REQUIRED


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function.

    Arguments:
        name: what a keyword argument calls it.
        default: its value where the call names none; `REQUIRED` where it must be given.
        role: what it is used as.
        keyword_only: whether it can't be given by its position.
        variadic: whether it takes all remaining positional arguments, at least one.
    """

    name: str
    default: Default = REQUIRED
    role: Role = Role.ARRAY
    keyword_only: bool = False
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Arguments:
    """The types of a call's arguments, by the names of the parameters; those that the call
    leaves out are absent. A variadic parameter's types are a tuple."""

    types: Mapping[str, Type | tuple[Type, ...]]
    expressions: Mapping[str, nodes.Expression | tuple[nodes.Expression, ...]]

    def __contains__(self, name: str) -> bool:
        return name in self.types

    def array(self, name: str) -> ArrayType:
        """The type of an argument that must be an array of numbers."""
        found = self.types[name]
        expression = self.expressions[name]
        assert not isinstance(found, tuple) and not isinstance(expression, tuple)
        return _as_array(found, name, expression)

    def shape(self, name: str) -> Shape | None:
        """The shape of an argument that must be an array of numbers."""
        return self.array(name).shape

    def arrays(self, name: str) -> tuple[ArrayType, ...]:
        """The types of a variadic parameter, all arrays of numbers."""
        found = self.types[name]
        expressions = self.expressions[name]
        assert isinstance(found, tuple) and isinstance(expressions, tuple)
        return tuple(
            _as_array(item, name, node) for item, node in zip(found, expressions, strict=True)
        )

    def size(self, name: str) -> Dimension:
        """The value of an argument that must be a size: whole and not negative."""
        expression = self.expressions[name]
        assert not isinstance(expression, tuple)
        return as_size(self.array(name), expression)

    def sizes(self, name: str) -> tuple[Dimension, ...]:
        """The values of a variadic parameter, all sizes."""
        expressions = self.expressions[name]
        assert isinstance(expressions, tuple)
        return tuple(map(as_size, self.arrays(name), expressions))

    def whole(self, name: str) -> int | None:
        """The value of an argument that must be a whole number; None where not known yet."""
        expression = self.expressions[name]
        assert not isinstance(expression, tuple)
        return as_whole(self.array(name), expression)


LARGEST_SIZE = 2**31
"""No axis is that long."""

_LARGEST = 2**63

Rule: TypeAlias = Callable[[Arguments], Type]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in function.

    Arguments:
        name: how a model calls it.
        category: the heading under which the documentation lists it.
        parameters: in the order of positional arguments.
        rule: from the arguments' types to the result's; raises `Misfit`.
        doc: one sentence.
        place: where it may stand.
        over_indices: whether `f(body for i in range(n))` is understood.
    """

    name: str
    category: str
    parameters: tuple[Parameter, ...]
    rule: Rule
    doc: str
    place: Place = Place.EXPRESSION
    over_indices: bool = False

    @property
    def signature(self) -> str:
        """The signature as messages and the documentation print it: `sum(x, axis = none)`."""
        return show_signature(self.name, self.parameters)


def show_signature(name: str, parameters: tuple[Parameter, ...]) -> str:
    """A function's name with its parameters and their defaults."""
    shown = []
    for parameter in parameters:
        text = f"{parameter.name}, …" if parameter.variadic else parameter.name
        if parameter.default is not REQUIRED:
            default = "none" if parameter.default is None else parameter.default
            text += f" = {default}"
        shown.append(text)
    return f"{name}({', '.join(shown)})"


def _as_array(found: Type, name: str, expression: nodes.Expression) -> ArrayType:
    if isinstance(found, ArrayType) and found.kind != "bool":
        return found
    assert not isinstance(found, UnknownType), "an erroneous argument skips the rule"
    reason = f"`{name}` must be numbers, not {show_type(found)}"
    raise Misfit("E204", reason, None, expression)


def as_whole(found: ArrayType, expression: nodes.Expression) -> int | None:
    """The value of a type that must be a whole number known before solving.

    Returns:
        None where it is known before solving but not yet to the checker.
    """
    value = found.static
    if not found.known or found.shape != ():
        reason = f"{quote(expression)} is not a whole number known before solving"
        hint = "use literals, `int` params, sizes and `let`s of these"
        raise Misfit("E208", reason, hint, expression)
    if value is None:
        return None
    if isinstance(value, float) and not value.is_integer():
        reason = f"{quote(expression)} is {value:g}, not a whole number"
        raise Misfit("E208", reason, "round with `floor`", expression)
    if abs(value) >= _LARGEST:
        reason = f"{quote(expression)} is beyond 64-bit whole numbers"
        raise Misfit("E208", reason, None, expression)
    return int(value)


def as_size(found: ArrayType, expression: nodes.Expression) -> Dimension:
    """The size that a type stands for: whole, known before solving, not negative."""
    value = as_whole(found, expression)
    if value is not None and value < 0:
        reason = f"{quote(expression)} is {value}, and a size is never negative"
        raise Misfit("E208", reason, None, expression)
    if value is not None and value >= LARGEST_SIZE:
        reason = f"{quote(expression)} is larger than any array"
        raise Misfit("E208", reason, None, expression)
    return found.symbol if value is None else value
