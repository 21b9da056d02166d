"""A point that a person gives: `--at x=0.3`, read, checked and evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span
from mlodsl.syntax import parse_expression
from mlodsl.syntax.nodes import Expression

from .command import Flag
from .inputs import Inputs

if TYPE_CHECKING:
    import numpy as np

    from mlodsl.modules import Problem

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORM = "write `NAME=VALUE`, e.g. `x=0.3` or `x=[1, 2]`"


def at_flag(doc: str) -> Flag:
    """The flag `--at`."""
    return Flag("--at", doc, "NAME=VALUE", repeats=True)


def read_point(flags: Sequence[str]) -> tuple[dict[str, Expression], tuple[Diagnostic, ...]]:
    """The values that `--at` flags give, by variable name, and what is wrong with the flags."""
    values: dict[str, Expression] = {}
    wrong: list[Diagnostic] = []
    for flag in flags:
        source = Source("--at", flag)
        everything = Span(source, 0, len(flag))
        key, equals, value = flag.partition("=")
        name = key.strip()
        if not equals or not _WORD.fullmatch(name) or not value.strip():
            message = f"`--at {flag}` is not of the form `NAME=VALUE`"
            wrong.append(Diagnostic("E702", message, everything, _FORM))
        elif name in values:
            message = f"the variable `{name}` is given twice"
            wrong.append(Diagnostic("E506", message, everything, "remove one of the two"))
        else:
            try:
                values[name] = parse_expression(source, len(key) + 1)
            except ModelError as error:
                wrong += error.diagnostics
    return values, tuple(wrong)


def with_point(
    inputs: Inputs, values: Mapping[str, Expression], wrong: Sequence[Diagnostic]
) -> Inputs:
    """The inputs, the variables starting at a point; so the checker checks its shapes."""
    require_values = inputs.wishes.require_values and not wrong
    wishes = replace(inputs.wishes, starts=dict(values), require_values=require_values)
    return Inputs(wishes, (*inputs.diagnostics, *wrong))


def evaluate_point(problem: Problem, values: Mapping[str, Expression]) -> dict[str, np.ndarray]:
    """The values as arrays of the variables' shapes.

    Raises:
        ModelError: E606, a value isn't finite or is outside of its variable's domain.
    """
    import jax
    import numpy as np

    from mlodsl.modules.starts import start_of

    found: dict[str, np.ndarray] = {}
    wrong: list[Diagnostic] = []
    with jax.enable_x64(True):
        for level, layout in enumerate(problem.structure.levels):
            for variable in layout.variables:
                value = values.get(variable.name)
                if value is None:
                    continue
                scope = problem.scope([value], level, {})
                array = np.asarray(start_of(value, variable.shape, scope, None))
                if np.isfinite(array).all():
                    found[variable.name] = array
                else:
                    message = f"the value of `{variable.name}` is not finite"
                    wrong.append(Diagnostic("E606", message, value.span))
        if not wrong:
            wrong += [
                Diagnostic("E606", message, values[name].span)
                for name, message in outside_of_domains(problem, found).items()
            ]
    if wrong:
        raise ModelError(wrong)
    return found


def outside_of_domains(problem: Problem, values: Mapping[str, np.ndarray]) -> dict[str, str]:
    """A sentence for each variable whose value is outside of its domain."""
    import numpy as np

    found: dict[str, str] = {}
    for level, layout in enumerate(problem.structure.levels):
        if not problem.has_domain(level):
            continue
        whole = {
            item.name: values.get(item.name, np.zeros(item.shape)) for item in layout.variables
        }
        projected = problem.project(level, layout.pack(whole, problem.structure.dtype))
        inside = layout.unpack(projected)
        for variable in problem.structure.player(level).variables:
            if variable.domain is None or variable.name not in values:
                continue
            value = np.asarray(whole[variable.name])
            eps = float(np.finfo(problem.structure.dtype).eps)
            distance = np.abs(np.asarray(inside[variable.name]) - value)
            if (distance > 1e3 * eps * (1 + np.abs(value))).any():
                domain = variable.domain.span.text
                found[variable.name] = f"the value of `{variable.name}` is outside of `{domain}`"
    return found


def leading_levels(problem: Problem, values: Mapping[str, Expression]) -> int:
    """How many levels lead: those whose variables are all given.

    Raises:
        ModelError: E604, a variable of a leading level is missing; E605, those of all levels
            are given, so that nothing is left to answer.
    """
    layouts = problem.structure.levels
    names = [[variable.name for variable in layout.variables] for layout in layouts]
    levels = max(
        (index + 1 for index, own in enumerate(names) if set(own) & values.keys()), default=1
    )
    missing = [(layouts[level].name, name) for level in range(levels) for name in names[level]]
    missing = [(level, name) for level, name in missing if name not in values]
    if missing:
        raise ModelError(
            Diagnostic(
                "E604",
                f"the variable `{name}` of level `{level}` has no value",
                None,
                f"give it with `--at {name}=…`",
            )
            for level, name in missing
        )
    if levels == len(layouts):
        last = layouts[-1].name
        place = next(values[name].span for name in names[-1])
        message = f"no level is left to answer: `{last}` is the last one"
        hint = "a model of one level has no lower level" if levels == 1 else "leave it out"
        raise ModelError([Diagnostic("E605", message, place, hint)])
    return levels
