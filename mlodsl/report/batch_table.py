"""The table of many instances of one model: a line each, and how many ended how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from mlodsl.solver import Solution, Status

from .numbers import short
from .tables import new_table, sentence

# So many lines are shown whole; of more, the first and the last.
_MOST_LINES = 60
_HEAD = 20
_TAIL = 10

# What fits into 80 columns beside the number, the status and the objective.
_MOST_COLUMNS = 5
_MOST_MESSAGES = 5


def batch_table(
    solutions: Sequence[Solution],
    model: str,
    params: Mapping[str, np.ndarray],
    seconds: float,
) -> RenderableType:
    """A line for each instance: its params, status, top objective and first few variables.

    Arguments:
        solutions: at least one.
        params: those that vary, stacked over the instances.
        seconds: of the whole batch.
    """
    columns, left = _columns(solutions[0], params)
    top = next(iter(solutions[0].objectives))
    table = new_table("", *(name for name, _ in columns[: len(params)]), "status", top)
    for name, _ in columns[len(params) :]:
        table.add_column(name, overflow="fold")
    count = len(solutions)
    shown = range(count) if count <= _MOST_LINES else [*range(_HEAD), *range(count - _TAIL, count)]
    for before, index in zip([None, *shown], shown, strict=False):
        if before is not None and index != before + 1:
            table.add_row("…")
        table.add_row(str(index + 1), *_cells(solutions[index], columns, params, index))
    parts: list[RenderableType] = [_head(solutions, model, seconds), Padding(table, (1, 0, 0, 2))]
    if left:
        parts.append(Text(f"  not shown: {', '.join(left)}", style="dim"))
    parts += _messages(solutions)
    return Group(*parts)


def _head(solutions: Sequence[Solution], model: str, seconds: float) -> RenderableType:
    counts = Counter(one.status for one in solutions)
    every = f"{len(solutions)} instance{'s' * (len(solutions) != 1)}"
    told: list[tuple[str, str] | str] = []
    for status, number in counts.most_common():
        style = "bold green" if status is Status.CONVERGED else "bold red"
        told += [", " if told else "", (f"{number} {status}", style)]
    return Text.assemble("\n", (model, "bold"), f": {every}: ", *told, f"; {short(seconds)} s")


_Column = tuple[str, tuple[int, ...] | None]


def _columns(first: Solution, params: Mapping[str, np.ndarray]) -> tuple[list[_Column], list[str]]:
    """The params that vary, then single numbers among the variables; and who doesn't fit."""
    columns: list[_Column] = [(name, None) for name in params]
    left = []
    for name, value in first.variables.items():
        entries = list(np.ndindex(value.shape))
        if len(columns) + len(entries) <= max(_MOST_COLUMNS, len(params) + 1):
            for entry in entries:
                inside = ", ".join(map(str, entry))
                columns.append((f"{name}[{inside}]" if inside else name, (*entry,)))
        else:
            left.append(name)
    return columns, left


def _cells(
    solution: Solution,
    columns: Sequence[_Column],
    params: Mapping[str, np.ndarray],
    index: int,
) -> list[str]:
    given, values = columns[: len(params)], columns[len(params) :]
    solved = solution.status is Status.CONVERGED
    status = str(solution.status) if solved else f"[red]{solution.status}[/red]"
    top = next(iter(solution.objectives.values()))
    return [
        *(_number(params[name][index]) for name, _ in given),
        status,
        short(top, 7),
        *(
            short(float(solution.variables[name.partition("[")[0]][entry or ()]), 7)
            for name, entry in values
        ),
    ]


def _number(value: np.ndarray) -> str:
    if value.ndim == 0:
        return short(float(value), 6)
    inside = ", ".join(short(float(entry), 4) for entry in value.ravel()[:3])
    return f"[{inside}{', …' if value.size > 3 else ''}]".replace("[", "\\[", 1)


def _messages(solutions: Sequence[Solution]) -> list[RenderableType]:
    """What is said of the first few instances that did not converge."""
    failed = [
        (index, one) for index, one in enumerate(solutions) if one.status is not Status.CONVERGED
    ]
    lines: list[RenderableType] = [Text("")] if failed else []
    for index, one in failed[:_MOST_MESSAGES]:
        lines.append(Text(f"{index + 1}: {one.status}. {sentence(one.message)}"))
    if len(failed) > _MOST_MESSAGES:
        lines.append(Text(f"and {len(failed) - _MOST_MESSAGES} more that did not converge"))
    return lines
