"""A program as a list of things to check, each with the names it declares and where it stands.

Whatever holds an expression is an `Item`: a statement, or a variable's domain or start. The
order of items is the file's; `order.py` sorts them so that each comes after what it needs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from mlodsl.syntax import nodes

from .reports import Reports


class ItemKind(Enum):
    """What an item is."""

    PARAM = auto()
    DATA = auto()
    LET = auto()
    FUNCTION = auto()
    VARIABLE = auto()
    DOMAIN = auto()
    START = auto()
    OBJECTIVE = auto()
    CONSTRAINT = auto()


@dataclass(frozen=True, slots=True)
class Item:
    """Something to check.

    Arguments:
        roots: the expressions, types or domains whose names it uses.
        names: what it declares.
        level: index of the level it stands in, None outside of levels.
        player: index of the player in that level, None outside of players.
        owner: the variable that a domain or start belongs to.
    """

    kind: ItemKind
    node: nodes.Node
    roots: tuple[nodes.Node, ...]
    names: tuple[nodes.Identifier, ...] = ()
    level: int | None = None
    player: int | None = None
    owner: nodes.Var | None = None

    @property
    def parameters(self) -> tuple[nodes.Identifier, ...]:
        """A function's parameters."""
        return self.node.parameters if isinstance(self.node, nodes.LetFunction) else ()


@dataclass(slots=True)
class PlayerOutline:
    """A player, or a level without players: what it declares."""

    node: nodes.Level | nodes.Player
    index: int | None
    variables: list[nodes.Var] = field(default_factory=list)
    objectives: list[nodes.Objective] = field(default_factory=list)
    constraints: list[nodes.Constraint] = field(default_factory=list)
    statements: list[nodes.SubjectTo] = field(default_factory=list)


@dataclass(slots=True)
class LevelOutline:
    """A level and its players; one player, the level itself, where it has no player blocks."""

    node: nodes.Level
    players: list[PlayerOutline]
    has_players: bool


@dataclass(slots=True)
class Outline:
    """A program, sorted by what its statements are."""

    header: nodes.ModelHeader | None = None
    items: list[Item] = field(default_factory=list)
    levels: list[LevelOutline] = field(default_factory=list)
    solve: nodes.Solve | None = None


def read_outline(program: nodes.Program, reports: Reports) -> Outline:
    """The outline of a program; reports statements that stand in the wrong place."""
    outline = Outline()
    for statement in program.statements:
        match statement:
            case nodes.ModelHeader():
                outline.header = statement
            case nodes.Level():
                _add_level(statement, outline, reports)
            case nodes.Solve():
                if outline.solve is None:
                    outline.solve = statement
                else:
                    _misplaced(statement, "a model has at most one `solve` block", reports)
            case _:
                outline.items.append(_item(statement, None, None))
    return outline


def _misplaced(statement: nodes.Node, message: str, reports: Reports) -> None:
    text = statement.span.text
    word = len(text) - len(text.lstrip("abcdefghijklmnopqrstuvwxyz"))
    start = statement.span.start
    span = type(statement.span)(statement.span.source, start, start + max(word, 1))
    reports.add("E305", message, span)


def _item(statement: nodes.Node, level: int | None, player: int | None) -> Item:
    match statement:
        case nodes.Param(name, kind, default):
            roots = tuple(root for root in (kind, default) if root is not None)
            return Item(ItemKind.PARAM, statement, roots, (name,))
        case nodes.Data(name, kind):
            # The source holds literals only and is checked apart.
            return Item(ItemKind.DATA, statement, () if kind is None else (kind,), (name,))
        case nodes.LetValue(name, value):
            return Item(ItemKind.LET, statement, (value,), (name,), level, player)
        case nodes.LetParts(names, value):
            return Item(ItemKind.LET, statement, (value,), names, level, player)
        case nodes.LetFunction(name, _, body):
            return Item(ItemKind.FUNCTION, statement, (body,), (name,), level, player)
        case _:
            raise AssertionError(f"the parser puts no {type(statement).__name__} here")


def _add_level(level: nodes.Level, outline: Outline, reports: Reports) -> None:
    index = len(outline.levels)
    players = [item for item in level.statements if isinstance(item, nodes.Player)]
    if not players:
        itself = PlayerOutline(level, None)
        outline.levels.append(LevelOutline(level, [itself], False))
        for statement in level.statements:
            _add_choice(statement, index, itself, outline)
        return
    result = LevelOutline(level, [], True)
    outline.levels.append(result)
    for statement in level.statements:
        if isinstance(statement, nodes.Player):
            player = PlayerOutline(statement, len(result.players))
            result.players.append(player)
            for choice in statement.statements:
                _add_choice(choice, index, player, outline)
        elif isinstance(statement, nodes.LetValue | nodes.LetParts | nodes.LetFunction):
            outline.items.append(_item(statement, index, None))
        else:
            message = "a level with players holds only `let`s beside them"
            _misplaced(statement, message, reports)
            # Checked all the same, as if it belonged to the last player.
            _add_choice(statement, index, PlayerOutline(level, None), outline)


def _add_choice(statement: nodes.Node, level: int, player: PlayerOutline, outline: Outline) -> None:
    where = (level, player.index)
    items = outline.items
    match statement:
        case nodes.Var(name, kind, domain, start):
            player.variables.append(statement)
            # The keywords of a network's type are words, such as `tanh`, and no names.
            roots = kind.arguments if isinstance(kind, nodes.NetworkType) else (kind,)
            items.append(Item(ItemKind.VARIABLE, statement, roots, (name,), *where))
            if domain is not None:
                items.append(Item(ItemKind.DOMAIN, domain, (domain,), (), *where, statement))
            if start is not None:
                draw = start.distribution if isinstance(start, nodes.Draw) else None
                # A distribution's name is verified apart: nothing else may stand there.
                starts = (start,) if draw is None else (*draw.arguments, *draw.keywords)
                items.append(Item(ItemKind.START, start, starts, (), *where, statement))
        case nodes.Objective(value=value):
            player.objectives.append(statement)
            items.append(Item(ItemKind.OBJECTIVE, statement, (value,), (), *where))
        case nodes.SubjectTo(constraints):
            player.statements.append(statement)
            for constraint in constraints:
                player.constraints.append(constraint)
                names = () if constraint.name is None else (constraint.name,)
                items.append(Item(ItemKind.CONSTRAINT, constraint, (constraint,), names, *where))
        case _:
            items.append(_item(statement, level, player.index))
