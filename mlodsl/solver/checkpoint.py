"""Checkpoints: the state of a run, saved as it goes, so that the same command resumes it.

A checkpoint is one file: a line of JSON that says what run it is of, then the state's leaves
as Equinox serialises them. It is replaced as a whole, so a run that is killed while it writes
leaves the one before.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Mapping
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.loading.atomic import why_not_writable, write_atomically
from mlodsl.modules import Problem
from mlodsl.settings import Settings
from mlodsl.syntax import nodes

from .state import LevelState

FILE_NAME = "run.checkpoint"
_FORMAT = 3
_SECONDS_BETWEEN = 1.0
_NOT_RUN_BY = (nodes.ModelHeader, nodes.Solve, nodes.Param)


def key_of_run(
    problem: Problem, settings: Settings, hashes: Mapping[str, str], versions: Mapping[str, str]
) -> dict[str, str]:
    """What makes two runs the same, each part under the words a person would use for it.

    Limits (`tolerance`, `max_steps`, `timeout`) are no part of it: a run may go on under others.

    Arguments:
        hashes: of the data's contents, by name.
        versions: of the packages that the numbers depend on.
    """
    checked = problem.structure.checked
    statements = [item for item in checked.program.statements if not isinstance(item, _NOT_RUN_BY)]
    key = {"the model's text": _hash(repr(statements).encode())}
    for info in checked.params:
        value = checked.statics.get(info.name, problem.params.get(info.name))
        array = np.asarray(value)
        content = repr((array.shape, array.dtype.name)).encode() + array.tobytes()
        key[f"the param `{info.name}`"] = _hash(content)
    key |= {f"the data `{name}`": content for name, content in hashes.items()}
    key["the option `strategy`"] = repr(settings.strategy)
    key["the option `seed`"] = repr(settings.seed)
    key["the option `precision`"] = settings.precision
    key["the option `batch_size`"] = repr(settings.batch_size)
    key["the option `starts`"] = repr(settings.starts)
    for name in problem.level_names:
        key[f"the options of level `{name}`"] = repr(settings.level(name))
    key |= {f"the version of {package}": version for package, version in versions.items()}
    return key


class Checkpoint:
    """The checkpoint of one run in a folder; `save` and `resume` go into a `Watch`.

    Arguments:
        folder: where it is kept; made where there is none.
        key: what run it is of.
        limits: under which the run stops; under others a finished run goes on.

    Raises:
        ModelError: E705, the folder can't be used, or holds another run's or a damaged
            checkpoint.
    """

    def __init__(self, folder: Path, key: Mapping[str, str], limits: Mapping[str, object]) -> None:
        self.path = folder / FILE_NAME
        self._key = dict(key)
        self._limits = {name: repr(value) for name, value in limits.items()}
        self._pending: LevelState | None = None
        self._written = -float("inf")
        self._pause = _SECONDS_BETWEEN
        try:
            folder.mkdir(parents=True, exist_ok=True)
            raw = self.path.read_bytes() if self.path.exists() else None
        except (OSError, ValueError) as problem:
            reason = getattr(problem, "strerror", None) or problem
            raise _refusal(f"the folder `{folder}` can't be used: {reason}") from None
        reason = why_not_writable(self.path)
        if reason is not None:
            raise _refusal(f"`{self.path}` can't be written: {reason}")
        self._state: bytes | None = None
        self._goes_on = False
        if raw is not None:
            self._state, self._goes_on = self._read(raw)

    @property
    def exists(self) -> bool:
        """Whether there is a state to resume from."""
        return self._state is not None

    def resume(self, blank: LevelState) -> LevelState | None:
        """The saved state, None where there is none.

        Arguments:
            blank: a state of the same structure.
        """
        if self._state is None:
            return None
        try:
            state: LevelState = eqx.tree_deserialise_leaves(io.BytesIO(self._state), blank)
        except (RuntimeError, ValueError, TypeError, EOFError, OSError):
            raise self._damaged() from None
        if self._goes_on:
            state = eqx.tree_at(lambda s: s.running, state, jnp.array(True))
        return state

    def save(self, state: LevelState) -> None:
        """Notes the state; writes it unless it did so a moment ago."""
        self._pending = state
        if time.monotonic() - self._written >= self._pause or not bool(state.running):
            self.flush()

    def flush(self) -> None:
        """Writes what was noted and isn't written yet.

        Raises:
            ModelError: E705, it can't be written.
        """
        if self._pending is None:
            return
        began = time.monotonic()
        buffer = io.BytesIO()
        eqx.tree_serialise_leaves(buffer, self._pending)
        payload = buffer.getvalue()
        header = {
            "format": _FORMAT,
            "key": self._key,
            "limits": self._limits,
            "steps": int(self._pending.steps),
            "finished": not bool(self._pending.running),
            "sha256": _hash(payload),
        }
        try:
            write_atomically(self.path, json.dumps(header).encode() + b"\n" + payload)
        except OSError as problem:
            message = f"the checkpoint `{self.path}` can't be written: {problem.strerror}"
            raise _refusal(message) from None
        self._pending = None
        self._written = time.monotonic()
        # Saving takes at most a tenth of the time.
        self._pause = max(_SECONDS_BETWEEN, 10 * (self._written - began))

    def _read(self, raw: bytes) -> tuple[bytes, bool]:
        """The state's bytes, and whether a finished run goes on under other limits."""
        line, _, payload = raw.partition(b"\n")
        try:
            header = json.loads(line)
            known, limits = dict(header["key"]), dict(header["limits"])
            number, digest = header["format"], header["sha256"]
        except (ValueError, KeyError, TypeError):
            raise self._damaged() from None
        if number != _FORMAT:
            message = f"`{self.path}` was written by another version of mlodsl"
            raise _refusal(message, "remove it, or name another folder")
        wrong = [part for part in {**self._key, **known} if self._key.get(part) != known.get(part)]
        if wrong:
            verb = "differs" if len(wrong) == 1 else "differ"
            message = f"`{self.path}` is of another run: {_and(wrong)} {verb}"
            raise _refusal(message, "name another folder, or remove it to start anew")
        if _hash(payload) != digest:
            raise self._damaged()
        return payload, bool(header.get("finished")) and limits != self._limits

    def _damaged(self) -> ModelError:
        message = f"`{self.path}` is damaged, or no checkpoint"
        return _refusal(message, "remove it to start anew, or name another folder")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _refusal(message: str, hint: str | None = None) -> ModelError:
    return ModelError([Diagnostic("E705", message, None, hint)])
