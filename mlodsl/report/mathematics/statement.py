"""A whole model as mathematics: each level's choice, the nest in one statement, what names mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlodsl.check import CheckedModel, LevelInfo, PlayerInfo, VariableInfo
from mlodsl.modules.dependencies import needs
from mlodsl.syntax import nodes
from mlodsl.syntax.layout import Document, Group, Nest, lay_out

from .expressions import expression_document
from .spelling import Spelling, spelling_of, subscript, superscript

_OPTIMUM = {"minimize": ("minimise", "min", "argmin"), "maximize": ("maximise", "max", "argmax")}
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Statement:
    """A model as lines of text.

    Arguments:
        levels: who chooses what, to optimise what.
        nest: the whole as one nested problem of the objectives f₁, f₂, …
        names: what `let`s, functions, params and data in them stand for.
    """

    levels: tuple[str, ...]
    nest: tuple[str, ...]
    names: tuple[str, ...]


def statement_of(checked: CheckedModel, width: int) -> Statement:
    """A checked model as mathematics, in lines of about `width` characters."""
    spelling = model_spelling(checked)
    return Statement(
        tuple(_levels(checked, spelling, width)),
        tuple(_nest(checked, spelling)),
        tuple(_names(checked, spelling, width)),
    )


def model_spelling(checked: CheckedModel) -> Spelling:
    """How the names of a model are written."""
    functions = checked.functions.values()
    return spelling_of(
        [
            *(variable.name for level in checked.levels for variable in level.variables),
            *(param.name for param in checked.params),
            *(data.name for data in checked.data),
            *(let.name for let in checked.lets),
            *checked.functions,
            *(name for function in functions for name in function.parameters),
            *checked.statics,
        ]
    )


def dependence(checked: CheckedModel, player: PlayerInfo, level: int) -> tuple[str, ...]:
    """The variables that an objective names, through lets and functions too; in model order."""
    named = needs(checked, [player.objective], level).names
    variables = (variable.name for info in checked.levels for variable in info.variables)
    return tuple(name for name in variables if name in named)


def choice(variable: VariableInfo, spelling: Spelling) -> str:
    """What a variable ranges over: `x ∈ [0, 1]`, `P ∈ ℝ⁴⁰ˣ¹¹`."""
    name = spelling.get(variable.name, variable.name)
    if variable.network is not None:
        return f"{name} a network {variable.network.span.text}"
    sizes = ["?" if size is None else str(size) for size in variable.shape]
    raised = superscript("×".join(sizes)) if sizes else ""
    power = f"^({'×'.join(sizes)})" if raised is None else raised
    match variable.domain:
        case nodes.IntervalDomain(minimum, maximum):
            bounds = ", ".join(_line(bound, spelling) for bound in (minimum, maximum))
            return f"{name} ∈ [{bounds}]{power}"
        case nodes.NamedDomain(word, arguments):
            inside = ", ".join(_line(argument, spelling) for argument in arguments)
            if word.name == "nonnegative":
                return f"{name} ∈ ℝ{power}, {name} ≥ 0"
            if word.name == "ball":
                return f"{name} ∈ ℝ{power}, ‖{name}‖ ≤ {inside}"
            return f"{name} ∈ ℝ{power} in the {word.name}"
        case _:
            return f"{name} ∈ ℝ{power}"


def _levels(checked: CheckedModel, spelling: Spelling, width: int) -> Iterator[str]:
    for info in checked.levels:
        title = f' "{info.title}"' if info.title else ""
        if not info.has_players:
            yield from _player(info.players[0], f"level {info.name}{title}", spelling, width)
            continue
        yield f"level {info.name}{title}: its players choose at the same time (Nash equilibrium)"
        for player in info.players:
            title = f' "{player.title}"' if player.title else ""
            yield from _player(player, f"  player {player.name}{title}", spelling, width)


def _player(player: PlayerInfo, who: str, spelling: Spelling, width: int) -> Iterator[str]:
    choices = ", ".join(choice(variable, spelling) for variable in player.variables)
    yield f"{who} chooses {choices} to {_OPTIMUM[player.sense][0]}"
    yield from _laid_out((expression_document(player.objective, spelling),), width)
    for number, constraint in enumerate(player.constraints):
        begin = "subject to " if number == 0 else "           "
        name = "" if constraint.name is None else f"{constraint.name.name}: "
        inner = expression_document(constraint.comparison, spelling)
        ranges = "".join(f" {_words(clause)}" for clause in constraint.clauses)
        yield from _laid_out((begin, name, inner, ranges), width)


def _words(clause: nodes.ForClause) -> str:
    return " ".join(clause.span.text.split())


def _laid_out(document: Document, width: int) -> list[str]:
    return lay_out((Group((Nest(_INDENT + 2, (document,)),)),), _INDENT, width)


def _line(expression: nodes.Expression, spelling: Spelling) -> str:
    return " ".join(lay_out(expression_document(expression, spelling), 0, 10**9))


def _nest(checked: CheckedModel, spelling: Spelling) -> Iterator[str]:
    letter = _letter(spelling)
    for level, info in enumerate(checked.levels):
        more = " such that" if level + 1 < len(checked.levels) else ""
        begin = "  " * level
        for number, player in enumerate(info.players):
            yield (
                begin
                + _problem(checked, info, level, player, letter, spelling)
                + (more if number == len(info.players) - 1 else " and")
            )


def _problem(
    checked: CheckedModel,
    info: LevelInfo,
    level: int,
    player: PlayerInfo,
    letter: str,
    spelling: Spelling,
) -> str:
    """`x₂ ∈ argmin f₂(x₁, x₂)` of one level, or player."""
    arguments = ", ".join(spelling.get(n, n) for n in dependence(checked, player, level))
    mark = subscript(level + 1) + (f".{player.name}" if info.has_players else "")
    value = f"{letter}{mark}({arguments})"
    own = [spelling.get(variable.name, variable.name) for variable in player.variables]
    group = own[0] if len(own) == 1 else f"({', '.join(own)})"
    _, best, answer = _OPTIMUM[player.sense]
    within = " within its constraints" if player.constraints else ""
    if level == 0 and not info.has_players:
        return f"{best} {value} over {group}{within}"
    return f"{group} ∈ {answer} {value}{within}"


def _letter(spelling: Spelling) -> str:
    """What the objectives are called: f, or a letter that no name of the model looks like."""
    taken = {name.rstrip("₀₁₂₃₄₅₆₇₈₉") for name in spelling.values()}
    return next((letter for letter in "fFgGJUφΦ" if letter not in taken), "objective")


def _names(checked: CheckedModel, spelling: Spelling, width: int) -> Iterator[str]:
    """A line for each name that the levels use: lets and functions, params, data."""
    used: set[str] = set()
    lets: list[nodes.Node] = []
    for level, info in enumerate(checked.levels):
        roots: list[nodes.Node] = []
        for player in info.players:
            domains = [variable.domain for variable in player.variables if variable.domain]
            roots += [player.objective, *player.constraints, *domains]
        found = needs(checked, roots, level)
        used |= found.names
        lets += [let.node for let in found.lets]
    functions = [info.node for name, info in checked.functions.items() if name in used]
    kept = {id(node): node for node in (*lets, *functions)}
    for node in sorted(kept.values(), key=lambda node: node.span.start):
        yield from _laid_out(_definition(node, spelling), width)
    for param in checked.params:
        if param.name in used:
            name = spelling.get(param.name, param.name)
            value = f"= {_line(param.value, spelling)}" if param.value is not None else "is given"
            yield f"{' ' * _INDENT}{name} {value} (a param)"
    for data in checked.data:
        if data.name in used:
            sizes = [*map(str, data.shape)] if data.shape is not None else ["…"]
            raised = superscript("×".join(sizes)) or f"^({'×'.join(sizes)})"
            yield f"{' ' * _INDENT}{spelling.get(data.name, data.name)} ∈ ℝ{raised} (data)"


def _definition(node: nodes.Node, spelling: Spelling) -> Document:
    def written(names: Sequence[nodes.Identifier]) -> str:
        return ", ".join(spelling.get(name.name, name.name) for name in names)

    match node:
        case nodes.LetParts(names, value):
            return (f"({written(names)}) = ", expression_document(value, spelling))
        case nodes.LetFunction(name, parameters, body):
            head = f"{written([name])}({written(parameters)}) = "
            return (head, expression_document(body, spelling))
        case nodes.LetValue(name, value):
            return (f"{written([name])} = ", expression_document(value, spelling))
        case _:
            raise AssertionError(f"a {type(node).__name__} defines no name")
