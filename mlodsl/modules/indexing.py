"""Indexing and slicing as NumPy does it, from 0, and lists of values as arrays."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.syntax import nodes

from .values import Value, as_array, is_integer_array, is_number, whole_number

Evaluate = Callable[[nodes.Expression], Value]


def index(base: Value, items: tuple[nodes.Expression | nodes.Slice, ...], of: Evaluate) -> Value:
    """`base[items]`, each item evaluated by `of`.

    Slices and whole numbers stay static. The index of a `for` becomes a gather; arrays of
    floats are taken as whole numbers.
    """
    assert isinstance(base, jax.Array), "the checker lets nothing index a number"
    keys: list[int | slice | Array] = []
    for axis, item in enumerate(items):
        if isinstance(item, nodes.Slice):
            keys.append(slice(*(_bound(part, of) for part in (item.start, item.stop, item.step))))
        else:
            keys.append(_key(of(item), base.shape[axis]))
    return _nowhere_empty(base, keys)[tuple(keys)]


def _nowhere_empty(base: Array, keys: list[int | slice | Array]) -> Array:
    """The array with an entry on each axis that is picked from.

    In a `for` that runs over nothing only the shape of what an index picks counts, and JAX
    picks nothing from an empty axis.
    """
    padding = [
        (0, int(base.shape[axis] == 0 and isinstance(key, jax.Array)))
        for axis, key in enumerate(keys)
    ]
    if not any(after for _, after in padding):
        return base
    return jnp.pad(base, padding + [(0, 0)] * (base.ndim - len(padding)))


def _bound(part: nodes.Expression | None, of: Evaluate) -> int | None:
    return None if part is None else whole_number(of(part), "the end of a slice")


def _key(value: Value, length: int) -> int | Array:
    if is_number(value):
        position = whole_number(value, "an index")
        # JAX would clamp it silently.
        if not -length <= position < length:
            raise IndexError(f"index {position} is out of range for an axis of length {length}")
        return position
    if is_integer_array(value):
        return value
    return jnp.round(value).astype(int)  # type: ignore[arg-type]


def listed(node: nodes.ListLiteral, of: Evaluate, dtype: np.dtype) -> Array:
    """`[a, b, …]` as an array: a constant where all entries are Python numbers."""
    entries = [_entry(item, of, dtype) for item in node.items]
    return _stacked(entries, dtype)


def _entry(item: nodes.Expression, of: Evaluate, dtype: np.dtype) -> object:
    if isinstance(item, nodes.ListLiteral):
        entries = [_entry(inner, of, dtype) for inner in item.items]
        return entries if all(map(_is_constant, entries)) else _stacked(entries, dtype)
    return of(item)


def _is_constant(entry: object) -> bool:
    return is_number(entry) or isinstance(entry, list)


def _stacked(entries: list[object], dtype: np.dtype) -> Array:
    if all(map(_is_constant, entries)):
        return jnp.asarray(np.array(entries, dtype=dtype))
    return jnp.stack(
        [
            jnp.asarray(np.array(entry, dtype=dtype))
            if _is_constant(entry)
            else as_array(entry, dtype)  # type: ignore[arg-type]
            for entry in entries
        ]
    )
