"""A run of several processes: this one's solver is a child that the program watches over.

JAX aborts a process whose fellows are gone. So the solver runs in a process of its own, and the
one that was started waits for it and says in a sentence what became of it. Should the one that
was started be killed, its solver ends too, and so the others notice.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO

from mlodsl.diagnostics import Diagnostic, ModelError

from .command import Arguments
from .interruption import INTERRUPTED
from .terminal import note

if TYPE_CHECKING:
    from mlodsl.modules import Problem
    from mlodsl.settings import Settings

    from .devices import Processes

_HINT = "look at what the other processes say, and start all of them again"
_MEETING = "start all of them within the time of `--wait`, with process 0's address"
_STATUS = re.compile(r"([A-Z_]{5,}: [^\n]+)")

# What JAX prints as it aborts, and of the call by which a process joins the others.
_ABORTED = "JAX distributed service detected fatal errors"
_JOINING = "RegisterTask"

# How the libraries below word it that another process is gone.
_OTHERS_ARE_GONE = re.compile(
    r"gloo|nccl|coordination|heartbeat|barrier|UNAVAILABLE|DEADLINE_EXCEEDED",
    re.IGNORECASE,
)


def supervise(arguments: Arguments) -> int:
    """Solves in a child, and returns its exit code.

    Raises:
        ModelError: E710, the child was ended because other processes are gone.
    """
    beat, lifeline = os.pipe()
    outcome, told = os.pipe()
    with (
        tempfile.TemporaryFile() as noise,
        os.fdopen(lifeline, "wb"),
        os.fdopen(outcome) as told_us,
    ):
        child = _start(arguments, noise, (beat, told))
        os.close(beat)
        os.close(told)
        with _passing_signals_on(child):
            code = child.wait()
        # Where it told, what happened as it took its leave is of no interest.
        words = told_us.read()
        if words:
            return int(words)
        noise.seek(0)
        text = noise.read().decode(errors="replace")
    if code == INTERRUPTED:
        note("interrupted")
        return code
    if code == -signal.SIGABRT and _ABORTED in text:
        raise ModelError([_never_met(arguments) if _JOINING in text else lost(text)])
    if code not in (-signal.SIGTERM, -signal.SIGKILL):
        note(text.rstrip())
    if code < 0:
        name = signal.Signals(-code).name
        message = f"this process's solver was ended by the signal {name}"
        raise ModelError([Diagnostic("E710", message, None, "look for what sent it")])
    return code


def _start(
    arguments: Arguments, noise: BinaryIO, pipes: tuple[int, int]
) -> subprocess.Popen[bytes]:
    """The child. What native code prints goes to `noise`; the program's own streams are kept."""
    streams = [os.dup(1), os.dup(2)]
    words = json.dumps({"arguments": asdict(arguments), "streams": streams, "pipes": pipes})
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "mlodsl.cli.worker", words],
            stdout=noise,
            stderr=noise,
            pass_fds=(*streams, *pipes),
        )
    finally:
        for stream in streams:
            os.close(stream)


@contextmanager
def _passing_signals_on(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """What is sent to this process is the child's, too."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    known = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in known.items():
            signal.signal(number, handler)


def connect(processes: Processes) -> None:
    """Joins the other processes; to be called in a process of its own, before JAX computes.

    Raises:
        ModelError: E710, they aren't there in time, or the coordinator can't be reached.
    """
    import jax

    # It would take SIGTERM for itself.
    jax.config.update("jax_enable_preemption_service", False)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            processes.coordinator,
            processes.count,
            processes.own,
            cluster_detection_method="deactivate",
            initialization_timeout=processes.wait,
            heartbeat_timeout_seconds=processes.wait,
            shutdown_timeout_seconds=processes.wait,
        )
    except (RuntimeError, ValueError) as problem:
        message = (
            f"the {processes.count} processes did not come together at {processes.coordinator}: "
            f"{_reason(str(problem))}"
        )
        raise ModelError([Diagnostic("E710", message, None, _MEETING)]) from None


def _never_met(arguments: Arguments) -> Diagnostic:
    address, count = arguments.one("--coordinator"), arguments.one("--num-processes")
    message = f"the {count} processes did not come together at {address} in time"
    return Diagnostic("E710", message, None, _MEETING)


def agree_on(problem: Problem, settings: Settings, processes: Processes) -> None:
    """Compares what all processes are about to solve.

    Raises:
        ModelError: E710, it isn't the same.
    """
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    digest = hashlib.sha256(repr((problem.structure.content, settings)).encode())
    for arrays in (problem.params, problem.data):
        for name, array in sorted(arrays.items()):
            digest.update(name.encode() + np.asarray(array).tobytes())
    with jax.enable_x64(False):
        mine = np.frombuffer(digest.digest(), np.uint32)
        table = np.asarray(multihost_utils.process_allgather(mine)).reshape(processes.count, -1)
    others = [number for number, row in enumerate(table) if not np.array_equal(row, mine)]
    if others:
        numbers = ", ".join(map(str, others))
        message = f"process {numbers} solves something else than process {processes.own}"
        hint = "give all of them the same model, data, params and options"
        raise ModelError([Diagnostic("E710", message, None, hint)])


def lost(text: str) -> Diagnostic:
    """E710 for what the libraries below say once other processes are gone."""
    message = f"another process of this run ended, or can't be reached any more: {_reason(text)}"
    return Diagnostic("E710", message, None, _HINT)


def says_that_others_are_gone(problem: BaseException) -> bool:
    """Whether an error of JAX is about the other processes."""
    return _OTHERS_ARE_GONE.search(str(problem)) is not None


def _reason(text: str) -> str:
    """The line of a long report that says what is wrong."""
    found = _STATUS.findall(text)
    line = found[0] if found else text.strip().split("\n")[0]
    return re.sub(r"\s*\[type\.googleapis.*", "", line).strip(" :")
