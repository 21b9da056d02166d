"""`mlodsl verify MODEL`: the total gradient against finite differences."""

from __future__ import annotations

from mlodsl.diagnostics import ModelError

from .cache import NO_CACHE
from .command import Arguments, Command, Flag
from .inputs import CONFIG, DATA, SET, STRATEGY, compile_model, wrong_value
from .point import at_flag, evaluate_point, read_point, with_point
from .terminal import note


def verify(arguments: Arguments) -> int:
    """Compares the gradients; 1 where they disagree, or can't be compared."""
    values, wrong = read_point(arguments.all("--at"))
    result = arguments.one("--result")
    if result is not None and values:
        message = "`--result` and `--at` both name a point"
        raise ModelError([*wrong, wrong_value("--result", result, message, "remove one of them")])

    from .result_file import point_of_result, read_variables

    variables = None if result is None else read_variables("--result", result)
    ready = compile_model(arguments, adapt=lambda inputs: with_point(inputs, values, wrong))
    problem, settings = ready.problem, ready.checked.settings
    # A value outside of its domain is an error; the start itself is moved into it.
    evaluate_point(problem, values)

    import jax
    from rich.console import Console

    from mlodsl.report import verification_table
    from mlodsl.solver import verify_gradient

    point = None
    if result is not None and variables is not None:
        with jax.enable_x64(True):
            point = problem.pack(point_of_result(problem, "--result", result, variables))
    found = verify_gradient(problem, settings, point)
    if found.findings:
        note(f"at {found.at}:")
        note("the gradient can't be verified here: " + ". ".join(found.findings))
        return 1
    Console(highlight=False).print(verification_table(found))
    return 0 if found.agrees else 1


COMMAND = Command(
    name="verify",
    words="MODEL",
    least=1,
    most=1,
    doc="""Compares the total gradient of the top level, as a minimisation and as the strategy
    computes it, with finite differences: the lower levels are solved anew at points around the
    given one. Entry by entry where the top level has few variables, else along random directions.

    The point is the model's start, or the one that --at or --result gives. Variables that --at
    leaves out are at the model's start.

    Exits with 1 where the two disagree, or where the lower levels can't be solved there.""",
    flags=(
        at_flag("the value of a variable, written as in a model"),
        Flag("--result", "the point of a result that `solve --out` wrote", "FILE"),
        SET,
        DATA,
        CONFIG,
        STRATEGY,
        NO_CACHE,
    ),
    run=verify,
    examples=(
        ("mlodsl verify three_generals", "at the model's start"),
        ("mlodsl verify game.mlo --at x=0.3", "elsewhere"),
        ("mlodsl verify game.mlo --result result.json", "at a result"),
    ),
)
