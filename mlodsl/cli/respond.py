"""`mlodsl respond MODEL --at x=0.3`: the lower levels' best response."""

from __future__ import annotations

from mlodsl.diagnostics import ModelError

from .cache import NO_CACHE
from .command import Arguments, Command, Flag
from .inputs import CONFIG, DATA, SET, compile_model
from .output import STANDARD_OUTPUT, verify_target, write_result
from .point import at_flag, evaluate_point, leading_levels, read_point, with_point
from .terminal import note


def respond(arguments: Arguments) -> int:
    """Prints what the lower levels answer; 1 where they can't be solved there."""
    out = arguments.one("--out")
    wrong = verify_target("--out", out)
    if wrong:
        raise ModelError(wrong)
    values, found = read_point(arguments.all("--at"))
    ready = compile_model(arguments, adapt=lambda inputs: with_point(inputs, values, found))
    problem = ready.problem
    levels = leading_levels(problem, values)
    leading = evaluate_point(problem, values)

    import jax

    from mlodsl.report import plain, response_table
    from mlodsl.solver import best_response_report

    with jax.enable_x64(True):
        folded = problem.fold()
        layouts = problem.structure.levels[:levels]
        above = tuple(layout.pack(leading, problem.structure.dtype) for layout in layouts)
        start = folded.start(ready.checked.settings.seed)
        report = best_response_report(folded, above, start[levels:])
    if out is not None:
        result = {
            "format": 1,
            "model": ready.checked.name,
            "at": leading,
            "variables": report.variables,
            "objectives": report.objectives,
            "findings": report.findings,
        }
        write_result("--out", out, plain(result))
    if out == STANDARD_OUTPUT:
        for finding in report.findings:
            note(finding)
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.print(response_table(report, problem.objective_senses))
    return 1 if report.findings else 0


COMMAND = Command(
    name="respond",
    words="MODEL",
    least=1,
    most=1,
    doc="""Prints the lower levels' best response to given upper variables: all variables of the top
    level, or of the first few levels. The levels below start where the model says.

    Exits with 1 where a lower level can't be solved there; a sentence says why.""",
    flags=(
        at_flag("the value of an upper variable, written as in a model"),
        Flag("--out", "write the response as JSON; - is standard output, alone there", "FILE"),
        SET,
        DATA,
        CONFIG,
        NO_CACHE,
    ),
    run=respond,
    examples=(
        ("mlodsl respond stackelberg3 --at x1=0.3", "two levels answer"),
        ("mlodsl respond stackelberg3 --at x1=0.3 --at x2=0.1", "one level answers"),
        ("mlodsl respond game.mlo --at x=[1,2] --out -", "as JSON"),
    ),
)
