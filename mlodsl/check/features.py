"""What a model uses that a solver may not know: constraints, players, networks, …"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlodsl.settings import Settings
from mlodsl.syntax import nodes

from .outline import Outline
from .resolve import References

Feature = tuple[str, nodes.Node | None]
Options = Iterable[nodes.Option | nodes.LevelOptions]


def features_of(
    outline: Outline,
    references: Sequence[References],
    settings: Settings,
    layers: Sequence[Options],
) -> tuple[Feature, ...]:
    """For each use the code of the diagnostic that refuses it, and the node that uses it."""
    found: list[Feature] = []
    for index, level in enumerate(outline.levels):
        for player in level.players:
            if level.has_players:
                found.append(("E802", player.node))
            found.extend(("E801", statement) for statement in player.statements)
            for variable in player.variables:
                if isinstance(variable.type, nodes.NetworkType):
                    found.append(("E803", variable))
                if variable.domain is not None and index > 0:
                    found.append(("E805", variable.domain))
    for used in references:
        found.extend(("E806", call) for call, _ in used.duals)
    if settings.batch_size is not None:
        found.append(("E804", _option("batch_size", layers) or outline.solve))
    return tuple(found)


def _option(key: str, layers: Sequence[Options]) -> nodes.Option | None:
    """The option that says it last: later layers win."""
    for layer in reversed(layers):
        for option in layer:
            if isinstance(option, nodes.Option) and option.key.name == key:
                return option
    return None
