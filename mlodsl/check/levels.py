"""Levels and players: each has variables and one objective, and together they are a model."""

from __future__ import annotations

from mlodsl.diagnostics import Span
from mlodsl.syntax import nodes

from .outline import LevelOutline, Outline, PlayerOutline
from .reports import Reports


def verify_levels(program: nodes.Program, outline: Outline, reports: Reports) -> None:
    """Reports missing levels, objectives and variables, and second objectives."""
    if not outline.levels:
        source = program.span.source
        span = Span(source, 0, 0) if outline.header is None else outline.header.span
        reports.add("E301", "the model has no level", span, "declare `level NAME { … }`")
    for level in outline.levels:
        for player in level.players:
            _verify_player(level, player, reports)


def _verify_player(level: LevelOutline, player: PlayerOutline, reports: Reports) -> None:
    name = player.node.name
    what = "player" if level.has_players else "level"
    if not player.objectives:
        message = f"the {what} `{name.name}` has no objective"
        reports.add("E302", message, name.span, "add `minimize …` or `maximize …`")
    for objective in player.objectives[1:]:
        first = player.objectives[0]
        line = first.keyword.source.position(first.keyword.start)[0]
        message = f"the {what} `{name.name}` has an objective already, in line {line}"
        reports.add("E303", message, objective.keyword, "remove one of the two")
    if not player.variables:
        message = f"the {what} `{name.name}` has no variable to choose"
        reports.add("E304", message, name.span, "declare `var NAME : real`")
