"""One function for each rule of the grammar: its children in, its node out.

What a rule's text allows and its meaning forbids, and no node could hold, is refused here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from mlodsl.diagnostics import Span, did_you_mean

from . import nodes
from .engine import Builder, Misuse
from .lexer import Token

TYPE_NAMES = ("real", "int", "mlp", "linear", "module")
"""The words that name a type; they aren't reserved."""


def _at(place: Span, token: Token) -> Span:
    return Span(place.source, token.start, token.end)


def _pairs(operators_and_operands: list[Any]) -> tuple[tuple[str, nodes.Expression], ...]:
    operators, operands = operators_and_operands[0::2], operators_and_operands[1::2]
    return tuple((o.text, operand) for o, operand in zip(operators, operands, strict=True))


# ---------------------------------------------------------------- the file and its statements


def _program(place: Span, statements: list[Any]) -> nodes.Program:
    whole = Span(place.source, 0, len(place.source.text))
    return nodes.Program(span=whole, statements=tuple(statements))


def _header(place: Span, children: list[Any]) -> nodes.ModelHeader:
    return nodes.ModelHeader(children[0], children[1], span=place)


def _identifier(place: Span, children: list[Any]) -> nodes.Identifier:
    (token,) = children
    return nodes.Identifier(token.text, span=_at(place, token))


def _param(place: Span, children: list[Any]) -> nodes.Param:
    name, kind, default = children
    return nodes.Param(name, _sized(kind), default, span=place)


def _data(place: Span, children: list[Any]) -> nodes.Data:
    name, kind, source = children
    return nodes.Data(name, _sized(kind), source, span=place)


def _sized(kind: nodes.Type | None) -> nodes.Type | None:
    if isinstance(kind, nodes.IntType) and kind.dimensions:
        message = "`int` is one whole number and has no sizes"
        raise Misuse("E403", message, kind.span, "write `int`, or `real` with these sizes")
    return kind


def _let_value(place: Span, children: list[Any]) -> nodes.LetValue:
    return nodes.LetValue(*children, span=place)


def _let_parts(place: Span, children: list[Any]) -> nodes.LetParts:
    return nodes.LetParts(tuple(children[:-1]), children[-1], span=place)


def _parameters(place: Span, children: list[Any]) -> tuple[nodes.Identifier, ...]:
    return tuple(children)


def _let_function(place: Span, children: list[Any]) -> nodes.LetFunction:
    return nodes.LetFunction(*children, span=place)


def _level(place: Span, children: list[Any]) -> nodes.Level:
    return nodes.Level(children[0], children[1], tuple(children[2:]), span=place)


def _player(place: Span, children: list[Any]) -> nodes.Player:
    return nodes.Player(children[0], children[1], tuple(children[2:]), span=place)


def _var(place: Span, children: list[Any]) -> nodes.Var:
    return nodes.Var(*children, span=place)


def _draw(place: Span, children: list[Any]) -> nodes.Draw:
    return nodes.Draw(*children, span=place)


def _objective(place: Span, children: list[Any]) -> nodes.Objective:
    sense, value = children
    return nodes.Objective(sense.text, _at(place, sense), value, span=place)


def _subject_to(place: Span, children: list[Any]) -> nodes.SubjectTo:
    return nodes.SubjectTo(tuple(children), span=place)


def _constraint(place: Span, children: list[Any]) -> nodes.Constraint:
    name, comparison, *clauses = children
    if not isinstance(comparison, nodes.Comparison):
        raise Misuse(
            "E002",
            "expected a comparison: `<=`, `>=` or `==`",
            comparison.span,
            "a constraint compares two sides",
        )
    return nodes.Constraint(name, comparison, tuple(clauses), span=place)


def _solve(place: Span, children: list[Any]) -> nodes.Solve:
    return nodes.Solve(tuple(children), span=place)


def _level_options(place: Span, children: list[Any]) -> nodes.LevelOptions:
    return nodes.LevelOptions(children[0], tuple(children[1:]), span=place)


def _option(place: Span, children: list[Any]) -> nodes.Option:
    return nodes.Option(*children, span=place)


# ---------------------------------------------------------------- types and domains


def _plain_type(place: Span, children: list[Any]) -> nodes.Type:
    (name,) = children
    if name.name == "real":
        return nodes.RealType((), span=place)
    if name.name == "int":
        return nodes.IntType(span=place)
    return nodes.NetworkType(name, (), (), span=place)


def _sized_type(place: Span, children: list[Any]) -> nodes.Type:
    name, *dimensions = children
    if name.name == "real":
        return nodes.RealType(tuple(dimensions), span=place)
    if name.name == "int":
        return nodes.IntType(tuple(dimensions), span=place)
    if name.name in TYPE_NAMES:
        message = f"`{name.name}` is followed by arguments in parentheses, not by sizes"
        raise Misuse("E403", message, name.span, "see the types in the language reference")
    raise _unknown_type(name)


def _network_type(place: Span, children: list[Any]) -> nodes.NetworkType:
    name, *arguments = children
    if name.name in ("real", "int"):
        message = f"`{name.name}` has no arguments; sizes stand in brackets"
        raise Misuse("E403", message, place, f"write `{name.name}[…]`")
    return nodes.NetworkType(name, *_split_arguments(arguments), span=place)


def _unknown_type(name: nodes.Identifier) -> Misuse:
    known = ", ".join(f"`{kind}`" for kind in TYPE_NAMES)
    hint = did_you_mean(name.name, TYPE_NAMES) or f"the types are {known}"
    return Misuse("E403", f"unknown type `{name.name}`", name.span, hint)


def _interval_domain(place: Span, children: list[Any]) -> nodes.IntervalDomain:
    return nodes.IntervalDomain(*children, span=place)


def _named_domain(place: Span, children: list[Any]) -> nodes.NamedDomain:
    return nodes.NamedDomain(children[0], tuple(children[1:]), span=place)


# ---------------------------------------------------------------- expressions


def _comparison(place: Span, children: list[Any]) -> nodes.Comparison:
    return nodes.Comparison(children[0], _pairs(children[1:]), span=place)


def _chain(place: Span, children: list[Any]) -> nodes.Chain:
    return nodes.Chain(children[0], _pairs(children[1:]), span=place)


def _negation(place: Span, children: list[Any]) -> nodes.Negation:
    return nodes.Negation(*children, span=place)


def _power(place: Span, children: list[Any]) -> nodes.Power:
    return nodes.Power(*children, span=place)


def _index(place: Span, children: list[Any]) -> nodes.Index:
    return nodes.Index(children[0], tuple(children[1:]), span=place)


def _slice(place: Span, children: list[Any]) -> nodes.Slice:
    return nodes.Slice(*children, span=place)


def _transpose(place: Span, children: list[Any]) -> nodes.Transpose:
    operand, attribute = children
    if attribute.name != "T":
        message = f"expected `T` after the point, found `{attribute.name}`"
        raise Misuse("E002", message, attribute.span, "`A.T` transposes; there is nothing else")
    return nodes.Transpose(operand, span=place)


def _number(place: Span, children: list[Any]) -> nodes.Number:
    text = children[0].text
    # Python refuses to read whole numbers of several thousand digits.
    is_whole = text.isdigit() and len(text) <= 400
    value = int(text) if is_whole else float(text)
    if math.isinf(value if isinstance(value, float) else _as_float(value)):
        message = "number too large for floating-point arithmetic"
        raise Misuse("E008", message, place, "write `inf` for infinity")
    return nodes.Number(value, text, span=place)


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _text(place: Span, children: list[Any]) -> nodes.Text:
    return nodes.Text(children[0].text[1:-1], span=place)


def _constant(place: Span, children: list[Any]) -> nodes.Constant:
    return nodes.Constant(children[0].text, span=place)


def _name(place: Span, children: list[Any]) -> nodes.Name:
    return nodes.Name(children[0].text, span=place)


def _list_literal(place: Span, children: list[Any]) -> nodes.ListLiteral:
    return nodes.ListLiteral(tuple(children), span=place)


def _tuple_literal(place: Span, children: list[Any]) -> nodes.TupleLiteral:
    return nodes.TupleLiteral(tuple(children), span=place)


def _call(place: Span, children: list[Any]) -> nodes.Call:
    return nodes.Call(children[0], *_split_arguments(children[1:]), span=place)


def _split_arguments(arguments: list[Any]) -> tuple[tuple[Any, ...], tuple[nodes.Keyword, ...]]:
    positional = [a for a in arguments if not isinstance(a, nodes.Keyword)]
    keywords = [a for a in arguments if isinstance(a, nodes.Keyword)]
    for argument, before in zip(arguments[1:], arguments, strict=False):
        if isinstance(before, nodes.Keyword) and not isinstance(argument, nodes.Keyword):
            message = f"positional argument after `{before.name.name} = …`"
            raise Misuse("E002", message, argument.span, "put it before those with a name")
    for argument in positional:
        if isinstance(argument, nodes.Generator) and len(positional) > 1:
            message = "an argument with `for` is the only one without a name"
            raise Misuse("E002", message, argument.span, "remove the others")
    return tuple(positional), tuple(keywords)


def _keyword(place: Span, children: list[Any]) -> nodes.Keyword:
    return nodes.Keyword(*children, span=place)


def _generator(place: Span, children: list[Any]) -> nodes.Generator:
    return nodes.Generator(children[0], tuple(children[1:]), span=place)


def _for_clause(place: Span, children: list[Any]) -> nodes.ForClause:
    return nodes.ForClause(tuple(children[:-1]), children[-1], span=place)


def _table(*functions: Callable[[Span, list[Any]], Any]) -> Mapping[str, Builder]:
    return MappingProxyType({function.__name__[1:]: function for function in functions})


BUILDERS = _table(
    *(_program, _header, _identifier, _param, _data, _let_value, _let_parts, _parameters),
    *(_let_function, _level, _player, _var, _draw, _objective, _subject_to, _constraint),
    *(_solve, _level_options, _option, _plain_type, _sized_type, _network_type),
    *(_interval_domain, _named_domain, _comparison, _chain, _negation, _power, _index, _slice),
    *(_transpose, _number, _text, _constant, _name, _list_literal, _tuple_literal, _call),
    *(_keyword, _generator, _for_clause),
)
"""The builders by the name that the grammar gives them."""
