"""Ctrl-C while libraries load and code compiles: there is nothing to save, so leave at once.

An exception raised in the middle of loading or compiling native code can end in a crash, or
be swallowed there; leaving the process can't.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

INTERRUPTED = 130


def leave_at_once_on_interrupt() -> None:
    """From now on Ctrl-C ends the process, until `raise_on_interrupt`."""
    signal.signal(signal.SIGINT, _leave)


def leave_at_once_for_good() -> None:
    """From now on Ctrl-C ends the process, whatever comes."""
    signal.signal(signal.SIGINT, _leave_for_good)


def owns_process() -> bool:
    """Whether the process is the program's own, and not one that called it."""
    return signal.getsignal(signal.SIGINT) in (_leave, _leave_for_good)


def raise_on_interrupt() -> None:
    """From now on Ctrl-C raises `KeyboardInterrupt` again, if it ended the process before."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave_for_good(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, b"\ninterrupted\n")
    os._exit(INTERRUPTED)
