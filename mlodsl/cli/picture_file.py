"""Where pictures go: a file of a known kind, known to be writable before anything runs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.loading.atomic import write_atomically

from .inputs import wrong_value
from .output import verify_target

if TYPE_CHECKING:
    from mlodsl.report import Drawing

_ENDINGS = (".png", ".svg", ".pdf")


def verify_picture(flag: str, path: str | None) -> list[Diagnostic]:
    """E704 where a picture can't be written to a path, E708 where nothing can draw it."""
    if path is None:
        return []
    wrong: list[Diagnostic] = []
    if path and Path(path).suffix.lower() not in _ENDINGS:
        endings = ", ".join(f"`{ending}`" for ending in _ENDINGS)
        message = f"`{path}` cannot be written: pictures end in {endings}"
        hint = f"for example `{Path(path).stem or 'picture'}.png`"
        wrong.append(wrong_value(flag, path, message, hint, code="E704"))
    else:
        wrong += verify_target(flag, path)
    if find_spec("matplotlib") is None:
        hint = "install it: `pip install 'mlodsl[plot]'`, or `pip install matplotlib`"
        wrong.append(Diagnostic("E708", "pictures are drawn with matplotlib", None, hint))
    return wrong


def write_picture(flag: str, path: str, drawing: Drawing) -> None:
    """Draws a picture and writes it.

    Raises:
        ModelError: E704, the file can't be written.
    """
    from mlodsl.report import picture_bytes

    content = picture_bytes(drawing, Path(path).suffix.lower())
    try:
        write_atomically(Path(path), content)
    except OSError as problem:
        message = f"`{path}` cannot be written: {problem.strerror or problem}"
        raise ModelError([wrong_value(flag, path, message, code="E704")]) from None
