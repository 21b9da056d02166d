"""Settings for the whole test run, made before NumPy or JAX is imported."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

# The matrices of the tests are small: a thread pool per BLAS call costs more than it gains.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Nothing is kept in the cache folder of whoever runs the tests, nor found there.
os.environ.setdefault("JAX_ENABLE_COMPILATION_CACHE", "false")


def _compile_quickly() -> None:
    """Has XLA write loops in its older way, as the product asks for what it compiles itself (see
    `mlodsl.solver.compiling`): most of the tests' time is compilation, and that halves it.

    Processes that tests start run without, as whoever uses the product does.
    """
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_use_fusion_emitters=false"
    look = [sys.executable, "-c", "import jax; jax.jit(lambda: 0)()"]
    # XLA ends a process over a flag that it doesn't know.
    if subprocess.run(
        look, env={**os.environ, "XLA_FLAGS": flags}, stderr=subprocess.DEVNULL
    ).returncode:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLA_FLAGS", flags)
        import jax

        # The flags are read once, when the first program is compiled.
        jax.jit(lambda: 0)()


_compile_quickly()

# Each compiled function maps memory of its own, and a process may hold 65,530 maps.
_TESTS_PER_CLEARING = 40
_count = itertools.count(1)


@pytest.fixture(autouse=True)
def bounded_caches() -> Iterator[None]:
    """Lets go of what was compiled, every few tests."""
    yield
    if next(_count) % _TESTS_PER_CLEARING == 0 and "jax" in sys.modules:
        sys.modules["jax"].clear_caches()
