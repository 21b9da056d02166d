"""Reads `.npy` and `.npz` files, and arrays that a Python caller gives. Nothing is unpickled."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mlodsl.diagnostics import did_you_mean

from .files import verify_file
from .structure import NpySource, NpzSource, Unreadable

_NPY_MAGIC = b"\x93NUMPY"
_ZIP_MAGIC = b"PK\x03\x04"


def read_npy(path: Path, source: NpySource) -> np.ndarray:
    """The array in a `.npy` file.

    Raises:
        Unreadable: where the file isn't one, is cut short, or doesn't hold real numbers.
    """
    start = _first_bytes(path)
    if not start.startswith(_NPY_MAGIC):
        hint = 'read it with `npz(path, "key")`' if start.startswith(_ZIP_MAGIC) else None
        raise Unreadable(f"`{path.name}` is not a `.npy` file", hint)
    with _numpy_errors_of(path.name):
        array = np.load(path, allow_pickle=False)
    return as_numbers(array, f"`{path.name}`")


def read_npz(path: Path, source: NpzSource) -> np.ndarray:
    """One array of a `.npz` file: the one under `source.key`, or the only one.

    Raises:
        Unreadable: where the file isn't one or is damaged, the key is missing, or the array
            doesn't hold real numbers.
    """
    start = _first_bytes(path)
    if not start.startswith(_ZIP_MAGIC):
        hint = "read it with `npy(path)`" if start.startswith(_NPY_MAGIC) else None
        raise Unreadable(f"`{path.name}` is not a `.npz` file", hint)
    with _numpy_errors_of(path.name), np.load(path, allow_pickle=False) as archive:
        key = _choose_key(list(archive.files), path.name, source)
        array = archive[key]
    if not isinstance(array, np.ndarray):
        raise Unreadable(f"`{key}` in `{path.name}` is not an array")
    return as_numbers(array, f"`{key}` in `{path.name}`")


def as_numbers(value: object, owner: str) -> np.ndarray:
    """A value as a new float64 array in C order.

    Arguments:
        value: a NumPy or JAX array, a table, or lists of numbers.
        owner: whose it is, for messages.

    Raises:
        Unreadable: where it isn't an array of real numbers, is empty, or holds a nan.
    """
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        message = f"{owner} is not an array of numbers"
        raise Unreadable(message, "all rows must have the same length") from None
    if array.dtype.kind not in "fiub":
        message = f"{owner} must hold real numbers, found {_noun(array.dtype)}"
        raise Unreadable(message)
    if array.size == 0:
        raise Unreadable(f"{owner} is empty: its shape is {array.shape}")
    numbers = np.array(array, dtype=np.float64, order="C")
    missing = np.isnan(numbers)
    if missing.any():
        index = ", ".join(str(axis[0]) for axis in np.nonzero(np.atleast_1d(missing)))
        message = f"{owner} holds a nan, first at index [{index}]"
        raise Unreadable(message, "replace or remove it", code="E602")
    return numbers


def _noun(dtype: np.dtype) -> str:
    match dtype.kind:
        case "c":
            return "complex numbers"
        case "O":
            return "Python objects"
        case "U" | "S" | "T":
            return "text"
        case "M" | "m":
            return "times"
        case "V":
            return "records"
        case _:
            return f"values of type `{dtype}`"


def _first_bytes(path: Path) -> bytes:
    verify_file(path)
    try:
        with path.open("rb") as file:
            return file.read(8)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise Unreadable(f"cannot read `{path}`: {reason}") from None


def _choose_key(keys: list[str], name: str, source: NpzSource) -> str:
    shown = ", ".join(f"`{key}`" for key in keys[:20]) or "none"
    if source.key is None:
        if len(keys) == 1:
            return keys[0]
        message = f"`{name}` holds {len(keys)} arrays: {shown}"
        raise Unreadable(message, 'say which one: `npz(path, "key")`')
    if source.key not in keys:
        message = f"`{name}` holds no array `{source.key}`; there are {shown}"
        raise Unreadable(message, did_you_mean(source.key, keys), span=source.key_span)
    return source.key


@contextmanager
def _numpy_errors_of(name: str) -> Iterator[None]:
    """Turn whatever NumPy raises and warns about a damaged file into one diagnostic."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Unreadable:
        raise
    except Exception as error:
        # NumPy parses headers with Python's own tokenizer and archives with `zipfile`, so what
        # damaged bytes raise has no common class.
        if "allow_pickle" in str(error):
            message = f"`{name}` holds pickled Python objects, which are never read"
            raise Unreadable(message, "save it as an array of numbers") from None
        raise Unreadable(f"`{name}` is damaged or cut short", "write the file again") from None
