"""The internal signal that an operation doesn't fit its operands; becomes a diagnostic."""

from __future__ import annotations

from mlodsl.syntax import nodes


class Misfit(Exception):
    """Raised by shape rules; the evaluator turns it into a diagnostic at the operation.

    Arguments:
        code: a key of `CODES`.
        message: what doesn't fit, in a half sentence that follows the quoted operation.
        hint: one way out.
        node: where the diagnostic points, if not at the whole operation.
    """

    def __init__(
        self, code: str, message: str, hint: str | None = None, node: nodes.Node | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.node = node


_LONGEST_QUOTE = 60


def quote(node: nodes.Node) -> str:
    """What the user wrote for a node, in backticks, on one line and not too long."""
    words = [line.split("#")[0] for line in node.span.text.split("\n")]
    text = " ".join(" ".join(words).split())
    if len(text) > _LONGEST_QUOTE:
        text = text[: _LONGEST_QUOTE - 1] + "…"
    return f"`{text}`"
