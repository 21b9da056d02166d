"""An explanation as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from .cost import Measured
from .explanation import Explanation, Way, listens_to, size_of
from .mathematics import Statement, model_spelling, statement_of
from .numbers import short
from .tables import new_table, sentence


def explanation_text(explanation: Explanation, width: int) -> RenderableType:
    """What the model is, as mathematics, and how it would be solved."""
    checked = explanation.checked
    title = f": {checked.title}" if checked.title else ""
    parts: list[RenderableType] = [
        Text.assemble((checked.name, "bold"), title),
        _levels(explanation),
        *_mathematics(statement_of(checked, width)),
    ]
    if explanation.way is not None:
        parts += _way(explanation.way)
    else:
        parts += [_heading("How it would be solved")]
        parts += [Text(f"  {sentence(one.message)}") for one in explanation.obstacles]
        parts += [Text(f"  {sentence(one.hint)}") for one in explanation.obstacles if one.hint]
    return Group(*parts)


def _heading(text: str) -> RenderableType:
    return Padding(Text(text, style="bold"), (1, 0, 0, 0), expand=False)


def _levels(explanation: Explanation) -> RenderableType:
    checked = explanation.checked
    spelling = model_spelling(checked)
    table = new_table("level", "variables", "numbers", "listens to")
    for info in checked.levels:
        names = []
        for variable in info.variables:
            written = spelling.get(variable.name, variable.name)
            same = written == variable.name
            names.append(variable.name if same else f"{variable.name} ({written})")
        size = size_of(info.variables)
        others = ", ".join(listens_to(checked, info)) or "no other"
        number = "?" if size is None else str(size)
        table.add_row(info.name, Text(", ".join(names)), number, others)
    return Padding(table, (1, 0, 0, 2), expand=False)


def _mathematics(statement: Statement) -> Iterable[RenderableType]:
    yield _heading("Each level's problem")
    yield _lines(statement.levels)
    if len(statement.nest) > 1:
        yield _heading("As one problem")
        yield _lines(statement.nest)
    if statement.names:
        yield _heading("Where")
        yield _lines(line.removeprefix("    ") for line in statement.names)


def _lines(lines: Iterable[str]) -> RenderableType:
    return Padding(Text("\n".join(lines), overflow="fold"), (0, 0, 0, 2), expand=False)


def _way(way: Way) -> Iterable[RenderableType]:
    chosen = way.chosen
    options = ", ".join(f"{name} = {value}" for name, value in chosen.options.items())
    call = f"{chosen.name}({options})" if options else chosen.name
    yield _heading("How it would be solved")
    yield _lines([f"{call}, chosen by {'you' if chosen.chosen_by == 'user' else 'auto'}"])
    yield _lines(sentence(text) for text in (chosen.reason, *chosen.warnings))
    if way.measured is None:
        yield _heading("What it solves")
        text = (
            f"Programs in up to {way.unknowns} unknowns: all variables and the multipliers below."
        )
        yield _lines([text])
        return
    yield _heading("What a step costs")
    if way.systems:
        table = new_table("level", "unknowns", "order", "linear system")
        for system in way.systems:
            table.add_row(system.level, str(system.unknowns), str(system.order), system.words)
        yield Padding(table, (0, 0, 1, 2), expand=False)
    total = f"All levels' conditions in one system have {way.unknowns} unknowns."
    yield _lines([total, _measured(way.measured)])


def _measured(measured: Measured) -> str:
    text = (
        f"Measured: evaluating the start took {_counts(measured.start_evaluations)} total "
        f"gradients and {_counts(measured.start_products)} Hessian-vector products"
    )
    if measured.evaluations is None or measured.products is None or measured.seconds is None:
        return f"{text}; no step was made from there."
    steps = f"{measured.steps} step{'' if measured.steps == 1 else 's'}"
    return (
        f"{text}; a step after it, on average of {steps}, {_counts(measured.evaluations)} total "
        f"gradients, {_counts(measured.products)} products and "
        f"{short(measured.seconds)} seconds."
    )


def _counts(counts: Mapping[str, float]) -> str:
    """Counts of each level, top first: `1 + 4 + 12`."""
    return " + ".join(short(float(count), 4) for count in counts.values())
