"""The tables of `compare`: what each strategy found, what it took, and what went wrong."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .comparison import Comparison, Contender, distance, evaluations_below, top_objective
from .numbers import short
from .tables import sentence


def comparison_table(comparison: Comparison) -> RenderableType:
    """Two tables with a row for each strategy, and a sentence for each that didn't converge."""
    best = comparison.best
    found = _table("status", "objective", "distance", "gradient", "claim", "error")
    took = _table(
        "steps",
        "top\ngrads",
        "lower\ngrads",
        "Hessian\nproducts",
        "compile\n(s)",
        "run\n(s)",
        "certify\n(s)",
    )
    for contender in comparison.contenders:
        found.add_row(Text(contender.label), *_found(contender, best))
        if contender.solution is not None:
            took.add_row(Text(contender.label), *_took(contender))
    return Group(
        Text(""),
        Text.assemble((comparison.model, "bold"), ": ", _heading(comparison)),
        Padding(found, (1, 0, 0, 2)),
        Padding(took, (1, 0, 0, 2)),
        Text(""),
        *_messages(comparison),
        Text(_legend(comparison), style="dim"),
    )


def _table(*columns: str) -> Table:
    """A table in which the strategies' names may break and the numbers don't."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    table.collapse_padding = True
    table.add_column("strategy", overflow="fold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _heading(comparison: Comparison) -> str:
    converged = sum(one.converged for one in comparison.contenders)
    return f"{converged} of {len(comparison.contenders)} strategies converged"


def _found(contender: Contender, best: Contender | None) -> tuple[str | Text, ...]:
    solution = contender.solution
    if solution is None:
        return (Text("refused", style="bold red"),)
    style = "bold green" if contender.converged else "bold red"
    certificate = solution.certificate
    away = "-"
    if best is not None and best.solution is not None:
        away = "best" if contender is best else short(distance(solution, best.solution), 2)
    return (
        Text(str(solution.status), style=style),
        short(top_objective(solution), 6),
        away,
        short(certificate.hypergradient_norm, 2),
        certificate.claim or "none",
        short(certificate.relative_error, 2),
    )


def _took(contender: Contender) -> tuple[str, ...]:
    solution = contender.solution
    assert solution is not None
    seconds = solution.seconds
    return (
        str(solution.steps),
        str(next(iter(solution.evaluations.values()))),
        str(evaluations_below(solution)),
        str(sum(solution.products.values())),
        *(short(seconds[name]) for name in ("compile", "solve", "certificate")),
    )


def _messages(comparison: Comparison) -> list[Text]:
    lines = []
    for contender in comparison.contenders:
        solution = contender.solution
        if solution is None:
            text = f"refused: {contender.message}"
        elif not contender.converged:
            text = contender.message
        elif solution.strategy.chosen_by == "auto":
            text = f"chose {solution.strategy.name}: {solution.strategy.reason}"
        else:
            continue
        lines.append(Text(f"{contender.label}: {sentence(text)}"))
    return [*lines, Text("")] if lines else []


def _legend(comparison: Comparison) -> str:
    best = comparison.best
    text = (
        "gradient (the norm of the total gradient), claim and error (relative, of that gradient "
        "against finite differences) are the certificate's, computed in the same way for all."
    )
    if best is not None:
        certified = best.solution is not None and best.solution.certificate.claim is not None
        of = "the best certified result" if certified else "the best result; none is certified"
        text += f" distance: of all variables from {of}, relative to 1 + their size."
    return text
