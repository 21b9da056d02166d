"""Settings for the whole test run, made before NumPy or JAX is imported."""

import os

# The matrices of the tests are small: a thread pool per BLAS call costs more than it gains.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
