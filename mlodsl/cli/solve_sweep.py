"""`mlodsl solve MODEL --sweep NAME=SPEC`: many instances at once, a file each and one table."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlodsl.check import GivenParam
from mlodsl.diagnostics import ModelError

from .command import Arguments
from .devices import read_devices
from .inputs import Inputs, compile_model, wrong_value
from .output import STANDARD_OUTPUT, verify_target, write_result
from .sweep import Sweep, grid, read_sweeps, verify_sweeps
from .terminal import is_terminal, note

if TYPE_CHECKING:
    from mlodsl.solver import Solution

_INTERRUPTED = 130
_SECONDS_BETWEEN_LINES = 10.0
_LEAST_DIGITS = 3

_OF_ONE_RUN = (
    *("--checkpoint", "--trace"),
    *("--devices", "--coordinator", "--process-id", "--num-processes", "--wait"),
)


def solve_sweep(arguments: Arguments) -> int:
    """Solves all instances; 0 where all converged, 1 where not, 130 where it was interrupted."""
    quiet = arguments.has("--quiet")
    sweeps = read_sweeps(arguments.all("--sweep"), arguments.all("--set"))
    values = grid(sweeps)
    count = len(next(iter(values.values())))
    out = arguments.one("--out")
    _refuse_flags(arguments)
    paths = _paths(out, count)
    devices = dataclasses.replace(read_devices(arguments), count=1)
    ready = compile_model(
        arguments,
        quiet=quiet,
        adapt=lambda inputs: _with_first_values(inputs, sweeps),
        prepare=devices.prepare,
    )
    verify_sweeps(sweeps, ready.checked)
    placed = devices.place(ready.problem, ready.checked.settings)

    import jax

    from mlodsl.modules import instances_of
    from mlodsl.report import batch_table, result_dict
    from mlodsl.solver import Status, solve_batch

    from .interruption import raise_on_interrupt

    found: list[Solution] = []
    interrupted = False
    began = time.perf_counter()
    with jax.enable_x64(True):
        instances = instances_of(placed.problem, values)
    raise_on_interrupt()
    try:
        with placed.running(), _progress(count, quiet=quiet) as show:
            for solution in solve_batch(instances, ready.checked.settings):
                if paths:
                    target = str(paths[len(found)])
                    write_result("--out", target, result_dict(solution, ready.checked.name))
                found.append(solution)
                show(len(found))
    except KeyboardInterrupt:
        interrupted = True
    if out == STANDARD_OUTPUT:
        _print_list([result_dict(one, ready.checked.name) for one in found])
    if not quiet and found:
        from rich.console import Console

        seconds = time.perf_counter() - began
        solved = {name: value[: len(found)] for name, value in values.items()}
        console = Console(stderr=out == STANDARD_OUTPUT, highlight=False)
        console.print(batch_table(found, ready.checked.name, solved, seconds))
    if interrupted:
        note(f"interrupted after {len(found)} of {count} instances")
        return _INTERRUPTED
    return 0 if all(one.status is Status.CONVERGED for one in found) else 1


def _with_first_values(inputs: Inputs, sweeps: Sequence[Sweep]) -> Inputs:
    """The model is compiled with the first value of each param."""
    firsts = {sweep.name: GivenParam(sweep.first, span=sweep.place) for sweep in sweeps}
    wishes = dataclasses.replace(inputs.wishes, params={**inputs.wishes.params, **firsts})
    return dataclasses.replace(inputs, wishes=wishes)


def _refuse_flags(arguments: Arguments) -> None:
    """Raises for flags that are of one run alone."""
    wrong = []
    for flag in _OF_ONE_RUN:
        value = arguments.one(flag)
        if value is not None:
            message = f"`{flag}` is of one run, and `--sweep` makes many at once"
            hint = "leave it out, or solve one instance with `--set`"
            wrong.append(wrong_value(flag, value, message, hint))
    if wrong:
        raise ModelError(wrong)


def _paths(out: str | None, count: int) -> list[Path]:
    """A result file for each instance: FOLDER/001.json, or FILE-001.json beside each other.

    Raises:
        ModelError: E704, they can't be written.
    """
    if out is None or out == STANDARD_OUTPUT:
        return []
    digits = max(_LEAST_DIGITS, len(str(count)))
    if not out:
        raise ModelError(verify_target("--out", out))
    path = Path(out)
    if out.endswith("/") or path.is_dir():
        try:
            path.mkdir(exist_ok=True)
        except OSError as problem:
            message = f"`{out}` cannot be made: {problem.strerror or problem}"
            raise ModelError([wrong_value("--out", out, message, code="E704")]) from None
        paths = [path / f"{number:0{digits}}.json" for number in range(1, count + 1)]
    else:
        ending = path.suffix or ".json"
        names = (f"{path.stem}-{number:0{digits}}{ending}" for number in range(1, count + 1))
        paths = [path.with_name(name) for name in names]
    if wrong := verify_target("--out", str(paths[0])):
        raise ModelError(wrong)
    return paths


def _print_list(results: Sequence[dict[str, object]]) -> None:
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    ascii_only = not encoding.lower().startswith("utf")
    lines = [json.dumps(one, ensure_ascii=ascii_only, allow_nan=False) for one in results]
    sys.stdout.write("[\n" + ",\n".join(lines) + "\n]\n")
    sys.stdout.flush()


@contextmanager
def _progress(count: int, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Shows how many instances are done: one live line on a terminal, else a line now and then."""
    words = f"of {count} instance{'s' * (count != 1)} solved"
    if quiet:
        yield lambda done: None
    elif is_terminal(sys.stderr):
        from rich.console import Console

        with Console(stderr=True).status(f"0 {words}") as status:
            yield lambda done: status.update(f"{done} {words}")
    else:
        last = time.monotonic()

        def show(done: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
                note(f"{done} {words}")
                last = time.monotonic()

        yield show
