"""Tables for the terminal: what came of `solve`, `respond` and `verify`.

Readable at 80 columns and without colour; colour only stresses what the words say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mlodsl.solver import (
    Certificate,
    LevelCertificate,
    ResponseReport,
    Solution,
    Status,
    Verification,
)

from .numbers import short, summary

_MOST_ENTRIES = 20


def result_table(solution: Solution, model: str, senses: Sequence[str]) -> RenderableType:
    """What `solve` found: status, variables, levels with their certificates, times.

    Arguments:
        senses: `minimize` or `maximize` for each objective, as written.
    """
    solved = solution.status is Status.CONVERGED
    steps = f"{solution.steps} step{'' if solution.steps == 1 else 's'}"
    head = Text.assemble(
        (model, "bold"),
        ": ",
        (str(solution.status), "bold green" if solved else "bold red"),
        f" after {steps}, {short(solution.seconds['total'])} s",
    )
    levels = _levels(solution.certificate.levels, solution.objectives, senses)
    return Group(
        Text(""),
        head,
        Text(sentence(solution.message)),
        _variables(solution.variables),
        levels,
        Text(""),
        Text(_checks(solution.certificate)),
        Text(_seconds(solution), style="dim"),
    )


def response_table(report: ResponseReport, senses: Sequence[str]) -> RenderableType:
    """What `respond` found: the answering levels' variables, and each level."""
    parts: list[RenderableType] = [_variables(report.variables)]
    parts.append(_levels(report.levels, report.objectives, senses))
    parts += [Text(sentence(finding), style="red") for finding in report.findings]
    return Group(*parts)


def verification_table(found: Verification) -> RenderableType:
    """What `verify` compared: the point, and each entry of the gradient, or each direction."""
    table = new_table("along", "total gradient", "finite difference", "error")
    for name, gradient, difference in zip(
        found.names[:_MOST_ENTRIES], found.gradient, found.differences, strict=False
    ):
        error = abs(gradient - difference)
        table.add_row(name, short(gradient, 10), short(difference, 10), short(error))
    parts: list[RenderableType] = [Text(f"At {found.at}:")] if found.at else []
    parts.append(Padding(table, (1, 0, 0, 2)))
    left = len(found.names) - _MOST_ENTRIES
    if left > 0:
        parts.append(Text(f"  and {left} more"))
    return Group(*parts, Text(""), Text(_agreement(found)))


def _agreement(found: Verification) -> str:
    word = "agrees" if found.agrees else "disagrees"
    return (
        f"The total gradient of level `{found.level}` by `{found.strategy}` {word} with finite "
        f"differences: relative error {short(found.relative_error)}, where at most "
        f"{short(found.accuracy)} counts as agreement."
    )


def new_table(*columns: str) -> Table:
    """A table with these columns; the first doesn't break."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for position, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=position == 0)
    return table


def _variables(variables: Mapping[str, np.ndarray]) -> RenderableType:
    table = new_table("variable", "value")
    for name, value in variables.items():
        table.add_row(name, summary(value))
    return Padding(table, (1, 0, 0, 2))


def _levels(
    levels: Mapping[str, LevelCertificate],
    objectives: Mapping[str, float],
    senses: Sequence[str],
) -> RenderableType:
    table = new_table("level", "objective", "", "gradient norm", "min curvature")
    for (name, value), sense in zip(objectives.items(), senses, strict=True):
        known = levels.get(name)
        gradient = short(known.gradient_norm) if known else "-"
        curvature = short(known.min_curvature) if known else "-"
        if known is not None and known.unique is False and known.direction is not None:
            curvature += f" along {known.direction}"
        table.add_row(name, short(value, 8), f"{sense}d", gradient, curvature)
    return Padding(table, (1, 0, 0, 2))


def sentence(text: str) -> str:
    """A text as a sentence: with a capital and a full stop."""
    text = text[:1].upper() + text[1:].replace(". level ", ". Level ")
    return text if text.endswith(".") else f"{text}."


def _checks(certificate: Certificate) -> str:
    parts = [f"certificate: {certificate.claim or 'none'}"]
    if certificate.checked_against is not None:
        parts.append(
            f"gradient against {certificate.checked_against}: "
            f"relative error {short(certificate.relative_error)}"
        )
    if certificate.constraint_violation:
        parts.append(f"constraint violation {short(certificate.constraint_violation)}")
    return "; ".join(parts)


def _seconds(solution: Solution) -> str:
    seconds = solution.seconds
    parts = [f"{name} {short(seconds[name])} s" for name in ("compile", "solve", "certificate")]
    return f"strategy {solution.strategy.name} ({solution.strategy.chosen_by}); {', '.join(parts)}"
