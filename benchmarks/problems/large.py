"""Two levels of many variables, whose objectives cost O(d): only matrix-free methods go far.

The follower minimises Σ exp(x) y² / 2 + Σ √(1 + (y - b)²) + ‖U y‖² / (2 d), with U of five rows, a
diagonal Hessian plus one of low rank; the leader minimises mean((y - t)²) / 2 + mean(x²) / 20.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from .problem import Objective, Problem

_RANK = 5

TEXT = """
model large "Many variables"

data b : real[d]
data t : real[d]
data U : real[r, d]

level leader {
  var x : real[d] = 0
  minimize mean((y - t)^2) / 2 + mean(x^2) / 20
}

level follower {
  var y : real[d] = 0
  minimize sum(exp(x) * y^2) / 2 + sum(sqrt(1 + (y - b)^2)) + sumsq(U @ y) / (2 * d)
}
"""


def large(size: int) -> Problem:
    """The problem with that many variables a level."""
    random = np.random.default_rng(size)
    return Problem(
        name=f"large {size}",
        text=TEXT,
        data={
            "b": random.standard_normal(size),
            "t": random.standard_normal(size),
            "U": random.standard_normal((_RANK, size)),
        },
        sizes=(size, size),
        objectives=_objectives(jnp.sqrt, jnp.exp),
        start=np.zeros(size),
        torch_objectives=_for_torch,
    )


def _for_torch() -> tuple[Objective, ...]:
    import torch

    return _objectives(torch.sqrt, torch.exp)


def _objectives(sqrt: Callable[..., Any], exp: Callable[..., Any]) -> tuple[Objective, ...]:
    def leader(data: Mapping[str, Any], x: Any, y: Any) -> Any:
        return ((y - data["t"]) ** 2).mean() / 2 + (x**2).mean() / 20

    def follower(data: Mapping[str, Any], x: Any, y: Any) -> Any:
        bent = sqrt(1 + (y - data["b"]) ** 2).sum()
        few = data["U"] @ y
        return (exp(x) * y**2).sum() / 2 + bent + few @ few / (2 * len(y))

    return leader, follower
