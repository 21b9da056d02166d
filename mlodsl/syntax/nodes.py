"""The syntax tree: one node class for each rule of `grammar/mlo.lark`.

Nodes are frozen; `==` compares what was written and ignores where it stood (`span`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from mlodsl.diagnostics import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Anything with a place in a text."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """A name where it is declared or used as a key."""

    name: str


# ---------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A literal; `value` is an `int` where no point and no exponent was written."""

    value: int | float
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Constant(Node):
    """`pi`, `inf`, `true` or `false`."""

    name: str


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A text in quotes; `value` is what stands between them."""

    value: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A use of a name."""

    name: str


@dataclass(frozen=True, slots=True)
class ListLiteral(Node):
    """`[a, b, …]`."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class TupleLiteral(Node):
    """`(X, t)`: what a `for` walks in step; stands nowhere else."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """`-a`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """Left-associative operators of one precedence: `a + b - c`, or `a * b / c @ d`.

    Flat, so that a sum of a thousand terms isn't a thousand levels deep. `rest` pairs each
    operator with its right operand.
    """

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Power(Node):
    """`a ^ b` (`**` is the same), right-associative."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """`a <= b`, or a chain `lo <= a <= hi`; operators `<=`, `>=`, `==`, `<`, `>`."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """`start:stop:step` inside an index; each part may be missing."""

    start: Expression | None
    stop: Expression | None
    step: Expression | None


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`base[i, :, 1:3]`."""

    base: Expression
    items: tuple[Expression | Slice, ...]


@dataclass(frozen=True, slots=True)
class Transpose(Node):
    """`A.T`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class ForClause(Node):
    """`for i in range(n)`, `for a, b in (X, t)`: `iterable` is a call of `range`, a
    `TupleLiteral`, or an array whose leading axis is walked."""

    names: tuple[Identifier, ...]
    iterable: Expression


@dataclass(frozen=True, slots=True)
class Generator(Node):
    """`body for … in … for … in …`, the only positional argument of a reduction's call."""

    body: Expression
    clauses: tuple[ForClause, ...]


@dataclass(frozen=True, slots=True)
class Keyword(Node):
    """`name = value` among the arguments of a call."""

    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`f(a, b, key = c)`: only names are called. `dual(c)` is a call of the name `dual`."""

    function: Identifier
    arguments: tuple[Expression | Generator, ...]
    keywords: tuple[Keyword, ...]


Expression: TypeAlias = (
    Number
    | Constant
    | Text
    | Name
    | ListLiteral
    | TupleLiteral
    | Negation
    | Chain
    | Power
    | Comparison
    | Index
    | Transpose
    | Call
)

# ---------------------------------------------------------------- types and domains


@dataclass(frozen=True, slots=True)
class RealType(Node):
    """`real` (no dimensions: a scalar), `real[n, m]`."""

    dimensions: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class IntType(Node):
    """`int`. Of a variable, `dimensions` may be given: the checker refuses it either way."""

    dimensions: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkType(Node):
    """`mlp(…)`, `linear(…)` or `module`: `kind` is that word."""

    kind: Identifier
    arguments: tuple[Expression, ...]
    keywords: tuple[Keyword, ...]


@dataclass(frozen=True, slots=True)
class IntervalDomain(Node):
    """`[a, b]`, elementwise."""

    minimum: Expression
    maximum: Expression


@dataclass(frozen=True, slots=True)
class NamedDomain(Node):
    """`nonnegative`, `simplex`, `ball(r)`; any other name is kept for the checker to refuse."""

    name: Identifier
    arguments: tuple[Expression, ...]


Type: TypeAlias = RealType | IntType | NetworkType
Domain: TypeAlias = IntervalDomain | NamedDomain

# ---------------------------------------------------------------- statements


@dataclass(frozen=True, slots=True)
class ModelHeader(Node):
    """`model NAME "title"`."""

    name: Identifier
    title: Text | None


@dataclass(frozen=True, slots=True)
class Param(Node):
    """`param NAME [: TYPE] [= default]`; `type` is a `RealType`, an `IntType` or None."""

    name: Identifier
    type: Type | None
    default: Expression | None


@dataclass(frozen=True, slots=True)
class Data(Node):
    """`data NAME [: real[n, d]] [= source]`."""

    name: Identifier
    type: Type | None
    source: Expression | None


@dataclass(frozen=True, slots=True)
class LetValue(Node):
    """`let NAME = expr`."""

    name: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class LetParts(Node):
    """`let (A, B) = expr`."""

    names: tuple[Identifier, ...]
    value: Expression


@dataclass(frozen=True, slots=True)
class LetFunction(Node):
    """`let NAME(a, b) = expr`."""

    name: Identifier
    parameters: tuple[Identifier, ...]
    body: Expression


Let: TypeAlias = LetValue | LetParts | LetFunction


@dataclass(frozen=True, slots=True)
class Draw(Node):
    """`~ normal(mean, sd)`, `~ uniform(a, b)`."""

    distribution: Call


@dataclass(frozen=True, slots=True)
class Var(Node):
    """`var NAME : TYPE [in DOMAIN] [= expr or ~ distribution]`."""

    name: Identifier
    type: Type
    domain: Domain | None
    start: Expression | Draw | None


@dataclass(frozen=True, slots=True)
class Objective(Node):
    """`minimize expr`, `maximize expr`; `sense` is that keyword, `keyword` its place."""

    sense: str
    keyword: Span = field(compare=False, repr=False)
    value: Expression


@dataclass(frozen=True, slots=True)
class Constraint(Node):
    """`[NAME :] comparison [for … in …]…`."""

    name: Identifier | None
    comparison: Expression
    clauses: tuple[ForClause, ...]


@dataclass(frozen=True, slots=True)
class SubjectTo(Node):
    """`subject to C1, C2, …`."""

    constraints: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True)
class Player(Node):
    """`player NAME ["title"] { … }`; statements are `Let`, `Var`, `Objective`, `SubjectTo`."""

    name: Identifier
    title: Text | None
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Level(Node):
    """`level NAME ["title"] { … }`; statements as a player's, and `Player`s."""

    name: Identifier
    title: Text | None
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Option(Node):
    """`key = value` in a `solve` block. The value is an expression: `auto` is a `Name`,
    `adam(0.1, b1 = 0.5)` a `Call`."""

    key: Identifier
    value: Expression


@dataclass(frozen=True, slots=True)
class LevelOptions(Node):
    """`level NAME { key = value … }` in a `solve` block."""

    name: Identifier
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Solve(Node):
    """`solve { … }`."""

    options: tuple[Option | LevelOptions, ...]


Statement: TypeAlias = (
    ModelHeader
    | Param
    | Data
    | LetValue
    | LetParts
    | LetFunction
    | Level
    | Player
    | Var
    | Objective
    | SubjectTo
    | Solve
)


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """`# …`, kept for the formatter; `text` begins with `#` and has no trailing space."""

    text: str


@dataclass(frozen=True, slots=True)
class Program(Node):
    """A whole file: its statements in order, and its comments, which `==` ignores not."""

    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...] = ()
