"""How a run ended."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The `status` of a result; the message says what is behind it."""

    CONVERGED = "converged"
    MAX_STEPS = "max_steps"
    TIMEOUT = "timeout"
    STALLED = "stalled"
    DIVERGED = "diverged"
    INFEASIBLE = "infeasible"
    INTERRUPTED = "interrupted"
