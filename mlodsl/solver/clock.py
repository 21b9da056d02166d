"""The time, as all processes of a run agree on it.

They look at it before they decide whether to go on, and all have to decide the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from jax.experimental import multihost_utils

_ONE_FOR_ALL: ContextVar[bool] = ContextVar("one_for_all", default=False)


@contextmanager
def one_clock(several: bool) -> Iterator[None]:
    """Inside of it, `seconds` is process 0's, where there are several."""
    before = _ONE_FOR_ALL.set(several)
    try:
        yield
    finally:
        _ONE_FOR_ALL.reset(before)


def seconds() -> float:
    """Seconds, as `time.perf_counter` counts them; of process 0 where there is one clock for all.

    All processes have to ask equally often, in the same order.
    """
    now = time.perf_counter()
    if not _ONE_FOR_ALL.get():
        return now
    return float(multihost_utils.broadcast_one_to_all(np.array(now)))
