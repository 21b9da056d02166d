"""Which variables a level has, and where each stands in the level's flat vector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

    def gather(self, variables: Mapping[str, object], dtype: np.dtype) -> Float[Numbers, " size"]:
        """As `pack`; what the host knows stays an array of NumPy, which compiled code takes in less
        time than a new one of JAX."""
        values = [variables[item.name] for item in self.variables]
        on_host = all(isinstance(value, (np.ndarray, np.generic, float, int)) for value in values)
        numpy: Any = np if on_host else jnp
        arrays = [numpy.asarray(value, dtype) for value in values]
        parts = [
            (one if one.shape == item.shape else numpy.broadcast_to(one, item.shape)).ravel()
            for item, one in zip(self.variables, arrays, strict=True)
        ]
        found: Any = numpy.concatenate(parts) if parts else np.zeros(0, dtype)
        return found

    def unpack(self, vector: Float[Numbers, " size"]) -> dict[str, Numbers]:
        """The variables' values in a flat vector."""
        return {item.name: _part(vector, item) for item in self.variables}


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
