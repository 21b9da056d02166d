"""The compiled model: an Equinox module whose params and data are leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.syntax import nodes

from .constraints import constraint_values, domain_values, labels
from .dependencies import needs
from .domains import project_onto
from .evaluator import evaluate
from .lets import let_key, value_of_let
from .scope import Scope
from .starts import start_of
from .structure import Structure
from .values import Numbers, Value, as_array, is_number, settle

Vectors = tuple[Float[Array, " _"], ...]


class Problem(eqx.Module):
    """Levels of variables and objectives, ready to be differentiated and solved.

    Everything is computed in `structure.dtype`; for float64 the caller wraps calls in
    `jax.enable_x64(True)`.

    Arguments:
        params: values of the real params. Whole-number params are static, in `structure`.
        data: the arrays from files or the caller.
        folded: values of lets that depend on no variable, once `fold` was called.
        structure: everything else; static, compared by content.
    """

    params: dict[str, Array]
    data: dict[str, Array]
    folded: dict[str, Array | tuple[Array, ...]]
    structure: Structure = eqx.field(static=True)

    @property
    def number_of_levels(self) -> int:
        """How many levels there are."""
        return len(self.structure.levels)

    @property
    def level_names(self) -> tuple[str, ...]:
        """The levels' names, top first."""
        return tuple(level.name for level in self.structure.levels)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many numbers each level chooses, top first."""
        return tuple(level.size for level in self.structure.levels)

    @property
    def senses(self) -> tuple[str, ...]:
        """For each level `minimize` or `maximize`, as written."""
        return tuple(self.structure.player(level).sense for level in range(self.number_of_levels))

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

    def start(self, key: PRNGKeyArray) -> Vectors:
        """The start that the model gives, within the domains; draws come from `key`.

        Variable number i, in the order of declaration, draws with `fold_in(key, i)`.
        """
        return _start(self, key)

    # ------------------------------------------------------------ objectives

    def objective(self, level: int, vectors: Vectors) -> Float[Array, ""]:
        """The objective of a level as a minimisation: a maximised one is negated.

        Raises:
            ModelError: while tracing, where a Python function fails or the value isn't scalar.
        """
        player = self.structure.player(level)
        variables = self._variables(self.structure.needed[level], vectors)
        value = evaluate(player.objective, self.scope([player.objective], level, variables))
        scalar = as_array(value, self.structure.dtype)
        if scalar.shape != ():
            shape = ", ".join(map(str, scalar.shape))
            message = (
                f"the objective of `{player.name}` is an array of shape [{shape}], not a scalar"
            )
            hint = "reduce it, e.g. with `sum` or `mean`"
            raise ModelError([Diagnostic("E205", message, player.objective.span, hint)])
        return -scalar if player.sense == "maximize" else scalar

    def _variables(self, wanted: Collection[str], vectors: Vectors) -> dict[str, Value]:
        """The variables of the levels that have one of those wanted."""
        variables: dict[str, Value] = {}
        for layout, vector in zip(self.structure.levels, vectors, strict=True):
            if any(item.name in wanted for item in layout.variables):
                variables |= layout.unpack(settle(vector, self.structure.dtype))
        return variables

    def objectives(self, vectors: Vectors) -> tuple[Float[Array, ""], ...]:
        """The objectives of all levels as minimisations, top first."""
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
        return any(variable.domain for variable in self.structure.player(level).variables)

    def project(self, level: int, vector: Float[Array, " size"]) -> Float[Array, " size"]:
        """The point of the level's domains nearest to `vector` in the Euclidean distance."""
        if not self.has_domain(level):
            return vector
        layout = self.structure.levels[level]
        values = layout.unpack(vector)
        for variable in self.structure.player(level).variables:
            if variable.domain is not None:
                scope = self.scope([variable.domain], level, {})
                values[variable.name] = project_onto(variable.domain, values[variable.name], scope)
        return layout.pack(values, self.structure.dtype)

    # ------------------------------------------------------------ constraints

    def is_constrained(self, level: int) -> bool:
        """Whether the level has domains or constraints."""
        return self.has_domain(level) or bool(self.structure.player(level).constraints)

    def constrained_names(self, level: int) -> frozenset[str]:
        """All names that the level's domains and constraints need, and its variables."""
        own = frozenset(item.name for item in self.structure.levels[level].variables)
        return own | needs(self.structure.checked, self._constraining(level), level).names

    def _constraining(self, level: int) -> list[nodes.Node]:
        player = self.structure.player(level)
        domains = [variable.domain for variable in player.variables if variable.domain is not None]
        return [*domains, *player.constraints]

    def constraints(
        self, level: int, vectors: Vectors
    ) -> tuple[Float[Array, " inequalities"], Float[Array, " equalities"]]:
        """What the level's domains and constraints want to be at most 0, and to be 0.

        The domains of its variables come first, then `subject to`, each in the order written.
        Infinite bounds are values of -inf.
        """
        player = self.structure.player(level)
        variables = self._variables(self.constrained_names(level), vectors)
        scope = self.scope(self._constraining(level), level, variables)
        parts = [constraint_values(player, scope)]
        for variable in reversed(player.variables):
            if variable.domain is not None:
                value = as_array(variables[variable.name], scope.dtype)
                parts.insert(0, domain_values(variable.domain, value, scope))
        at_most, equal = (jnp.concatenate(part) for part in zip(*parts, strict=True))
        return at_most, equal

    def constraint_labels(self, level: int, vectors: Vectors) -> tuple[list[str], list[str]]:
        """What each value of `constraints` comes from, in words."""
        variables = self._variables(self.constrained_names(level), vectors)
        scope = self.scope(self._constraining(level), level, variables)
        return labels(self.structure.player(level), scope)

    # ------------------------------------------------------------ names

    def scope(
        self, expressions: Iterable[nodes.Node], level: int, variables: Mapping[str, Value]
    ) -> Scope:
        """A scope with the values of everything that the expressions of a level need."""
        structure = self.structure
        checked = structure.checked
        names: dict[str, Value] = {**checked.statics, **self.params, **self.data, **variables}
        scope = Scope(
            names, structure.dtype, checked.functions, checked.index_use, structure.functions
        )
        folded = {let_key(let) for let in checked.lets} & self.folded.keys()
        there = frozenset(
            let.name
            for let in checked.lets
            if let_key(let) in folded and let.level in (None, level)
        )
        for let in needs(checked, expressions, level, without=there).lets:
            key = let_key(let)
            names[let.name] = self.folded[key] if key in folded else value_of_let(let, scope)
        return scope


@eqx.filter_jit
def _folded(problem: Problem) -> dict[str, Array | tuple[Array, ...]]:
    found: dict[str, Array | tuple[Array, ...]] = {}
    for level, foldable in enumerate(problem.structure.foldable):
        for let in foldable:
            scope = problem.scope([nodes.Name(let.name, span=let.node.span)], level, {})
            value = scope.names[let.name]
            if not is_number(value):
                found[let_key(let)] = value  # type: ignore[assignment]
    return found


@eqx.filter_jit
def _start(problem: Problem, key: PRNGKeyArray) -> Vectors:
    structure = problem.structure
    vectors, position = [], 0
    for level, layout in enumerate(structure.levels):
        values = {}
        for variable, place in zip(
            structure.player(level).variables, layout.variables, strict=True
        ):
            expressions = [] if variable.start is None else [variable.start]
            scope = problem.scope(expressions, level, {})
            values[variable.name] = start_of(variable.start, place.shape, scope, key, position)
            position += 1
        vectors.append(problem.project(level, layout.pack(values, structure.dtype)))
    return tuple(vectors)
