"""Progress of a run on standard error: one live line on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from mlodsl.report import step_text, worth_a_line
from mlodsl.solver import Step

from .interruption import raise_on_interrupt
from .terminal import is_terminal, note

_PHASES = {
    "compile": "compiling",
    "again": "not certified: from the start again, by another strategy",
    "solve": "solving",
    "certificate": "certifying: solving the lower levels again, from other starts too",
}
_SECONDS_BETWEEN_LINES = 10.0


class Progress(Protocol):
    """Is told of phases and steps as they happen."""

    def phase(self, name: str) -> None:
        """A phase begins, one of those that a `Watch` is called for."""

    def step(self, step: Step) -> None:
        """A step was made."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Shows nothing."""

    def phase(self, name: str) -> None:
        """Nothing."""

    def step(self, step: Step) -> None:
        """Nothing."""


class Lines:
    """Plain lines: phases, the first steps, then ever fewer, but one every few seconds."""

    def __init__(self, sense: str, label: str) -> None:
        self._sense = sense
        self._label = label
        self._last = time.monotonic()

    def phase(self, name: str) -> None:
        """Prints what begins, where it may take a while."""
        if name != "solve":
            note(self._label + _PHASES[name])

    def step(self, step: Step) -> None:
        """Prints the step, unless it is one of many."""
        now = time.monotonic()
        if worth_a_line(step.step) or now - self._last >= _SECONDS_BETWEEN_LINES:
            note(self._label + step_text(step, self._sense))
            self._last = now


class Live:
    """One line that changes, with a spinner; it is gone at the end."""

    def __init__(self, sense: str, label: str, status: _Status) -> None:
        self._sense = sense
        self._label = label
        self._status = status

    def phase(self, name: str) -> None:
        """Shows what begins."""
        self._status.update(self._label + _PHASES[name])

    def step(self, step: Step) -> None:
        """Shows the step in place of the one before."""
        self._status.update(self._label + step_text(step, self._sense))


class _Status(Protocol):
    def update(self, status: str) -> None:
        """Replaces the line."""


@contextmanager
def progress(sense: str, *, quiet: bool, label: str = "") -> Iterator[Progress]:
    """The progress that fits where standard error goes.

    Arguments:
        sense: of the top level, `minimize` or `maximize`.
        label: what each line begins with.
    """
    if quiet:
        yield Silent()
    elif is_terminal(sys.stderr):
        from rich.console import Console

        with Console(stderr=True).status("starting") as status:
            yield Live(sense, label, status)
    else:
        yield Lines(sense, label)


def on_phase(shown: Progress) -> Callable[[str], None]:
    """Shows a phase; once the run itself begins, Ctrl-C ends it in order."""

    def begin(phase: str) -> None:
        if phase == "solve":
            raise_on_interrupt()
        shown.phase(phase)

    return begin
