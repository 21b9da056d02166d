"""What the language has and this version can't solve yet: refused with a way out."""

from __future__ import annotations

from mlodsl.check import CheckedModel
from mlodsl.diagnostics import Diagnostic, Span
from mlodsl.syntax import nodes


def refuse_features(checked: CheckedModel) -> tuple[Diagnostic, ...]:
    """One diagnostic for each place where the model uses what can't be solved yet."""
    variables = [variable for level in checked.levels for variable in level.variables]
    by_domain = {id(variable.domain): variable.name for variable in variables}
    return tuple(
        _refusal(code, node, by_domain.get(id(node), "")) for code, node in checked.features
    )


def _refusal(code: str, node: nodes.Node | None, variable: str) -> Diagnostic:
    message, hint = _MESSAGES[code]
    name = variable or _name(node)
    place = None if node is None else _place(node)
    return Diagnostic(code, message.format(name=name), place, hint.format(name=name))


_MESSAGES = {
    "E801": (
        "constraints (`subject to`) cannot be solved yet",
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
        "`{name}` has a domain below the top level: these cannot be solved yet",
        "substitute it, e.g. `exp({name})` for what is nonnegative, `sigmoid({name})` for [0, 1], "
        "`softmax({name})` for the simplex",
    ),
    "E806": ("multipliers (`dual`) cannot be computed yet", "remove the term"),
    "E807": (
        "`starts` cannot be used yet: one start is tried, the one the model gives",
        "remove it, and give the variables other starts or `solve` another `seed`",
    ),
}


def _name(node: nodes.Node | None) -> str:
    found = getattr(node, "name", None)
    return found.name if isinstance(found, nodes.Identifier) else ""


def _place(node: nodes.Node) -> Span:
    """The characters to point at: a declaration by its name, anything else whole."""
    if isinstance(node, nodes.Var | nodes.Player | nodes.Level):
        return node.name.span
    return node.span
