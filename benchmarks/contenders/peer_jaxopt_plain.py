"""jaxopt with the fixed tolerance that a user sets once, whatever the run's own."""

from __future__ import annotations

from .contender import FIXED_TOLERANCE
from .peer_jaxopt import Jaxopt

CONTENDER = Jaxopt(FIXED_TOLERANCE)
