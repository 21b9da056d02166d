"""The compiled model: an Equinox module whose params and data are leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from mlodsl.check import PlayerInfo
from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.syntax import nodes

from .constraints import constraint_values, domain_values, labels, multipliers_by_name
from .dependencies import needs
from .domains import project_onto
from .evaluator import evaluate
from .lets import let_key, value_of_let
from .record import Record
from .rows import SharedRows, keep_whole, pad_rows, whole
from .scope import Scope, dual_key
from .starts import standard_draw, start_of
from .structure import Structure
from .values import Numbers, Value, as_array, is_number, settle

Vectors = tuple[Float[Array, " _"], ...]
Kept: TypeAlias = Array | SharedRows


class Problem(Record):
    """Levels of variables and objectives, ready to be differentiated and solved.

    Everything is computed in `structure.dtype`; for float64 the caller wraps calls in
    `jax.enable_x64(True)`.

    Arguments:
        params: values of the real params. Whole-number params are static, in `structure`.
        data: the arrays from files or the caller; their rows may be shared over devices.
        folded: values of lets that depend on no variable, once `fold` was called.
        structure: everything else; static, compared by content.
    """

    params: dict[str, Array]
    data: Mapping[str, Kept]
    folded: Mapping[str, Kept | tuple[Kept, ...]]
    structure: Structure = eqx.field(static=True)

    @property
    def arrays(self) -> dict[str, Array]:
        """The data as the model declares it."""
        return {name: whole(array) for name, array in self.data.items()}

    @property
    def number_of_levels(self) -> int:
        """How many levels there are."""
        return len(self.structure.levels)

    @property
    def level_names(self) -> tuple[str, ...]:
        """The levels' names, top first."""
        return self.structure.level_names

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers each level chooses, top first."""
        return self.structure.sizes

    @property
    def senses(self) -> tuple[str, ...]:
        """For each level `minimize` or `maximize`, as written; of several players the first's."""
        return tuple(level.players[0].sense for level in self.structure.checked.levels)

    @property
    def objective_names(self) -> tuple[tuple[str, ...], ...]:
        """For each level the names of its objectives: its own, or `level.player` of each player."""
        return self.structure.objective_names

    @property
    def objective_senses(self) -> tuple[str, ...]:
        """For each objective, in the order of `objective_names`, `minimize` or `maximize`."""
        return self.structure.objective_senses

    # ------------------------------------------------------------ variables

    def pack(self, variables: Mapping[str, object]) -> Vectors:
        """One flat vector a level from the values of all variables by name."""
        dtype = self.structure.dtype
        return tuple(level.pack(variables, dtype) for level in self.structure.levels)

    def unpack(self, vectors: Vectors) -> dict[str, Numbers]:
        """The values of all variables by name."""
        found: dict[str, Numbers] = {}
        for level, vector in zip(self.structure.levels, vectors, strict=True):
            found |= level.unpack(vector)
        return found

    def start(self, seed: int | PRNGKeyArray) -> Vectors:
        """The start that the model gives, within the domains; draws come from a seed, or a key.

        Variable number i, in the order of declaration, draws with `fold_in(key, i)`.
        """
        return _start(self, _standard_draws(self.structure, seed))

    # ------------------------------------------------------------ objectives

    def objective(
        self,
        level: int,
        vectors: Vectors,
        player: int = 0,
        duals: Mapping[str, Value] | None = None,
    ) -> Float[Array, ""]:
        """The objective of a level or a player in it as a minimisation: a maximised one is negated.

        Arguments:
            duals: multipliers of named constraints below; None: all zero.

        Raises:
            ModelError: while tracing, where a Python function fails or the value isn't scalar.
        """
        info = self.structure.players(level)[player]
        scope = self._scope_of(level, player, [info.objective], vectors, duals)
        value = evaluate(info.objective, scope)
        scalar = as_array(value, self.structure.dtype)
        if scalar.shape != ():
            shape = ", ".join(map(str, scalar.shape))
            message = f"the objective of `{info.name}` is an array of shape [{shape}], not a scalar"
            hint = "reduce it, e.g. with `sum` or `mean`"
            raise ModelError([Diagnostic("E205", message, info.objective.span, hint)])
        return -scalar if info.sense == "maximize" else scalar

    def _scope_of(
        self,
        level: int,
        player: int,
        expressions: Sequence[nodes.Node],
        vectors: Vectors,
        duals: Mapping[str, Value] | None,
    ) -> Scope:
        """The scope of a player's expressions at a point."""
        info = self.structure.players(level)[player]
        own = frozenset(variable.name for variable in info.variables)
        wanted = own | needs(self.structure.checked, expressions, level, player=info.name).names
        variables = self._variables(wanted, vectors)
        if duals is None and self.structure.uses_duals:
            duals = self.zero_duals(level, vectors)
        return self.scope(expressions, level, variables, info.name, duals)

    def _variables(self, wanted: Collection[str], vectors: Vectors) -> dict[str, Value]:
        """The variables of the levels that have one of those wanted."""
        variables: dict[str, Value] = {}
        for layout, vector in zip(self.structure.levels, vectors, strict=True):
            if any(item.name in wanted for item in layout.variables):
                vector = keep_whole(settle(vector, self.structure.dtype), self.structure.mesh)
                variables |= layout.unpack(vector)
        return variables

    def objectives(self, vectors: Vectors) -> tuple[Float[Array, ""], ...]:
        """The objectives of all levels as minimisations, top first; no level has players."""
        return tuple(self.objective(level, vectors) for level in range(self.number_of_levels))

    def fold(self) -> Problem:
        """The same problem, with every let that depends on no variable computed once."""
        if not any(self.structure.foldable):
            return self
        bare = Problem(self.params, self.data, {}, self.structure)
        return Problem(self.params, self.data, _folded(bare), self.structure)

    # ------------------------------------------------------------ domains

    def has_domain(self, level: int) -> bool:
        """Whether a variable of the level is restricted to a domain."""
        return any(variable.domain for variable in self.structure.checked.levels[level].variables)

    def project(self, level: int, vector: Float[Array, " size"]) -> Float[Array, " size"]:
        """The point of the level's domains nearest to `vector` in the Euclidean distance.

        Domains that depend on variables are left out: they move with these.
        """
        if not self.has_domain(level):
            return vector
        layout = self.structure.levels[level]
        values = layout.unpack(vector)
        for player in self.structure.players(level):
            for variable in player.variables:
                if variable.domain is None or self.moves(level, variable.domain, player.name):
                    continue
                scope = self.scope([variable.domain], level, {}, player.name)
                values[variable.name] = project_onto(variable.domain, values[variable.name], scope)
        return keep_whole(layout.pack(values, self.structure.dtype), self.structure.mesh)

    def moves(self, level: int, domain: nodes.Domain, player: str) -> bool:
        """Whether a domain of a player's variable depends on variables."""
        known = {variable.name for info in self.structure.levels for variable in info.variables}
        return bool(known & needs(self.structure.checked, [domain], level, player=player).names)

    # ------------------------------------------------------------ constraints

    def is_constrained(self, level: int) -> bool:
        """Whether the level has domains or constraints."""
        return self.has_domain(level) or any(
            player.constraints for player in self.structure.players(level)
        )

    def constrained_names(self, level: int, player: int = 0) -> frozenset[str]:
        """All names that a player's domains and constraints need, and his variables."""
        info = self.structure.players(level)[player]
        own = frozenset(variable.name for variable in info.variables)
        found = needs(self.structure.checked, _constraining(info), level, player=info.name)
        return own | found.names

    def constraints(
        self,
        level: int,
        vectors: Vectors,
        player: int = 0,
        duals: Mapping[str, Value] | None = None,
    ) -> tuple[Float[Array, " inequalities"], Float[Array, " equalities"]]:
        """What a player's domains and constraints want to be at most 0, and to be 0.

        The domains of his variables come first, then `subject to`, each in the order written.
        Infinite bounds are values of -inf.
        """
        info = self.structure.players(level)[player]
        scope = self._scope_of(level, player, _constraining(info), vectors, duals)
        parts = [constraint_values(info, scope)]
        for variable in reversed(info.variables):
            if variable.domain is not None:
                value = as_array(scope.names[variable.name], scope.dtype)
                parts.insert(0, domain_values(variable.domain, value, scope))
        at_most, equal = (jnp.concatenate(part) for part in zip(*parts, strict=True))
        return at_most, equal

    def constraint_labels(
        self, level: int, vectors: Vectors, player: int = 0
    ) -> tuple[list[str], list[str]]:
        """What each value of `constraints` comes from, in words."""
        info = self.structure.players(level)[player]
        return labels(info, self._scope_of(level, player, _constraining(info), vectors, None))

    def duals(
        self,
        level: int,
        vectors: Vectors,
        player: int,
        at_most: Float[Array, " inequalities"],
        equal: Float[Array, " equalities"],
    ) -> dict[str, Value]:
        """`dual` of a player's named constraints, from the multipliers of all his `constraints`."""
        info = self.structure.players(level)[player]
        scope = self._scope_of(level, player, _constraining(info), vectors, None)
        values = constraint_values(info, scope)
        ends = (at_most[at_most.size - values[0].size :], equal[equal.size - values[1].size :])
        return dict(multipliers_by_name(info, scope, *ends))

    def zero_duals(self, level: int, vectors: Vectors) -> dict[str, Value]:
        """`dual` of every named constraint below a level, each zero."""
        found: dict[str, Value] = {}
        for below in range(self.number_of_levels - 1, level, -1):
            for player in range(len(self.structure.players(below))):
                sizes = [part.size for part in self.constraints(below, vectors, player)]
                none = (jnp.zeros(size, self.structure.dtype) for size in sizes)
                found |= self.duals(below, vectors, player, *none)
        return found

    # ------------------------------------------------------------ names

    def scope(
        self,
        expressions: Iterable[nodes.Node],
        level: int,
        variables: Mapping[str, Value],
        player: str | None = None,
        duals: Mapping[str, Value] | None = None,
    ) -> Scope:
        """A scope with the values of everything that the expressions of a level need.

        Arguments:
            player: whose expressions they are, where the level has players.
            duals: multipliers of named constraints.
        """
        structure = self.structure
        checked = structure.checked
        names: dict[str, Value] = {**checked.statics, **self.params, **self.arrays, **variables}
        names |= {dual_key(name): value for name, value in (duals or {}).items()}
        scope = Scope(
            names,
            structure.dtype,
            checked.functions,
            checked.index_use,
            structure.functions,
            variables=frozenset(variables),
        )
        folded = {let_key(let) for let in checked.lets} & self.folded.keys()
        there = frozenset(
            let.name
            for let in checked.lets
            if let_key(let) in folded
            and let.level in (None, level)
            and let.player in (None, player)
        )
        for let in needs(checked, expressions, level, without=there, player=player).lets:
            key = let_key(let)
            names[let.name] = (
                _whole(self.folded[key]) if key in folded else value_of_let(let, scope)
            )
        return scope


@eqx.filter_jit
def _folded(problem: Problem) -> dict[str, Kept | tuple[Kept, ...]]:
    found: dict[str, Kept | tuple[Kept, ...]] = {}
    mesh = problem.structure.mesh
    for level, foldable in enumerate(problem.structure.foldable):
        for let in foldable:
            name = nodes.Name(let.name, span=let.node.span)
            scope = problem.scope([name], level, {}, let.player)
            value = scope.names[let.name]
            if not is_number(value):
                found[let_key(let)] = jax.tree.map(lambda array: pad_rows(array, mesh), value)
    return found


def _whole(kept: Kept | tuple[Kept, ...]) -> Array | tuple[Array, ...]:
    return tuple(map(whole, kept)) if isinstance(kept, tuple) else whole(kept)


def _standard_draws(structure: Structure, seed: int | PRNGKeyArray) -> dict[str, Numbers]:
    """Of each variable that starts at a draw, that of the standard distribution."""
    shapes = {place.name: place.shape for layout in structure.levels for place in layout.variables}
    variables = [
        variable
        for level in range(len(structure.levels))
        for player in structure.players(level)
        for variable in player.variables
    ]
    return {
        variable.name: standard_draw(start, shapes[variable.name], structure.dtype, seed, position)
        for position, variable in enumerate(variables)
        if isinstance(start := variable.start, nodes.Draw)
    }


@eqx.filter_jit
def _start(problem: Problem, drawn: dict[str, Numbers]) -> Vectors:
    structure = problem.structure
    vectors = []
    for level, layout in enumerate(structure.levels):
        values = {}
        shapes = {place.name: place.shape for place in layout.variables}
        for player in structure.players(level):
            for variable in player.variables:
                name, start = variable.name, variable.start
                scope = problem.scope([] if start is None else [start], level, {}, player.name)
                values[name] = start_of(start, shapes[name], scope, drawn.get(name))
        vector = keep_whole(layout.pack(values, structure.dtype), structure.mesh)
        vectors.append(problem.project(level, vector))
    return tuple(vectors)


def _constraining(player: PlayerInfo) -> list[nodes.Node]:
    """The domains of a player's variables, and his constraints."""
    domains = [variable.domain for variable in player.variables if variable.domain is not None]
    return [*domains, *player.constraints]
