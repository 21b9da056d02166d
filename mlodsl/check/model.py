"""The checked model: what `modules/` compiles. All names resolved, all shapes known to fit."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from mlodsl.settings import Settings
from mlodsl.syntax import nodes

from .static_indices import IndexUse
from .types import Shape, Type


@dataclass(frozen=True, slots=True)
class ParamInfo:
    """A param. `value`: the caller's expression, else the default's; None where the caller
    gave an array (Python) or nothing (`missing`). Its value broadcasts to `shape`, which is
    None where nothing says it. Whole-number params are in `CheckedModel.statics` too."""

    name: str
    kind: str  # "real" or "int"
    shape: Shape | None
    value: nodes.Expression | None
    missing: bool
    node: nodes.Param


@dataclass(frozen=True, slots=True)
class DataInfo:
    """An array from a file or the caller; `shape` has None or names where it isn't bound."""

    name: str
    shape: Shape | None
    missing: bool
    node: nodes.Data


@dataclass(frozen=True, slots=True)
class LetInfo:
    """A name for an expression.

    Arguments:
        name: for `let (A, B) = …` there is one `LetInfo` a name, `part` counting from 0.
        level: index of the level it stands in, None outside of levels.
        player: name of the player it stands in, None outside of players.
        variables: names of the model variables it depends on, through other lets too.
        type: its type (shape, static value).
    """

    name: str
    value: nodes.Expression
    part: int | None
    level: int | None
    player: str | None
    variables: Set[str]
    type: Type
    node: nodes.LetValue | nodes.LetParts


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A `let` function."""

    name: str
    parameters: tuple[str, ...]
    body: nodes.Expression
    level: int | None
    node: nodes.LetFunction


@dataclass(frozen=True, slots=True)
class VariableInfo:
    """A variable; `network` for `mlp`, `linear`, `module` (its `shape` is then ())."""

    name: str
    shape: Shape
    network: nodes.NetworkType | None
    domain: nodes.Domain | None
    start: nodes.Expression | nodes.Draw | None
    node: nodes.Var


@dataclass(frozen=True, slots=True)
class PlayerInfo:
    """Variables, objective and constraints of a player, or of a level without players."""

    name: str
    title: str
    variables: tuple[VariableInfo, ...]
    sense: str  # "minimize" or "maximize"
    objective: nodes.Expression
    constraints: tuple[nodes.Constraint, ...]
    node: nodes.Level | nodes.Player


@dataclass(frozen=True, slots=True)
class LevelInfo:
    """A level, top first in `CheckedModel.levels`. Without player blocks `players` has one
    entry, the level itself, and `has_players` is False."""

    name: str
    title: str
    players: tuple[PlayerInfo, ...]
    has_players: bool
    node: nodes.Level

    @property
    def variables(self) -> tuple[VariableInfo, ...]:
        """The variables of all its players."""
        return tuple(variable for player in self.players for variable in player.variables)


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """A model without errors.

    Arguments:
        params: in an order in which each default needs only those before it.
        lets: in an order in which each needs only those before it.
        functions: the model's own functions by name.
        statics: whole numbers and other constants known before solving, by name: `int`
            params, sizes bound by data.
        python_functions: names of functions that the Python caller added.
        features: what the solver may have to refuse: code of the diagnostic (`E803` …) and
            the node that uses it, None where only a Python keyword says it.
        uses_duals: whether an expression names a multiplier.
        index_use: how the functions use their parameters, to tell which `for` indices have
            to be unrolled.
    """

    name: str
    title: str
    program: nodes.Program
    params: tuple[ParamInfo, ...]
    data: tuple[DataInfo, ...]
    lets: tuple[LetInfo, ...]
    functions: dict[str, FunctionInfo]
    statics: dict[str, int]
    levels: tuple[LevelInfo, ...]
    settings: Settings
    python_functions: frozenset[str] = frozenset()
    features: tuple[tuple[str, nodes.Node | None], ...] = ()
    uses_duals: bool = False
    index_use: IndexUse = field(default_factory=lambda: IndexUse({}))
