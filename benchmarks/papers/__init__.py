"""The experiments of the papers that mlodsl implements, one command each.

`python -m benchmarks.papers NAME…` or `python -m benchmarks.papers all`; `README.md` beside this
file says what each one claims and what came out. The CPU is used, and one thread of linear
algebra, which has to be said before NumPy and JAX are loaded.
"""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
