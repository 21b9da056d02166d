"""Running out of memory, as a diagnostic."""

from __future__ import annotations

from mlodsl.diagnostics import Diagnostic


def out_of_memory(problem: MemoryError | RuntimeError) -> Diagnostic:
    """E707 for an error that says that memory ran out.

    Raises:
        RuntimeError: the error itself, where it says anything else.
    """
    # JAX says it with an error of its own, which is not loaded here.
    if isinstance(problem, RuntimeError) and "RESOURCE_EXHAUSTED" not in str(problem):
        raise problem
    hint = "make the model smaller, or use `--set solve.precision=float32`"
    return Diagnostic("E707", "the model needs more memory than there is", None, hint)
