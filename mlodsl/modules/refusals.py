"""What the language has and this version can't solve yet: refused with a way out."""

from __future__ import annotations

from mlodsl.check import CheckedModel
from mlodsl.diagnostics import Diagnostic, Span
from mlodsl.syntax import nodes


def refuse_features(checked: CheckedModel) -> tuple[Diagnostic, ...]:
    """One diagnostic for each place where the model uses what can't be solved yet."""
    return tuple(_refusal(code, node) for code, node in checked.features)


def _refusal(code: str, node: nodes.Node | None) -> Diagnostic:
    message, hint = _MESSAGES[code]
    name = _name(node)
    place = None if node is None else _place(node)
    return Diagnostic(code, message.format(name=name), place, hint.format(name=name))


_MESSAGES = {
    "E803": (
        "`{name}` is a network: network variables cannot be solved yet",
        "write its layers with arrays, e.g. `tanh(X @ A + b) @ c`",
    ),
    "E804": (
        "`batch_size` cannot be used yet: every step takes all rows",
        "remove it, or take fewer rows, e.g. `table[:100]`",
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
