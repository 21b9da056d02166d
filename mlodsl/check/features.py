"""What a model uses that a solver may not know: networks, sampled steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlodsl.settings import Settings
from mlodsl.syntax import nodes

from .outline import Outline

Feature = tuple[str, nodes.Node | None]
Options = Iterable[nodes.Option | nodes.LevelOptions]


def features_of(
    outline: Outline,
    settings: Settings,
    layers: Sequence[Options],
) -> tuple[Feature, ...]:
    """For each use the code of the diagnostic that refuses it, and the node that uses it."""
    found: list[Feature] = []
    for level in outline.levels:
        for player in level.players:
            found.extend(
                ("E803", variable)
                for variable in player.variables
                if isinstance(variable.type, nodes.NetworkType)
            )
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
