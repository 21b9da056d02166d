"""Expressions as mathematics: `sumsq(A @ w - b)` as ‖A w − b‖².

A product of numbers or, entry by entry, of arrays is a dot; a matrix product has no sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from mlodsl.syntax import nodes
from mlodsl.syntax.layout import Break, Document, Group, Nest

from .spelling import Spelling, superscript

# How tightly an expression holds together, as in the language.
_COMPARISON, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(6)
_CONTINUATION = 2

_Rendered: TypeAlias = tuple[Document, int]
_Node: TypeAlias = nodes.Expression | nodes.Generator | nodes.Slice

_RELATIONS = {"<=": "≤", ">=": "≥", "==": "=", "<": "<", ">": ">"}
_CONSTANTS = {"pi": "π", "inf": "∞"}
_AROUND = {
    "abs": ("|", "|", ""),
    "norm1": ("‖", "‖", "₁"),
    "norm2": ("‖", "‖", ""),
    "norm_inf": ("‖", "‖", "∞"),
    "sumsq": ("‖", "‖", "²"),
    "floor": ("⌊", "⌋", ""),
}
_BIG = {"sum": "Σ", "prod": "Π"}
_RENAMED = {
    "trace": "tr",
    "logdet": "log det",
    "maximum": "max",
    "minimum": "min",
    "log_softmax": "log softmax",
}


def expression_document(node: _Node, spelling: Spelling) -> Document:
    """An expression with the places where its line may break."""
    return _render(node, spelling)[0]


def _render(node: _Node, spelling: Spelling) -> _Rendered:
    match node:
        case nodes.Number():
            return node.text or repr(node.value), _ATOM
        case nodes.Constant(name):
            return _CONSTANTS.get(name, name), _ATOM
        case nodes.Name(name):
            return spelling.get(name, name), _ATOM
        case nodes.Text(value):
            return f'"{value}"', _ATOM
        case nodes.ListLiteral(items):
            return _listed("[", [_render(item, spelling)[0] for item in items], "]"), _ATOM
        case nodes.TupleLiteral(items):
            return _listed("(", [_render(item, spelling)[0] for item in items], ")"), _ATOM
        case nodes.Negation(operand):
            return ("−", _operand(operand, _UNARY, spelling)), _UNARY
        case nodes.Chain(first, rest):
            if rest[0][0] in ("+", "-"):
                return _sum(first, rest, spelling), _SUM
            return _product(first, rest, spelling), _PRODUCT
        case nodes.Comparison(first, rest):
            parts: list[Document] = [_operand(first, _SUM, spelling)]
            for relation, operand in rest:
                sign = f"{_RELATIONS[relation]} "
                parts.append(Group((Break(), sign, _operand(operand, _SUM, spelling))))
            return tuple(parts), _COMPARISON
        case nodes.Power(base, exponent):
            return _power(_operand(base, _ATOM, spelling), exponent, spelling), _POWER
        case nodes.Index(base, indices):
            inside = [_render(index, spelling)[0] for index in indices]
            return (_operand(base, _ATOM, spelling), _listed("[", inside, "]")), _ATOM
        case nodes.Slice(start, stop, step):
            bounds = [start, stop] if step is None else [start, stop, step]
            shown = ["" if bound is None else _render(bound, spelling)[0] for bound in bounds]
            return tuple(piece for bound in shown for piece in (":", bound))[1:], _ATOM
        case nodes.Transpose(operand):
            return (_operand(operand, _ATOM, spelling), "ᵀ"), _POWER
        case nodes.Generator(body, clauses):
            return (_render(body, spelling)[0], " for ", _clauses(clauses, spelling)), _COMPARISON
        case nodes.Call():
            return _call(node, spelling)


def _operand(node: _Node, at_least: int, spelling: Spelling) -> Document:
    inner, precedence = _render(node, spelling)
    return inner if precedence >= at_least else _in_parentheses(inner)


def _in_parentheses(inner: Document) -> Document:
    return ("(", Nest(_CONTINUATION, (inner,)), ")")


def _listed(opening: str, items: list[Document], closing: str) -> Document:
    inside: list[Document] = []
    for position, item in enumerate(items):
        with_comma: Document = item if position == len(items) - 1 else (item, ",")
        inside.append(Group((Break(), with_comma)) if position else with_comma)
    return (opening, Nest(_CONTINUATION, tuple(inside)), closing)


def _sum(
    first: nodes.Expression, rest: tuple[tuple[str, nodes.Expression], ...], spelling: Spelling
) -> Document:
    parts: list[Document] = [_operand(first, _PRODUCT, spelling)]
    for operator, operand in rest:
        sign = "− " if operator == "-" else "+ "
        # A second sign in a row reads badly: a + (−b).
        tighter = _POWER if isinstance(operand, nodes.Negation) else _PRODUCT
        inner = _operand(operand, tighter, spelling)
        parts.append(Group((Break(), sign, Nest(_CONTINUATION, (inner,)))))
    return tuple(parts)


def _product(
    first: nodes.Expression, rest: tuple[tuple[str, nodes.Expression], ...], spelling: Spelling
) -> Document:
    """Products and quotients from the left; in doubt with parentheses: (a / b) · c."""
    found = _operand(first, _UNARY, spelling)
    divided = False
    for operator, operand in rest:
        inner = _operand(operand, _POWER, spelling)
        if operator == "/":
            found, divided = (found, Group((Break(), "/ ", inner))), True
            continue
        left = _in_parentheses(found) if divided else found
        sign = "" if operator == "@" else "· "
        found, divided = (left, Group((Break(), sign, inner))), False
    return found


def _power(base: Document, exponent: nodes.Expression, spelling: Spelling) -> Document:
    shown = _render(exponent, spelling)[0]
    plain = _plain(exponent)
    raised = None if plain is None else superscript(plain)
    if raised is not None:
        return (base, raised)
    is_atom = isinstance(exponent, nodes.Number | nodes.Name | nodes.Constant)
    return (base, "^", shown if is_atom else _in_parentheses(shown))


def _plain(exponent: nodes.Expression) -> str | None:
    """What may stand above the line: a whole number, or a letter (T would be a transpose)."""
    match exponent:
        case nodes.Number(value) if isinstance(value, int):
            return str(value)
        case nodes.Negation(nodes.Number(value)) if isinstance(value, int):
            return f"-{value}"
        case nodes.Name(name) if len(name) == 1 and name != "T":
            return name
        case _:
            return None


def _call(node: nodes.Call, spelling: Spelling) -> _Rendered:
    name = node.function.name
    match node.arguments:
        case [nodes.Generator(body, clauses)] if not node.keywords:
            sign = _BIG.get(name, name)
            inner = _operand(body, _PRODUCT, spelling)
            return (f"{sign}_{{", _clauses(clauses, spelling), "} ", inner), _PRODUCT
        case [argument] if not node.keywords and not isinstance(argument, nodes.Generator):
            known = _of_one(name, argument, spelling)
            if known is not None:
                return known
        case [first, second] if not node.keywords and name in _OF_TWO:
            return _OF_TWO[name](first, second, spelling)
        case _:
            pass
    shown = [_render(argument, spelling)[0] for argument in node.arguments]
    for keyword in node.keywords:
        value = _render(keyword.value, spelling)[0]
        shown.append((f"{keyword.name.name} = ", value))
    written = _RENAMED.get(name, spelling.get(name, name))
    return (written, _listed("(", shown, ")")), _ATOM


def _of_one(name: str, argument: nodes.Expression, spelling: Spelling) -> _Rendered | None:
    """A function of one argument that mathematics has a sign for."""
    if name in _AROUND:
        left, right, mark = _AROUND[name]
        inner = _render(argument, spelling)[0]
        return (left, inner, right, mark), _POWER if mark == "²" else _ATOM
    if name == "sqrt":
        return ("√", _operand(argument, _ATOM, spelling)), _POWER
    if name in ("square", "inv"):
        mark = "²" if name == "square" else "⁻¹"
        return (_operand(argument, _ATOM, spelling), mark), _POWER
    return None


def _dot(first: _Node, second: _Node, spelling: Spelling) -> _Rendered:
    inside = (_render(first, spelling)[0], ", ", _render(second, spelling)[0])
    return ("⟨", *inside, "⟩"), _ATOM


def _outer(first: _Node, second: _Node, spelling: Spelling) -> _Rendered:
    left, right = (_operand(side, _ATOM, spelling) for side in (first, second))
    return (left, " ", right, "ᵀ"), _PRODUCT


def _kron(first: _Node, second: _Node, spelling: Spelling) -> _Rendered:
    left, right = (_operand(side, _POWER, spelling) for side in (first, second))
    return (left, " ⊗ ", right), _PRODUCT


def _linsolve(first: _Node, second: _Node, spelling: Spelling) -> _Rendered:
    return (
        _operand(first, _ATOM, spelling),
        "⁻¹ ",
        _operand(second, _POWER, spelling),
    ), _PRODUCT


_OF_TWO: dict[str, Callable[[_Node, _Node, Spelling], _Rendered]] = {
    "dot": _dot,
    "outer": _outer,
    "kron": _kron,
    "linsolve": _linsolve,
}


def _clauses(clauses: tuple[nodes.ForClause, ...], spelling: Spelling) -> Document:
    parts: list[Document] = []
    for clause in clauses:
        names = [spelling.get(name.name, name.name) for name in clause.names]
        index = names[0] if len(names) == 1 else f"({', '.join(names)})"
        parts += [", "] if parts else []
        match clause.iterable:
            case nodes.Call(function=nodes.Identifier(name="range"), arguments=(stop,)):
                parts += [f"{index} < ", _operand(stop, _SUM, spelling)]
            case nodes.Call(function=nodes.Identifier(name="range"), arguments=(start, stop)):
                least, most = (_operand(bound, _SUM, spelling) for bound in (start, stop))
                parts += [least, f" ≤ {index} < ", most]
            case iterable:
                parts += [f"{index} ∈ ", _render(iterable, spelling)[0]]
    return tuple(parts)
