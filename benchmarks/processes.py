"""Runs a case in a process of its own, on one core, and stops contenders that take too long.

Neither a contender's error, nor its crash, nor one that never ends, ends a suite: each is a row.
A case is one process so that its contenders share caches, threads and load; the next case
starts afresh.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from .suites import load
from .suites.suite import Job, Row
from .timing import pin

# Numerical libraries read these when they are loaded; every contender gets the same.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def run_case(
    suite: str, case: str, contenders: tuple[str, ...], repeats: int, limit: float
) -> Iterator[Row]:
    """The rows of one case.

    Arguments:
        limit: seconds that a contender may take at a time, compiling included.
    """
    left = contenders
    while left:
        rows: list[Row] = []
        stopped = _attempt(suite, Job(case, left, repeats), limit, rows)
        if stopped is None:
            yield from rows
            return
        contender, failure = stopped
        yield Row(case, contender, failure=failure)
        if contender not in left:
            return
        left = tuple(name for name in left if name != contender)


def _attempt(suite: str, job: Job, limit: float, rows: list[Row]) -> tuple[str, str] | None:
    """Collects rows from one process.

    Returns:
        Who had to be stopped, or died, and why; None where all ended.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    for name in _ONE_THREAD:
        os.environ[name] = "1"
    process = context.Process(
        target=_work, args=(suite, job.case, job.contenders, job.repeats, sender), daemon=True
    )
    process.start()
    sender.close()
    busy = ""
    try:
        while True:
            if not receiver.poll(limit):
                return busy, f"stopped: it took more than {limit:.0f} s"
            kind, value = receiver.recv()
            if kind == "end":
                return None
            if kind == "begin":
                busy = value
            else:
                rows.append(value)
    except EOFError:
        process.join()
        return busy, f"its process ended with exit code {process.exitcode}"
    finally:
        process.kill()
        process.join()


def _work(
    suite: str, case: str, contenders: tuple[str, ...], repeats: int, sender: Connection
) -> None:
    """Measures one case and sends what it finds; it ends where whoever asks for it ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pin()

    def send(kind: str, value: Any) -> None:
        sender.send((kind, value))

    job = Job(case, contenders, repeats, lambda contender: send("begin", contender))
    try:
        for row in load(suite).measure(job):
            send("row", row)
    except Exception as error:
        send("row", Row(case, "", failure=words_of(error)))
    send("end", None)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def words_of(error: BaseException) -> str:
    """An error on one line, at most some hundred characters of it."""
    words = " ".join(str(error).split())
    longest = 300
    shown = words if len(words) <= longest else words[:longest] + " …"
    return f"{type(error).__name__}: {shown}"
