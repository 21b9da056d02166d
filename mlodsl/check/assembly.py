"""Puts together the checked model from what the passes found out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePath

from mlodsl.syntax import nodes

from .dependence import Dependence
from .given import GivenParam
from .inference import Inference
from .model import (
    DataInfo,
    FunctionInfo,
    LetInfo,
    LevelInfo,
    ParamInfo,
    PlayerInfo,
    VariableInfo,
)
from .order import Order
from .outline import Item, ItemKind, Outline, PlayerOutline
from .types import ArrayType, Shape, Type


def model_name(program: nodes.Program, outline: Outline) -> tuple[str, str]:
    """The model's name and title; without a header the file's stem is the name."""
    if outline.header is None:
        return PurePath(program.span.source.name).stem, ""
    title = outline.header.title
    return outline.header.name.name, "" if title is None else title.value


def _shape(found: Type) -> Shape | None:
    return found.shape if isinstance(found, ArrayType) else None


def _in_order(outline: Outline, order: Order, kind: ItemKind) -> list[tuple[int, Item]]:
    items = outline.items
    return [(index, items[index]) for index in order.sequence if items[index].kind is kind]


def param_infos(
    outline: Outline, order: Order, inference: Inference, given: Mapping[str, GivenParam]
) -> tuple[ParamInfo, ...]:
    """The params, each after those that its default uses."""
    result = []
    for _, item in _in_order(outline, order, ItemKind.PARAM):
        node = item.node
        assert isinstance(node, nodes.Param)
        name = node.name.name
        value = given[name].expression if name in given else node.default
        kind = "int" if isinstance(node.type, nodes.IntType) else "real"
        missing = name not in given and node.default is None
        shape = _shape(inference.types[name])
        result.append(ParamInfo(name, kind, shape, value, missing, node))
    return tuple(result)


def data_infos(
    outline: Outline, inference: Inference, shapes: Mapping[str, Shape], given: Collection[str]
) -> tuple[DataInfo, ...]:
    """The data, in the file's order."""
    result = []
    for item in outline.items:
        if item.kind is ItemKind.DATA:
            node = item.node
            assert isinstance(node, nodes.Data)
            name = node.name.name
            missing = name not in shapes and name not in given and node.source is None
            result.append(DataInfo(name, _shape(inference.types[name]), missing, node))
    return tuple(result)


def let_infos(
    outline: Outline, order: Order, inference: Inference, dependence: Dependence
) -> tuple[LetInfo, ...]:
    """The lets, each after those that it uses."""
    result = []
    variables = dependence.names()
    for index, item in _in_order(outline, order, ItemKind.LET):
        node = item.node
        assert isinstance(node, nodes.LetValue | nodes.LetParts)
        player = None
        if item.level is not None and item.player is not None:
            player = outline.levels[item.level].players[item.player].node.name.name
        for part, name in enumerate(item.names):
            result.append(
                LetInfo(
                    name.name,
                    node.value,
                    part if isinstance(node, nodes.LetParts) else None,
                    item.level,
                    player,
                    variables[index],
                    inference.types[name.name],
                    node,
                )
            )
    return tuple(result)


def function_infos(outline: Outline, order: Order) -> dict[str, FunctionInfo]:
    """The functions, each after those that it calls."""
    result = {}
    for _, item in _in_order(outline, order, ItemKind.FUNCTION):
        node = item.node
        assert isinstance(node, nodes.LetFunction)
        parameters = tuple(parameter.name for parameter in node.parameters)
        name = node.name.name
        result[name] = FunctionInfo(name, parameters, node.body, item.level, node)
    return result


def statics_of(inference: Inference, outline: Outline) -> dict[str, int]:
    """The whole numbers known before solving that names stand for: `int` params and sizes."""
    result = {}
    for symbol in inference.table.symbols.values():
        found = inference.types.get(symbol.name)
        is_size = symbol.kind.name == "SIZE"
        if symbol.item is not None and not is_size:
            node = outline.items[symbol.item].node
            is_size = isinstance(node, nodes.Param) and isinstance(node.type, nodes.IntType)
        if is_size and isinstance(found, ArrayType) and isinstance(found.static, int):
            result[symbol.name] = found.static
    return result


def level_infos(outline: Outline, inference: Inference) -> tuple[LevelInfo, ...]:
    """The levels, top first."""
    result = []
    for level in outline.levels:
        players = tuple(_player(player, inference) for player in level.players)
        title = level.node.title
        result.append(
            LevelInfo(
                level.node.name.name,
                "" if title is None else title.value,
                players,
                level.has_players,
                level.node,
            )
        )
    return tuple(result)


def _player(player: PlayerOutline, inference: Inference) -> PlayerInfo:
    variables = []
    for node in player.variables:
        network = node.type if isinstance(node.type, nodes.NetworkType) else None
        shape = () if network is not None else _shape(inference.types[node.name.name])
        assert shape is not None
        variables.append(
            VariableInfo(node.name.name, shape, network, node.domain, node.start, node)
        )
    title = player.node.title
    objective = player.objectives[0]
    return PlayerInfo(
        player.node.name.name,
        "" if title is None else title.value,
        tuple(variables),
        objective.sense,
        objective.value,
        tuple(player.constraints),
        player.node,
    )
