"""What the names in an expression stand for while it is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from mlodsl.check import FunctionInfo, IndexUse
from mlodsl.syntax import nodes

from .values import Value
from .walks import Walks


@dataclass(frozen=True, slots=True)
class Pick:
    """What is known of an indexing expression inside of a `for`.

    Arguments:
        value: the array, with the index of the `for` applied.
        items: the indices that are left to apply.
    """

    value: Value
    items: tuple[nodes.Expression | nodes.Slice, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that an expression sees, with their values.

    Arguments:
        names: statics, params, data, variables and lets. The mapping may compute a value when
            it is asked for, and is shared by all scopes below.
        dtype: of every array that is computed.
        functions: the model's own functions.
        index_use: how these use their parameters.
        python_functions: those of the Python caller.
        local: parameters of the function and indices of the `for` that the expression
            stands in.
        calls: results of the model's own functions at arguments they were called with
            already, and of products of matrices, filled while evaluating.
        picked: what `for`s around the expression have picked for indexing expressions in it, by
            the identity of their nodes.
        variables: the names that are variables.
        walks: what the indices of the `for`s around it take, those that are mapped.
    """

    names: Mapping[str, Value]
    dtype: np.dtype
    functions: Mapping[str, FunctionInfo] = field(default_factory=dict)
    index_use: IndexUse = field(default_factory=lambda: IndexUse({}))
    python_functions: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    local: Mapping[str, Value] = field(default_factory=dict)
    calls: dict[tuple[object, ...], tuple[Value, object]] = field(default_factory=dict)
    picked: Mapping[int, Pick] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()
    walks: Walks = field(default_factory=Walks)

    def lookup(self, name: str) -> Value:
        """The value of a name."""
        return self.local[name] if name in self.local else self.names[name]

    def known(self, name: str) -> Value | None:
        """The value of a name, if it has one yet."""
        return self.local[name] if name in self.local else self.names.get(name)

    def inside_for(
        self,
        indices: Mapping[str, Value],
        picked: Mapping[int, Pick] | None = None,
        walks: Walks | None = None,
    ) -> Scope:
        """The scope of the body of a `for`, whose values live only there.

        Arguments:
            walks: with the indices that are mapped.
        """
        local = {**self.local, **indices}
        picked = {**self.picked, **(picked or {})}
        return replace(self, local=local, calls={}, picked=picked, walks=walks or self.walks)

    def inside_function(self, parameters: Mapping[str, Value]) -> Scope:
        """The scope of a function's body: its parameters, and no index of the caller's `for`."""
        return replace(self, local=parameters, picked={}, walks=Walks())


def bound_arguments(function: FunctionInfo, call: nodes.Call) -> list[tuple[str, nodes.Expression]]:
    """The arguments of a call of one of the model's own functions, by parameter."""
    bound = list(zip(function.parameters, call.arguments, strict=False))
    bound += [(keyword.name.name, keyword.value) for keyword in call.keywords]
    return bound  # type: ignore[return-value]


def is_variable(node: nodes.Node, scope: Scope) -> bool:
    """Whether an expression names a variable, whose entries are finite where data may not be."""
    return isinstance(node, nodes.Name) and node.name in scope.variables


def dual_key(constraint: str) -> str:
    """The name that a constraint's multiplier has among a scope's names."""
    return f"dual({constraint})"
