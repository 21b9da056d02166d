"""Whether a `for` whose index bounds other ranges can be mapped, instead of repeated.

`sum(K[i, j] for i in range(n) for j in range(i))` can: what `i` and `j` take together is known, and
each entry that they pick is there. Where something doesn't fit, a whole number for each step is
the way, and it tells what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import jax
import numpy as np

from mlodsl.check import BUILTINS, Role, bind_arguments
from mlodsl.syntax import nodes
from mlodsl.syntax.walk import children

from .comprehensions import is_range
from .dependencies import references
from .scope import Scope, bound_arguments
from .values import Value
from .walks import leaves_none_out, walk_of, whole

Evaluate = Callable[[nodes.Expression, Scope], Value]

_NEED_ENTRIES = frozenset({"mean", "max", "min", "logsumexp"})


def can_be_mapped(
    body: nodes.Expression, clauses: Sequence[nodes.ForClause], scope: Scope, evaluate: Evaluate
) -> bool:
    """Whether the first of some `for`s can be mapped, though the text needs its index known.

    Arguments:
        scope: around them.
        evaluate: gives an expression its value in a scope.
    """
    return _Fit(evaluate).repeated(body, clauses, scope, False)


class _Fit:
    """Looks for what doesn't fit.

    Arguments:
        evaluate: gives an expression its value in a scope.
    """

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate

    def repeated(
        self,
        body: nodes.Expression,
        clauses: Sequence[nodes.ForClause],
        scope: Scope,
        needs_entries: bool,
    ) -> bool:
        """Whether a body fits for all that its `for`s take."""
        before = scope.walks
        for clause in clauses:
            if not is_range(clause.iterable):
                if not self.fits(clause.iterable, scope):
                    return False
                continue
            walk = walk_of(clause, scope.walks, scope.known)
            if walk is None or not walk.indices:
                return False
            scope = replace(scope, walks=walk.walks)
        if needs_entries and not leaves_none_out(before, scope.walks):
            return False
        return self.fits(body, scope)

    def fits(self, node: nodes.Node, scope: Scope) -> bool:
        """Whether an expression can be computed for mapped indices."""
        if scope.walks.names.isdisjoint(references(node)):
            # Its own `for`s are looked at when it is evaluated.
            return True
        match node:
            case nodes.Index():
                return self._picks(node, scope)
            case nodes.Call():
                return self._call(node, scope)
        return all(self.fits(child, scope) for child in children(node))

    def _call(self, node: nodes.Call, scope: Scope) -> bool:
        name, known = node.function.name, scope.walks.names
        if node.arguments and isinstance(node.arguments[0], nodes.Generator):
            generator = node.arguments[0]
            needs_entries = name in _NEED_ENTRIES
            return self.repeated(generator.body, generator.clauses, scope, needs_entries)
        if name in scope.python_functions:
            return False
        if name in scope.functions:
            uses = scope.index_use.parameters.get(name, {})
            return all(
                self.fits(argument, scope)
                and (parameter not in uses or known.isdisjoint(references(argument)))
                for parameter, argument in bound_arguments(scope.functions[name], node)
            )
        if name in BUILTINS:
            bound = bind_arguments(name, BUILTINS[name].parameters, node)
            for parameter in BUILTINS[name].parameters:
                given = bound.get(parameter.name)
                if given is None or parameter.role is not Role.WHOLE:
                    continue
                places = given if isinstance(given, tuple) else (given,)
                if any(not known.isdisjoint(references(place)) for place in places):
                    return False
        return all(self.fits(child, scope) for child in children(node))

    def _picks(self, node: nodes.Index, scope: Scope) -> bool:
        """Whether all that indices pick is there."""
        known = scope.walks.names
        if not known.isdisjoint(references(node.base)):
            return False
        places = [
            (axis, item)
            for axis, item in enumerate(node.items)
            if not known.isdisjoint(references(item))
        ]
        if any(scope.known(name) is None for name in references(node.base) - _functions(scope)):
            return False  # a row of a `for` that isn't there yet
        shape = jax.eval_shape(lambda: self._evaluate(node.base, scope)).shape
        for axis, item in places:
            table = scope.walks.table(references(item))
            position = None if table is None else whole(item, table, scope.known)
            if position is None:
                return False
            if np.any(position < -shape[axis]) or np.any(position >= shape[axis]):
                return False
        return True


def _functions(scope: Scope) -> frozenset[str]:
    return frozenset({*BUILTINS, *scope.functions, *scope.python_functions})
