"""`mlodsl solve MODEL`: solves a model, shows the result and writes it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from mlodsl.diagnostics import ModelError

from .cache import NO_CACHE
from .command import Arguments, Command, Flag
from .devices import DEVICE_FLAGS, Devices, read_devices
from .inputs import CONFIG, DATA, SET, STRATEGY, Ready, compile_model, wrong_value
from .output import STANDARD_OUTPUT, verify_target, write_result
from .solve_sweep import solve_sweep
from .sweep import SWEEP
from .terminal import note

if TYPE_CHECKING:
    from mlodsl.solver import Checkpoint, Solution, Step

    from .progress import Progress

_EXIT_CODES = {"converged": 0, "interrupted": 130}


def solve_model(arguments: Arguments) -> int:
    """Solves a model; 0 converged, 1 not, 130 interrupted."""
    if arguments.has("--sweep"):
        return solve_sweep(arguments)
    devices = read_devices(arguments)
    if devices.processes is not None:
        from .processes import supervise

        return supervise(arguments)
    return solve_on(arguments, devices)


def solve_on(arguments: Arguments, devices: Devices) -> int:
    """Solves a model on the devices; of several processes the first writes and prints."""
    quiet = arguments.has("--quiet") or not devices.reports
    out = arguments.one("--out") if devices.reports else None
    if devices.reports:
        _verify_targets(arguments)
    ready = compile_model(arguments, quiet=quiet, prepare=devices.prepare)
    solution = _solve(arguments, ready, devices, quiet)
    try:
        if out is not None:
            from mlodsl.report import result_dict

            write_result("--out", out, result_dict(solution, ready.checked.name))
    finally:
        # Also where it could not be written after all: the answer isn't lost.
        if not quiet:
            _show(solution, ready, to_stderr=STANDARD_OUTPUT in (out, arguments.one("--trace")))
    return _EXIT_CODES.get(solution.status, 1)


def _verify_targets(arguments: Arguments) -> None:
    """Raises where a result could not be written, before anything is solved."""
    out, trace = arguments.one("--out"), arguments.one("--trace")
    wrong = [*verify_target("--out", out), *verify_target("--trace", trace)]
    if out is not None and out == trace:
        message = f"`--out` and `--trace` both write to `{out}`"
        wrong.append(wrong_value("--trace", out, message, "name another file"))
    if arguments.one("--checkpoint") == "":
        wrong.append(wrong_value("--checkpoint", "", "the path is empty", code="E705"))
    if wrong:
        raise ModelError(wrong)


def _solve(arguments: Arguments, ready: Ready, devices: Devices, quiet: bool) -> Solution:
    from mlodsl.solver import Watch, solve

    from .progress import on_phase, progress

    checkpoint = _open_checkpoint(arguments, ready)
    resumes = checkpoint is not None and checkpoint.exists
    if resumes and checkpoint is not None and not quiet:
        note(f"resuming from {checkpoint.path}")
    sense = ready.problem.senses[0]
    placed = devices.place(ready.problem, ready.checked.settings)
    if placed.shared and not quiet:
        note(placed.description)
    trace_file = arguments.one("--trace") if devices.reports else None
    with (
        placed.running(),
        _trace(trace_file, ready, append=resumes) as trace,
        progress(sense, quiet=quiet) as shown,
    ):
        watch = Watch(on_phase=on_phase(shown), on_step=_both(shown, trace))
        if checkpoint is not None:
            watch = Watch(watch.on_phase, watch.on_step, checkpoint.save, checkpoint.resume)
        try:
            return solve(placed.problem, ready.checked.settings, watch)
        finally:
            if checkpoint is not None:
                checkpoint.flush()


def _both(shown: Progress, trace: Callable[[Step], None]) -> Callable[[Step], None]:
    def on_step(step: Step) -> None:
        trace(step)
        shown.step(step)

    return on_step


def _open_checkpoint(arguments: Arguments, ready: Ready) -> Checkpoint | None:
    folder = arguments.one("--checkpoint")
    if folder is None:
        return None
    from mlodsl.report import versions
    from mlodsl.solver import Checkpoint, is_constrained, key_of_run

    if is_constrained(ready.problem):
        message = "runs of models with constraints can't be saved yet"
        raise ModelError([wrong_value("--checkpoint", folder, message, "leave it out")])
    settings = ready.checked.settings
    if settings.starts not in ("auto", 1):
        message = f"a run from several starts (`starts = {settings.starts}`) can't be saved yet"
        hint = "leave it out, or run with `--set solve.starts=1`"
        raise ModelError([wrong_value("--checkpoint", folder, message, hint)])
    known = versions()
    numerical = {name: known[name] for name in ("mlodsl", "jax", "equinox")}
    key = key_of_run(ready.problem, settings, ready.hashes, numerical)
    limits = {
        "tolerance": settings.tolerance,
        "max_steps": settings.max_steps,
        "timeout": settings.timeout,
    }
    return Checkpoint(Path(folder), key, limits)


@contextmanager
def _trace(path: str | None, ready: Ready, *, append: bool) -> Iterator[Callable[[Step], None]]:
    """A function that writes a step as one line of JSON."""
    if path is None:
        yield lambda step: None
        return
    from mlodsl.report import step_dict

    problem = ready.problem

    def write(file: TextIO) -> Callable[[Step], None]:
        def on_step(step: Step) -> None:
            file.write(json.dumps(step_dict(step, problem.senses[0], problem.level_names)) + "\n")
            file.flush()

        return on_step

    if path == STANDARD_OUTPUT:
        yield write(sys.stdout)
        return
    with Path(path).open("a" if append else "w", encoding="utf-8") as file:
        yield write(file)


def _show(solution: Solution, ready: Ready, *, to_stderr: bool) -> None:
    from rich.console import Console

    from mlodsl.report import result_table

    console = Console(stderr=to_stderr, highlight=False)
    console.print(result_table(solution, ready.checked.name, ready.problem.objective_senses))


COMMAND = Command(
    name="solve",
    words="MODEL",
    least=1,
    most=1,
    doc="""Solves a model: prints a progress line while it runs, and a table of what was found and
    what is known of it.

    Exits with 0 where it converged, with 1 where it did not (the result is still written), with 2
    where the input is wrong, with 130 where it was interrupted. After Ctrl-C the best point so
    far is certified and written; a second Ctrl-C leaves at once.""",
    flags=(
        Flag("--out", "write the result as JSON; - is standard output, alone there", "FILE"),
        SET,
        DATA,
        CONFIG,
        STRATEGY,
        SWEEP,
        *DEVICE_FLAGS,
        Flag("--checkpoint", "save as it runs; the same command again resumes", "DIR"),
        Flag("--trace", "write a line of JSON a step", "FILE"),
        Flag("--quiet", "print neither progress nor table"),
        NO_CACHE,
    ),
    run=solve_model,
    examples=(
        ("mlodsl solve stackelberg3", "a ready model"),
        ("mlodsl solve game.mlo --set c=10 --out result.json", "a param, and a file"),
        ("mlodsl solve game.mlo --quiet --out - | jq .variables", "in a pipe"),
        ("mlodsl solve game.mlo --sweep c=0.1:10:log:50 --out runs/", "50 values at once"),
        ("mlodsl solve long.mlo --checkpoint runs/1", "may be stopped and taken up again"),
    ),
)
