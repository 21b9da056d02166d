"""The passes of the checker, in a row: names, order, types, levels, settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mlodsl.diagnostics import Diagnostic
from mlodsl.settings import Layer, read_settings
from mlodsl.syntax import nodes

from . import assembly
from .calls import result_of
from .choices import constraint_type, verify_domain, verify_objective, verify_start
from .declarations import data_type, let_types, param_type, variable_type
from .dependence import Dependence, report_circles
from .evaluate import HANDLERS
from .features import features_of
from .given import GivenParam, verify_given
from .inference import Function, Inference
from .levels import verify_levels
from .model import CheckedModel
from .order import Order, sort_by_need
from .outline import Item, ItemKind, Outline, read_outline
from .reports import Reports
from .resolve import resolve
from .static_indices import index_use
from .symbols import declare
from .types import UNKNOWN, Shape
from .unfolding import verify_unfolding
from .unused import warn_unused


def check(
    program: nodes.Program,
    *,
    settings_layers: Sequence[Layer] = (),
    given_params: Mapping[str, GivenParam] | None = None,
    data_shapes: Mapping[str, Shape] | None = None,
    given_data: Collection[str] = (),
    python_functions: Collection[str] = (),
    require_values: bool = False,
) -> tuple[CheckedModel | None, tuple[Diagnostic, ...]]:
    """Checks a whole program: names, shapes, levels, domains, options.

    Arguments:
        program: as parsed.
        settings_layers: how to solve it, after the file's `solve` block; later layers win.
        given_params: params' values from the caller.
        data_shapes: shapes of the data that was read.
        given_data: names of data that the caller gives, read or not.
        python_functions: names of functions that the Python caller adds.
        require_values: whether every param and all data must have a value.

    Returns:
        The checked model, None where there is any error, and all findings by place.
    """
    given = given_params or {}
    shapes = data_shapes or {}
    reports = Reports()
    outline = read_outline(program, reports)
    verify_levels(program, outline, reports)
    table = declare(outline, python_functions, reports)
    references = resolve(outline, table, reports)
    order = sort_by_need([found.needs for found in references])
    circular = report_circles(outline, order, reports)
    broken = circular | verify_unfolding(outline, order, circular, reports)
    dependence = Dependence(outline, references, order)
    dependence.report(reports)
    verify_given(outline, given, reports)
    inference = Inference(HANDLERS, table, reports)
    _infer(outline, order, broken, inference, given, shapes)
    _verify_values(outline, given, shapes, given_data, require_values, reports)
    layers = [() if outline.solve is None else outline.solve.options, *settings_layers]
    level_names = [level.node.name.name for level in outline.levels]
    settings, findings = read_settings(layers, level_names)
    reports.take(findings)
    if reports.has_errors:
        return None, reports.sorted()
    # Only now: a misspelt name leaves the right one unused.
    warn_unused(outline, table, references, reports)
    name, title = assembly.model_name(program, outline)
    model = CheckedModel(
        name=name,
        title=title,
        program=program,
        params=assembly.param_infos(outline, order, inference, given),
        data=assembly.data_infos(outline, inference, shapes, given_data),
        lets=assembly.let_infos(outline, order, inference, dependence),
        functions=assembly.function_infos(outline, order),
        statics=assembly.statics_of(inference, outline),
        levels=assembly.level_infos(outline, inference),
        settings=settings,
        python_functions=frozenset(python_functions),
        features=features_of(outline, settings, layers),
        uses_duals=any(found.duals for found in references),
        index_use=inference.index_use,
    )
    return model, reports.sorted()


def _infer(
    outline: Outline,
    order: Order,
    broken: set[int],
    inference: Inference,
    given: Mapping[str, GivenParam],
    shapes: Mapping[str, Shape],
) -> None:
    """Works out the type of everything, each item after what it needs."""
    inference.types.update(dict.fromkeys(inference.table.spoiled, UNKNOWN))
    functions: dict[str, nodes.LetFunction] = {}
    for index in order.sequence:
        node = outline.items[index].node
        if isinstance(node, nodes.LetFunction):
            usable = index not in broken
            inference.functions.setdefault(node.name.name, Function(node, not usable))
            if usable:
                functions.setdefault(node.name.name, node)
    inference.index_use = index_use(functions, tuple(functions))
    for index in order.sequence:
        item = outline.items[index]
        if index in broken:
            for name in item.names:
                inference.types.setdefault(name.name, UNKNOWN)
        else:
            _infer_item(index, item, inference, given, shapes)


def _infer_item(
    index: int,
    item: Item,
    inference: Inference,
    given: Mapping[str, GivenParam],
    shapes: Mapping[str, Shape],
) -> None:
    types = inference.types
    match item.node:
        case nodes.Param(name) as node:
            types.setdefault(name.name, param_type(inference, node, given.get(name.name)))
        case nodes.Data(name) as node:
            types.setdefault(name.name, data_type(inference, node, index, shapes))
        case nodes.LetValue() | nodes.LetParts() as node:
            for identifier, found in zip(item.names, let_types(inference, node), strict=True):
                types.setdefault(identifier.name, found)
        case nodes.LetFunction(parameters=parameters) as node:
            # Whatever its arguments are: what is wrong in it anyway is found here, once.
            function = Function(node)
            result_of(inference, function, (UNKNOWN,) * len(parameters), None)
        case nodes.Var(name) as node:
            types.setdefault(name.name, variable_type(inference, node))
        case nodes.Objective() as node:
            verify_objective(inference, node)
        case nodes.Constraint() as node:
            found = constraint_type(inference, node)
            if node.name is not None:
                inference.duals.setdefault(node.name.name, found)
        case _ if item.owner is not None and item.kind is ItemKind.DOMAIN:
            assert isinstance(item.node, nodes.IntervalDomain | nodes.NamedDomain)
            verify_domain(inference, item.node, item.owner)
        case _:
            assert item.owner is not None and item.kind is ItemKind.START
            verify_start(inference, item.node, item.owner)  # type: ignore[arg-type]


def _verify_values(
    outline: Outline,
    given: Mapping[str, GivenParam],
    shapes: Mapping[str, Shape],
    given_data: Collection[str],
    require_values: bool,
    reports: Reports,
) -> None:
    """Reports params and data without a value: an error where values are needed."""
    for item in outline.items:
        match item.node:
            case nodes.Param(name, _, None) if require_values and name.name not in given:
                message = f"the param `{name.name}` has no value"
                hint = f"give it with `--set {name.name}=…`, or `params=…` in Python"
                reports.add("E604", message, name.span, hint)
            case nodes.Data(name, _, None):
                if name.name in shapes or name.name in given_data:
                    continue
                hint = f"give it with `--data {name.name}=PATH`, or `data=…` in Python"
                if require_values:
                    message = f"the data `{name.name}` has no source"
                    reports.add("E604", message, name.span, hint)
                else:
                    message = f"the sizes of the data `{name.name}` are not known yet"
                    reports.add("W901", message, name.span, hint)
