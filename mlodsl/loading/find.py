"""Where a model's text comes from: a file, standard input, a string, the ready models."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from mlodsl.diagnostics import Diagnostic, ModelError, Source, did_you_mean
from mlodsl.syntax import decode

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class ModelText:
    """A model's text.

    Arguments:
        source: the text and the name that diagnostics show.
        base: the folder that paths in the model are relative to; None: the current one.
        stem: the model's name where its text has no `model` statement.
    """

    source: Source
    base: Path | None
    stem: str


def ready_models() -> dict[str, Path]:
    """The models that come with the package, by name."""
    for folder in (_PACKAGE / "ready_models", _PACKAGE.parent / "models"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.mlo"))}
    return {}


def find_model(argument: str) -> ModelText:
    """The model that a command's argument names.

    Arguments:
        argument: a path, `-` for standard input, or the name of a ready model.

    Raises:
        ModelError: nothing is there, or it isn't text.
    """
    if argument == "-":
        return ModelText(decode("<stdin>", read_standard_input()), None, "model")
    path = Path(argument)
    ready = ready_models()
    if not path.exists() and argument in ready:
        path = ready[argument]
    return _read(path, argument, ready)


def read_standard_input() -> bytes:
    """All of standard input.

    Raises:
        ModelError: E003, it is closed.
    """
    if sys.stdin is None:
        raise ModelError([Diagnostic("E003", "standard input is closed")])
    return sys.stdin.buffer.read()


def text_of_string(text: str) -> ModelText:
    """A model that a program holds as a string."""
    return ModelText(decode("<string>", text.encode("utf-8", "surrogatepass")), None, "model")


def _read(path: Path, argument: str, ready: dict[str, Path]) -> ModelText:
    try:
        raw = path.read_bytes()
    except OSError as problem:
        if isinstance(problem, FileNotFoundError):
            message = f"there is no model `{argument}`"
        else:
            message = f"`{argument}` cannot be read: {problem.strerror or problem}"
        near = [file.name for file in path.parent.glob("*.mlo")] if path.parent.is_dir() else []
        hint = did_you_mean(path.name, [*near, *ready])
        raise ModelError([Diagnostic("E003", message, None, hint)]) from None
    except ValueError as problem:
        # A path may hold a NUL byte.
        message = f"{argument!r} is not a path: {problem}"
        raise ModelError([Diagnostic("E003", message)]) from None
    return ModelText(decode(str(path), raw), path.parent, path.stem)
