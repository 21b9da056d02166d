"""Which variables a level has, and where each stands in the level's flat vector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from mlodsl.check import LevelInfo

from .values import Numbers


@dataclass(frozen=True, slots=True)
class VariableLayout:
    """A variable: its name, its shape, and the entries `start` to `stop` of the vector."""

    name: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class LevelLayout:
    """The variables of a level, in the order of their declaration."""

    name: str
    variables: tuple[VariableLayout, ...]

    @property
    def size(self) -> int:
        """The length of the level's flat vector."""
        return self.variables[-1].stop if self.variables else 0

    def pack(self, variables: Mapping[str, object], dtype: np.dtype) -> Float[Array, " size"]:
        """The flat vector of the variables' values, each broadcast to its shape."""
        return jnp.asarray(self.gather(variables, dtype))

    def gather(self, variables: Mapping[str, Any], dtype: np.dtype) -> Float[Numbers, " size"]:
        """As `pack`; what the host knows stays an array of NumPy, which compiled code takes in less
        time than a new one of JAX. The vector itself, as an array of JAX, stays that."""
        values = [variables[item.name] for item in self.variables]
        if len(values) == 1 and isinstance(values[0], jax.Array):
            (vector,) = values
            if vector.shape == (self.size,) and vector.dtype == dtype:
                return vector
        numpy: Any = np if all(map(_is_on_host, values)) else jnp
        arrays = [numpy.asarray(value, dtype) for value in values]
        parts = [
            (one if one.shape == item.shape else numpy.broadcast_to(one, item.shape)).ravel()
            for item, one in zip(self.variables, arrays, strict=True)
        ]
        found: Any = numpy.concatenate(parts) if parts else np.zeros(0, dtype)
        return found

    def unpack(self, vector: Float[Numbers, " size"]) -> dict[str, Numbers]:
        """The variables' values in a flat vector."""
        known = isinstance(vector, jax.Array) and not isinstance(vector, jax.core.Tracer)
        parts = (_parts_at_once if known and len(self.variables) > 1 else _parts)(self, vector)
        return {item.name: part for item, part in zip(self.variables, parts, strict=True)}


def _is_on_host(value: object) -> bool:
    """Whether NumPy gets at the numbers without a copy from another device."""
    if not isinstance(value, jax.Array):
        return isinstance(value, (np.ndarray, np.generic, float, int))
    if isinstance(value, jax.core.Tracer) or not value.is_fully_addressable:
        return False
    return all(device.platform == "cpu" for device in value.devices())


def _parts(layout: LevelLayout, vector: Float[Numbers, " size"]) -> list[Numbers]:
    return [_part(vector, item) for item in layout.variables]


# Of a known array JAX takes some fifty times as long for each part as for all of them together.
_parts_at_once = jax.jit(_parts, static_argnums=0)


def _part(vector: Float[Numbers, " size"], item: VariableLayout) -> Numbers:
    """The vector itself where it is all there is."""
    whole = item.start == 0 and item.stop == vector.size
    part = vector if whole else vector[item.start : item.stop]
    return part if part.shape == item.shape else part.reshape(item.shape)


def layout_of(level: LevelInfo) -> LevelLayout:
    """The layout of a level whose shapes are all known."""
    variables, start = [], 0
    for variable in level.variables:
        shape = tuple(_known(size) for size in variable.shape)
        stop = start + math.prod(shape)
        variables.append(VariableLayout(variable.name, shape, start, stop))
        start = stop
    return LevelLayout(level.name, tuple(variables))


def _known(size: int | str | None) -> int:
    assert isinstance(size, int), "data are bound before a model is built"
    return size
