"""Writes a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file through another one beside it, so that no reader ever sees half of it.

    The file keeps its permissions and its owner, a link stays a link. What isn't a regular
    file (a pipe, `/dev/null`), or stands in a folder where nothing can be added, is written
    directly.

    Raises:
        OSError: it can't be written; the file is as it was.
    """
    target = Path(os.path.realpath(path))
    old = target.stat() if target.exists() else None
    if old is not None and not (stat.S_ISREG(old.st_mode) and os.access(target.parent, os.W_OK)):
        target.write_bytes(content)
        return
    beside = _beside(target)
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if old is not None:
            # Only the owner and root may give a file away; elsewhere it becomes the writer's.
            with contextlib.suppress(OSError, AttributeError):
                os.chown(beside, old.st_uid, old.st_gid)
            beside.chmod(stat.S_IMODE(old.st_mode))
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def why_not_writable(path: Path) -> str | None:
    """Why a file can't be written, as a sentence's end; None where nothing speaks against it."""
    try:
        if path.is_dir():
            return "it is a folder"
        if path.exists():
            return None if os.access(path, os.W_OK) else "writing is not permitted"
        folder = path.parent
        if not folder.exists():
            return f"there is no folder `{folder}`"
        if not folder.is_dir():
            return f"`{folder}` is not a folder"
        # Only trying tells: permissions say nothing of read-only or special file systems.
        beside = _beside(path)
        beside.touch(exist_ok=False)
        beside.unlink()
        return None
    except (OSError, ValueError) as problem:
        # A path may be too long, or hold a NUL byte.
        return getattr(problem, "strerror", None) or str(problem)


def _beside(path: Path) -> Path:
    """A name that nobody else uses, in the same folder."""
    return path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
