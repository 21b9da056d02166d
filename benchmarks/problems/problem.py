"""What a problem is: one nest of levels, as a model, as JAX functions, and as torch functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Objective = Callable[..., Any]
"""`f(data, x_0, …, x_{n-1})`, a scalar to be minimised, of one flat vector a level, top first;
`data` maps names to arrays."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A nest of levels whose reduced Hessians are positive definite near the points used.

    Arguments:
        name: of the case.
        text: the model, with one variable a level.
        data: what the model and the functions are given, by name.
        sizes: of the levels' variables, top first.
        objectives: as an expert writes them in JAX, one a level, top first.
        start: the top level's first point, (sizes[0],); the levels below start from zero.
        model_data: which of the data the model is given; None: all.
        torch_objectives: makes the same functions for torch; it imports torch.
    """

    name: str
    text: str
    data: Mapping[str, np.ndarray]
    sizes: tuple[int, ...]
    objectives: tuple[Objective, ...]
    start: np.ndarray
    model_data: tuple[str, ...] | None = None
    torch_objectives: Callable[[], tuple[Objective, ...]] | None = None

    @property
    def levels(self) -> int:
        """How many there are."""
        return len(self.sizes)
