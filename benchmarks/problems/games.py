"""Games of n levels with d variables a level, whose reduced Hessians are positive definite.

Smooth: with next(x) the vector shifted by one place, level k minimises

    Σ a_k x_k² / 2 + Σ √(1 + (x_k + next(x_k) - b_k)²) / 2 + ⟨u_k, x_k⟩² / (2 d)
      + (1/5) Σ_{j ≠ k} Σ sin(x_j + j - k) next(x_k) + (3/20) ‖x_{k+1} - t_k‖²

(the last term where there is a level below), which costs O(d). Quadratic: with z the variables of
all levels, zᵀ Q_k z / 2 + ⟨q_k, z⟩, which costs O(d²).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import jax.numpy as jnp
import numpy as np

from .problem import Objective, Problem

_START = 0.5


def smooth_game(levels: int, size: int) -> Problem:
    """A game that isn't quadratic; an objective costs O(d)."""
    random = np.random.default_rng(size)
    data = {}
    for level in range(levels):
        data[f"a{level}"] = np.geomspace(1, 4, size)[random.permutation(size)]
        for name in ("b", "u", "t"):
            data[f"{name}{level}"] = random.standard_normal(size)
    return Problem(
        name=f"smooth {levels}x{size}",
        text=_smooth_text(levels),
        data=data,
        sizes=(size,) * levels,
        objectives=tuple(_smooth(level, levels, jnp) for level in range(levels)),
        start=np.full(size, _START),
        torch_objectives=lambda: tuple(_smooth(level, levels, _torch()) for level in range(levels)),
    )


def quadratic_game(levels: int, size: int) -> Problem:
    """A quadratic game; an objective costs O(d²)."""
    random = np.random.default_rng(size)
    whole = levels * size
    data = {}
    for level in range(levels):
        matrix = random.standard_normal((whole, whole)) * (0.1 / np.sqrt(size))
        matrix += matrix.T
        factor = random.standard_normal((size, size)) / np.sqrt(size)
        own = slice(level * size, (level + 1) * size)
        matrix[own, own] = np.eye(size) + factor @ factor.T
        data[f"Q{level}"] = matrix
        data[f"q{level}"] = random.standard_normal(whole)
    return Problem(
        name=f"quadratic {levels}x{size}",
        text=_quadratic_text(levels, size),
        data=data,
        sizes=(size,) * levels,
        objectives=tuple(_quadratic(level, jnp.concatenate) for level in range(levels)),
        start=np.full(size, _START),
        torch_objectives=lambda: tuple(
            _quadratic(level, _torch().concatenate) for level in range(levels)
        ),
    )


def _torch() -> ModuleType:
    import torch

    return torch


def _smooth_text(levels: int) -> str:
    data = [
        f"data {name}{level} : real[d]" for level in range(levels) for name in ("a", "b", "u", "t")
    ]
    blocks = []
    for level in range(levels):
        x = f"x{level}"
        terms = [
            f"sum(a{level} * {x}^2) / 2",
            f"sum(sqrt(1 + ({x} + next({x}) - b{level})^2)) / 2",
            f"dot(u{level}, {x})^2 / (2 * d)",
            *(
                f"0.2 * dot(sin(x{other} + {other - level}), next({x}))"
                for other in range(levels)
                if other != level
            ),
        ]
        if level + 1 < levels:
            terms.append(f"0.15 * sumsq(x{level + 1} - t{level})")
        start = _START if level == 0 else 0
        objective = "\n    + ".join(terms)
        blocks.append(
            f"level level{level} {{\n  var {x} : real[d] = {start}\n  minimize {objective}\n}}"
        )
    head = ["model smooth_game", *data, "let next(x) = concat(x[1:], x[:1])"]
    return "\n".join([*head, *blocks, ""])


def _smooth(level: int, levels: int, numbers: Any) -> Objective:
    """The objective in the functions of `numbers`, JAX's NumPy or torch."""

    def objective(data: Mapping[str, Any], *vectors: Any) -> Any:
        own = vectors[level]
        shifted = numbers.roll(own, -1)
        bend = own + shifted - data[f"b{level}"]
        push = numbers.sin(vectors[0] - level) if level else 0.0
        for other in range(1, levels):
            if other != level:
                push = push + numbers.sin(vectors[other] + (other - level))
        value = (
            0.5 * (data[f"a{level}"] * own**2).sum()
            + 0.5 * numbers.sqrt(1 + bend**2).sum()
            + (data[f"u{level}"] @ own) ** 2 / (2 * len(own))
            + 0.2 * (push @ shifted)
        )
        if level + 1 < levels:
            value = value + 0.15 * ((vectors[level + 1] - data[f"t{level}"]) ** 2).sum()
        return value

    return objective


def _quadratic_text(levels: int, size: int) -> str:
    whole = levels * size
    data = [f"data Q{k} : real[{whole}, {whole}]\ndata q{k} : real[{whole}]" for k in range(levels)]
    names = ", ".join(f"x{level}" for level in range(levels))
    blocks = [
        f"level level{k} {{\n  var x{k} : real[{size}] = {_START if k == 0 else 0}\n"
        f"  minimize dot(z, Q{k} @ z) / 2 + dot(q{k}, z)\n}}"
        for k in range(levels)
    ]
    return "\n".join(["model quadratic_game", *data, f"let z = concat({names})", *blocks, ""])


def _quadratic(level: int, concatenate: Callable[..., Any]) -> Objective:
    def objective(data: Mapping[str, Any], *vectors: Any) -> Any:
        z = concatenate(vectors)
        return z @ (data[f"Q{level}"] @ z) / 2 + data[f"q{level}"] @ z

    return objective
