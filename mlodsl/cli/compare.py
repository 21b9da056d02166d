"""`mlodsl compare MODEL`: the same model under several strategies, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.settings import StrategyChoice

from .cache import NO_CACHE
from .command import Arguments, Command, Flag
from .contenders import FLAG, read_strategies, run_contenders
from .inputs import CONFIG, DATA, SET, Ready, compile_model, wrong_value
from .interruption import INTERRUPTED
from .output import STANDARD_OUTPUT, verify_target, write_result
from .picture_file import verify_picture, write_picture

if TYPE_CHECKING:
    from mlodsl.report import Comparison, Contender


def compare(arguments: Arguments) -> int:
    """Solves under each strategy; 0 where one converged, 1 where none did."""
    choices, wrong = read_strategies(arguments.one(FLAG))
    wrong += _verify_targets(arguments)
    if wrong:
        raise ModelError(wrong)
    quiet = arguments.has("--quiet")
    ready = compile_model(arguments, quiet=quiet)
    contenders, interrupted = _run_all(ready, choices, quiet)
    refusals = [diagnostic for one in contenders for diagnostic in one.refusal]
    if refusals and all(one.solution is None for one in contenders):
        raise ModelError(refusals)

    from mlodsl.report import Comparison

    comparison = Comparison(ready.checked.name, ready.problem.senses[0], tuple(contenders))
    try:
        _write(arguments, comparison)
    finally:
        # Also where a file could not be written after all: the answers aren't lost.
        if not quiet:
            _show(comparison, to_stderr=arguments.one("--out") == STANDARD_OUTPUT)
    if interrupted:
        return INTERRUPTED
    return 0 if any(one.converged for one in contenders) else 1


def _verify_targets(arguments: Arguments) -> list[Diagnostic]:
    """What is wrong with the files to write, before anything is solved."""
    out, plot = arguments.one("--out"), arguments.one("--plot")
    wrong = [*verify_target("--out", out), *verify_picture("--plot", plot)]
    if out is not None and out == plot:
        message = f"`--out` and `--plot` both write to `{out}`"
        wrong.append(wrong_value("--plot", out, message, "name another file"))
    return wrong


def _run_all(
    ready: Ready, choices: dict[str, StrategyChoice], quiet: bool
) -> tuple[list[Contender], bool]:
    """All runs, up to the one that was interrupted; and whether one was."""
    contenders: list[Contender] = []
    try:
        for contender in run_contenders(ready, choices, quiet):
            contenders.append(contender)
            if contender.solution is not None and contender.solution.status == "interrupted":
                return contenders, True
    except KeyboardInterrupt:
        if not contenders:
            raise
        return contenders, True
    return contenders, False


def _write(arguments: Arguments, comparison: Comparison) -> None:
    from mlodsl.report import comparison_dict, comparison_drawing

    out, plot = arguments.one("--out"), arguments.one("--plot")
    written = comparison_dict(comparison)
    if out is not None:
        write_result("--out", out, written)
    if plot is not None:
        write_picture("--plot", plot, comparison_drawing(written))


def _show(comparison: Comparison, *, to_stderr: bool) -> None:
    from rich.console import Console

    from mlodsl.report import comparison_table

    Console(stderr=to_stderr, highlight=False).print(comparison_table(comparison))


COMMAND = Command(
    name="compare",
    words="MODEL",
    least=1,
    most=1,
    doc="""Solves a model under several strategies and prints side by side what each found, what is
    known of it, and what it took. Without --strategies all are run. A strategy that can't solve
    the model is a row that says why. Each run compiles for itself, so times can be compared.

    Exits with 0 where at least one strategy converged, with 1 where none did, with 2 where the
    input is wrong or no strategy takes the model, with 130 where it was interrupted.""",
    flags=(
        Flag(FLAG, "separated by commas, each as --strategy takes it", "a,b,…"),
        Flag("--out", "write the comparison as JSON; - is standard output", "FILE"),
        Flag("--plot", "draw it: a curve for each strategy; .png, .svg or .pdf", "FILE"),
        SET,
        DATA,
        CONFIG,
        Flag("--quiet", "print neither progress nor tables"),
        NO_CACHE,
    ),
    run=compare,
    examples=(
        ("mlodsl compare stackelberg3", "all strategies"),
        ("mlodsl compare game.mlo --strategies 'auto,implicit(linear_solver=cg)'", "some"),
        ("mlodsl compare game.mlo --out runs.json --plot runs.png", "keep it"),
        ("mlodsl compare game.mlo --set solve.timeout=60", "a minute each"),
    ),
)
