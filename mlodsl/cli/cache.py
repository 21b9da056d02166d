"""Compiled code, kept in the user's cache folder: the same model starts faster the next time.

By JAX's own persistent cache, which knows code by its content, the options it was compiled with,
the device and JAX's version. It is set up through the environment, before JAX is imported.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from .command import Flag
from .terminal import note

NO_CACHE = Flag("--no-cache", "neither use nor keep compiled code of earlier runs")

_MOST_BYTES = 2**30
_SETTINGS = {
    # JAX's own default leaves out what compiles in under a second, which here is most.
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_COMPILATION_CACHE_MAX_SIZE": str(_MOST_BYTES),
}


def keep_compiled_code(words: Sequence[str]) -> None:
    """Lets this process and those it starts keep what they compile, and find it again.

    A cache folder that JAX's own variables name is used as they say. Where the user's cache folder
    can't be written, that is noted, and nothing is kept.

    Arguments:
        words: of the command line; with `--no-cache` none is used, not even one of JAX's own.
    """
    if NO_CACHE.name in words:
        os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
        return
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    folder = user_cache_path("mlodsl") / "compiled"
    reason = _obstacle(folder)
    if reason is not None:
        note(f"compiled code can't be kept in `{folder}`: {reason} (--no-cache doesn't try)")
        return
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)


def _obstacle(folder: Path) -> str | None:
    """Why a folder can't be written; None where it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        return problem.strerror or str(problem)
    return None if os.access(folder, os.W_OK | os.X_OK) else "it may not be written"
