"""Which variables a level has, and where each stands in the level's flat vector."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

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
        parts = [
            jnp.broadcast_to(jnp.asarray(variables[item.name], dtype), item.shape).ravel()
            for item in self.variables
        ]
        return jnp.concatenate(parts) if parts else jnp.zeros(0, dtype)

    def unpack(self, vector: Float[Array, " size"]) -> dict[str, Numbers]:
        """The variables' values in a flat vector."""
        return {
            item.name: vector[item.start : item.stop].reshape(item.shape) for item in self.variables
        }


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
