"""The child that solves, in a run of several processes: `python -m mlodsl.cli.worker WORDS`.

Its standard streams are for what native code prints; the program's own are passed on as files.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from typing import NoReturn

from mlodsl.diagnostics import ModelError

from .command import Arguments
from .devices import read_devices
from .interruption import INTERRUPTED, leave_at_once_for_good
from .main import WRONG_INPUT, guarded
from .processes import lost, says_that_others_are_gone
from .solve import solve_on
from .terminal import print_diagnostics


def work(words: str) -> None:
    """Solves, tells the exit code to the process that watches, and leaves."""
    said = json.loads(words)
    streams, (beat, told) = said["streams"], said["pipes"]
    sys.stdout, sys.stderr = (
        os.fdopen(
            stream,
            "w",
            buffering=1 if known is sys.stderr or os.isatty(stream) else -1,
            encoding=known.encoding,
            errors="backslashreplace",
        )
        for stream, known in zip(streams, (sys.stdout, sys.stderr), strict=True)
    )
    leave_at_once_for_good()
    threading.Thread(target=_leave_with, args=(beat,), daemon=True).start()
    arguments = Arguments(tuple(said["arguments"]["words"]), said["arguments"]["values"])
    try:
        code = guarded(lambda: _solve(arguments))
    except BaseException:
        # An orderly exit would wait for the other processes, who may never come.
        traceback.print_exc()
        _leave(1)
    os.write(told, str(code).encode())
    if code not in (WRONG_INPUT, INTERRUPTED):
        import jax

        # The others may be a little behind.
        jax.distributed.shutdown()
    _leave(code)


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _solve(arguments: Arguments) -> int:
    try:
        return solve_on(arguments, read_devices(arguments))
    except ModelError:
        raise
    except Exception as problem:
        # JAX raises a `RuntimeError` or a `ValueError`, by where it waited for the others.
        if not says_that_others_are_gone(problem):
            raise
        print_diagnostics([lost(str(problem))])
        return WRONG_INPUT


def _leave_with(beat: int) -> None:
    """Ends this process once the one that watches it is gone."""
    os.read(beat, 1)
    os._exit(WRONG_INPUT)


if __name__ == "__main__":
    work(sys.argv[1])
