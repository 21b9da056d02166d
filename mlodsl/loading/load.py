"""Parses a model, reads its data, and checks both with what the caller says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlodsl.check import CheckedModel, GivenParam, check
from mlodsl.data import load_data
from mlodsl.diagnostics import Diagnostic, Span, has_errors, sort_by_place
from mlodsl.settings import Layer
from mlodsl.syntax import nodes, parse_program

from .find import ModelText
from .starts import with_starts

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller says besides the model's text.

    Arguments:
        layers: options of `solve`, later ones win.
        params: values of params, by name.
        paths: paths of data by name, with their places.
        arrays: arrays of data by name, from Python.
        functions: names of functions that a Python caller adds.
        starts: of variables, instead of those that the model gives.
        require_values: whether every param and data needs a value: not for `check`.
    """

    layers: tuple[Layer, ...] = ()
    params: Mapping[str, GivenParam] = field(default_factory=dict)
    paths: Mapping[str, tuple[str, Span | None]] = field(default_factory=dict)
    arrays: Mapping[str, object] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    starts: Mapping[str, nodes.Expression] = field(default_factory=dict)
    require_values: bool = True


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of it.

    Arguments:
        program: the syntax tree; None where the text has errors.
        checked: the checked model; None where anything has errors.
        arrays, hashes: the data's arrays and their content hashes, by name.
        diagnostics: all of them, warnings too, by place.
    """

    program: nodes.Program | None
    checked: CheckedModel | None
    arrays: Mapping[str, np.ndarray]
    hashes: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]


def load_model(text: ModelText, wishes: Wishes) -> Loaded:
    """Everything that is known of a model before it is compiled; errors are diagnostics."""
    program, diagnostics = parse_program(text.source)
    if program is None:
        return Loaded(None, None, {}, {}, sort_by_place(diagnostics))
    program, unknown = with_starts(program, wishes.starts)
    data = load_data(program, base=text.base, paths=wishes.paths, arrays=wishes.arrays)
    checked, found = check(
        program,
        settings_layers=wishes.layers,
        given_params=wishes.params,
        data_shapes=data.shapes,
        given_data={*wishes.paths, *wishes.arrays},
        python_functions=wishes.functions,
        require_values=wishes.require_values,
    )
    everything = sort_by_place((*diagnostics, *unknown, *data.diagnostics, *found))
    if has_errors(everything):
        checked = None
    if checked is not None and not any(
        isinstance(s, nodes.ModelHeader) for s in program.statements
    ):
        checked = replace(checked, name=text.stem)
    return Loaded(program, checked, data.arrays, data.hashes, everything)
