"""What the language has and this version can't solve yet: refused with a way out."""

from __future__ import annotations

from collections.abc import Sequence

from mlodsl.check import CheckedModel
from mlodsl.diagnostics import Diagnostic, Span
from mlodsl.syntax import nodes

# What only `solve` knows how to keep.
_OF_CONSTRAINTS = frozenset({"E801", "E802", "E805", "E806"})


def refuse_features(checked: CheckedModel) -> tuple[Diagnostic, ...]:
    """One diagnostic for each place where the model uses what can't be solved yet."""
    found = [item for item in checked.features if item[0] not in _OF_CONSTRAINTS]
    return _refusals(checked, found)


def refuse_constraints(checked: CheckedModel) -> tuple[Diagnostic, ...]:
    """One diagnostic for each constraint, for what can't keep them yet."""
    found = [item for item in checked.features if item[0] in _OF_CONSTRAINTS]
    return _refusals(checked, found)


def _refusals(
    checked: CheckedModel, features: Sequence[tuple[str, nodes.Node | None]]
) -> tuple[Diagnostic, ...]:
    variables = [variable for level in checked.levels for variable in level.variables]
    by_domain = {id(variable.domain): variable.name for variable in variables}
    return tuple(_refusal(code, node, by_domain.get(id(node), "")) for code, node in features)


def _refusal(code: str, node: nodes.Node | None, variable: str) -> Diagnostic:
    message, hint = _MESSAGES[code]
    name = variable or _name(node)
    place = None if node is None else _place(node)
    return Diagnostic(code, message.format(name=name), place, hint.format(name=name))


_MESSAGES = {
    "E801": (
        "constraints (`subject to`) are kept by `solve` alone so far, in models of one or two "
        "levels",
        "use a domain at the top level, or add a penalty to the objective",
    ),
    "E802": (
        "`{name}` is a player: levels with several players cannot be solved yet",
        "give each player a level of its own, if one of them leads",
    ),
    "E803": (
        "`{name}` is a network: network variables cannot be solved yet",
        "write its layers with arrays, e.g. `tanh(X @ A + b) @ c`",
    ),
    "E804": (
        "`batch_size` cannot be used yet: every step takes all rows",
        "remove it, or take fewer rows, e.g. `table[:100]`",
    ),
    "E805": (
        "`{name}` has a domain below the top level: these are kept by `solve` alone so far, in "
        "models of two levels",
        "substitute it, e.g. `exp({name})` for what is nonnegative, `sigmoid({name})` for [0, 1], "
        "`softmax({name})` for the simplex",
    ),
    "E806": ("multipliers (`dual`) cannot be computed yet", "remove the term"),
}


def _name(node: nodes.Node | None) -> str:
    found = getattr(node, "name", None)
    return found.name if isinstance(found, nodes.Identifier) else ""


def _place(node: nodes.Node) -> Span:
    """The characters to point at: a declaration by its name, anything else whole."""
    if isinstance(node, nodes.Var | nodes.Player | nodes.Level):
        return node.name.span
    return node.span
