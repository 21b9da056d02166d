"""The part of a problem that isn't numbers: static under `jax.jit`, compared by content.

Two builds of one text have equal structures, so compiled code is shared between them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jax.sharding import Mesh

from mlodsl.check import CheckedModel, LetInfo, PlayerInfo
from mlodsl.syntax import nodes

from .dependencies import needs, params_that_follow, static_value, visible_lets
from .layout import LevelLayout, layout_of


@dataclass(frozen=True, slots=True)
class FunctionIdentity:
    """A Python function, equal to itself alone, whatever its own `==` says."""

    function: Callable[..., object]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionIdentity) and self.function is other.function

    def __hash__(self) -> int:
        return id(self.function)


@dataclass(frozen=True, eq=False)
class Structure:
    """Everything of a problem but its params and data.

    Arguments:
        checked: the model.
        dtype: of all arrays.
        functions: those of the Python caller.
        given: names of the params that the Python caller gave arrays for, though their own
            values name other params: they don't follow these.
        levels: the layout of each level's vector, top first.
        needed: for each level, all names that its objectives need.
        foldable: for each level, the lets that depend on no variable and that its objectives,
            or a let that does depend on one, use directly.
        content: what makes two structures equal.
        mesh: the devices that share the rows of the data; None: all is on one.
    """

    checked: CheckedModel
    dtype: np.dtype
    functions: Mapping[str, Callable[..., object]]
    given: frozenset[str]
    levels: tuple[LevelLayout, ...]
    needed: tuple[frozenset[str], ...]
    foldable: tuple[tuple[LetInfo, ...], ...]
    content: tuple[object, ...]
    mesh: Mesh | None = None

    @functools.cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers each level chooses, top first."""
        return tuple(level.size for level in self.levels)

    @functools.cached_property
    def level_names(self) -> tuple[str, ...]:
        """The levels' names, top first."""
        return tuple(level.name for level in self.levels)

    @functools.cached_property
    def objective_names(self) -> tuple[tuple[str, ...], ...]:
        """For each level the names of its objectives: its own, or `level.player` of each player."""
        return tuple(
            tuple(
                f"{level.name}.{player.name}" if level.has_players else level.name
                for player in level.players
            )
            for level in self.checked.levels
        )

    @functools.cached_property
    def objective_senses(self) -> tuple[str, ...]:
        """For each objective, in the order of `objective_names`, `minimize` or `maximize`."""
        return tuple(player.sense for level in self.checked.levels for player in level.players)

    @property
    def uses_duals(self) -> bool:
        """Whether an expression names a multiplier."""
        return self.checked.uses_duals

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Structure) and self.content == other.content)

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        return hash(self.content)

    def player(self, level: int) -> PlayerInfo:
        """Variables and objective of a level without players."""
        (player,) = self.players(level)
        return player

    def players(self, level: int) -> tuple[PlayerInfo, ...]:
        """Who chooses at a level; one, the level itself, where it has no players."""
        return self.checked.levels[level].players

    def own(self, level: int, player: int) -> slice:
        """The entries of the level's vector that a player chooses."""
        before = sum(len(other.variables) for other in self.players(level)[:player])
        count = len(self.players(level)[player].variables)
        places = self.levels[level].variables[before : before + count]
        return slice(places[0].start, places[-1].stop) if places else slice(0, 0)


def structure_of(
    checked: CheckedModel,
    dtype: np.dtype,
    functions: Mapping[str, Callable[..., object]],
    given: frozenset[str],
) -> Structure:
    """The structure of a model that uses nothing that can't be solved yet.

    Arguments:
        given: names of all params that the Python caller gave arrays for.
    """
    given &= params_that_follow(checked, {info.name for info in checked.params})
    return Structure(
        checked=checked,
        dtype=dtype,
        functions=functions,
        given=given,
        levels=tuple(map(layout_of, checked.levels)),
        needed=tuple(
            frozenset().union(
                *(
                    needs(checked, [player.objective], level, player=player.name).names
                    for player in info.players
                )
            )
            for level, info in enumerate(checked.levels)
        ),
        foldable=tuple(
            tuple(
                dict.fromkeys(
                    let for player in info.players for let in _foldable(checked, player, level)
                )
            )
            for level, info in enumerate(checked.levels)
        ),
        content=_content(checked, dtype, functions, given),
    )


def _foldable(checked: CheckedModel, player: PlayerInfo, level: int) -> tuple[LetInfo, ...]:
    visible = visible_lets(checked, level, player.name)
    constant = frozenset(name for name, let in visible.items() if not let.variables)
    objective = player.objective
    frontier = needs(checked, [objective], level, without=constant, player=player.name).lets
    return tuple(let for let in frontier if not let.variables and static_value(let) is None)


def _content(
    checked: CheckedModel,
    dtype: np.dtype,
    functions: Mapping[str, Callable[..., object]],
    given: frozenset[str],
) -> tuple[object, ...]:
    # How a model is solved isn't part of what it means, nor are its name and its comments.
    meaning = [
        statement
        for statement in checked.program.statements
        if not isinstance(statement, nodes.ModelHeader | nodes.Solve)
    ]
    shapes = [
        (variable.name, variable.shape) for level in checked.levels for variable in level.variables
    ]
    return (
        repr(meaning),
        tuple(sorted(checked.statics.items())),
        tuple(shapes),
        np.dtype(dtype).name,
        tuple((name, FunctionIdentity(function)) for name, function in sorted(functions.items())),
        given,
    )
