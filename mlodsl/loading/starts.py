"""Other starts for a model's variables, as `--at x=0.3` gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlodsl.diagnostics import Diagnostic, Span, did_you_mean
from mlodsl.syntax import nodes, walk


def with_starts(
    program: nodes.Program, starts: Mapping[str, nodes.Expression]
) -> tuple[nodes.Program, tuple[Diagnostic, ...]]:
    """The program with other starts; what the checker finds wrong points at where they stand.

    Returns:
        The program, and E605 for each name that no `var` declares.
    """
    if not starts:
        return program, ()
    known = [node.name.name for node in walk(program) if isinstance(node, nodes.Var)]
    listed = ", ".join(f"`{name}`" for name in known)
    wrong = tuple(
        Diagnostic(
            "E605",
            f"the model has no variable `{name}`" + (f"; it has {listed}" if known else ""),
            _place_of(name, start),
            did_you_mean(name, known),
        )
        for name, start in starts.items()
        if name not in known
    )
    statements = tuple(_changed(statement, starts) for statement in program.statements)
    return replace(program, statements=statements), wrong


def _place_of(name: str, start: nodes.Expression) -> Span:
    """The name in front of its value, `NAME=VALUE`; the value where there is none."""
    source, end = start.span.source, start.span.start
    before = source.text.rfind(name, 0, end)
    return start.span if before < 0 else Span(source, before, before + len(name))


def _changed(node: nodes.Statement, starts: Mapping[str, nodes.Expression]) -> nodes.Statement:
    match node:
        case nodes.Var(name=name) if name.name in starts:
            return replace(node, start=starts[name.name])
        case nodes.Level() | nodes.Player():
            inside = tuple(_changed(statement, starts) for statement in node.statements)
            return replace(node, statements=inside)
        case _:
            return node
