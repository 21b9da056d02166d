"""Settings for the whole test run, made before NumPy or JAX is imported."""

import itertools
import os
import sys
from collections.abc import Iterator

import pytest

# The matrices of the tests are small: a thread pool per BLAS call costs more than it gains.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Nothing is kept in the cache folder of whoever runs the tests, nor found there.
os.environ.setdefault("JAX_ENABLE_COMPILATION_CACHE", "false")

# Each compiled function maps memory of its own, and a process may hold 65,530 maps.
_TESTS_PER_CLEARING = 40
_count = itertools.count(1)


@pytest.fixture(autouse=True)
def bounded_caches() -> Iterator[None]:
    """Lets go of what was compiled, every few tests."""
    yield
    if next(_count) % _TESTS_PER_CLEARING == 0 and "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
