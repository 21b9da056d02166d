"""Where results go: a file or standard output, known to be writable before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.loading.atomic import why_not_writable, write_atomically

from .inputs import wrong_value

STANDARD_OUTPUT = "-"


def verify_target(flag: str, path: str | None) -> list[Diagnostic]:
    """E704 where a flag's path can't be written to."""
    if path is None or path == STANDARD_OUTPUT:
        return []
    reason = "the path is empty" if not path else why_not_writable(Path(path))
    if reason is None:
        return []
    return [wrong_value(flag, path, f"`{path}` cannot be written: {reason}", code="E704")]


def write_result(flag: str, path: str, result: Mapping[str, Any]) -> None:
    """Writes a result as JSON.

    Raises:
        ModelError: E704, the file can't be written.
    """
    from mlodsl.report import result_text

    if path == STANDARD_OUTPUT:
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        ascii_only = not encoding.lower().startswith("utf")
        sys.stdout.write(result_text(result, ascii_only=ascii_only))
        sys.stdout.flush()
        return
    try:
        write_atomically(Path(path), result_text(result).encode())
    except OSError as problem:
        message = f"`{path}` cannot be written: {problem.strerror or problem}"
        raise ModelError([wrong_value(flag, path, message, code="E704")]) from None
