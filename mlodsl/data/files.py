"""Opens data files: regular files on this machine only, with a message for whatever goes wrong."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from .structure import Unreadable

_MOST_NAMES = 2000


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        Unreadable: for what is missing, no file, or not allowed to be read.
    """
    verify_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot read `{path}`: {_reason(error)}") from None


def verify_file(path: Path) -> None:
    """Make sure that the path is a regular file: no folder, no device that never ends.

    Raises:
        Unreadable: where it isn't.
    """
    if "://" in str(path) or str(path).startswith(("http:/", "https:/", "ftp:/")):
        raise Unreadable(f"`{path}` is not a file on this machine", "download it first")
    try:
        if path.is_file():
            return
        exists, is_folder = path.exists(), path.is_dir()
    except (OSError, ValueError) as error:
        reason = _reason(error) if isinstance(error, OSError) else "the path is not valid"
        raise Unreadable(f"cannot read `{path}`: {reason}") from None
    if is_folder:
        raise Unreadable(f"`{path}` is a folder, not a file")
    if exists:
        raise Unreadable(f"`{path}` is not a regular file")
    raise Unreadable(f"there is no file `{path}`", _likely_file(path))


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _likely_file(path: Path) -> str | None:
    """A file of the same folder with a similar name, or a word on the missing folder."""
    folder = path.parent
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_MOST_NAMES), strict=False)]
    except (OSError, ValueError):
        return f"there is no folder `{folder}`"
    by_folded = {name.casefold(): name for name in sorted(names)}
    matches = get_close_matches(path.name.casefold(), by_folded, n=1, cutoff=0.6)
    return f"did you mean `{by_folded[matches[0]]}`?" if matches else None
