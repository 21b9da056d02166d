"""How the solve of one level ended, inside a nest of levels."""

from __future__ import annotations

from enum import IntEnum


class Outcome(IntEnum):
    """Ordered by how bad it is, so that the worst of several is their maximum."""

    SOLVED = 0
    """The residual is within the tolerance that the level above needs."""
    BUDGET = 1
    """It made the number of steps that its options ask for."""
    STALLED = 2
    """No step makes it better, though the residual isn't within the tolerance."""
    LIMIT = 3
    """It ran out of steps."""
    UNBOUNDED = 4
    """Its variables or its objective ran away."""
    NONFINITE = 5
    """Its objective or gradient isn't a number at the start."""
