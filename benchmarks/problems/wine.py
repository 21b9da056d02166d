"""The red-wine problem of "Towards Differentiable Multilevel Optimization", section 5.

`models/wine_poisoning.mlo` with its defaults: a tuner (1 variable), an attacker (440), a learner
(11); rows 0 to 39 train, 40 to 139 validate, the whole table is standardised, c = 100, eps = 0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.papers.wine_data import wine_table
from mlodsl.loading import find_model

from .problem import Objective, Problem

_TRAIN, _VALID, _FEATURES = 40, 100, 11
_PRICE, _EPS = 100.0, 0.1


def wine() -> Problem:
    """The problem.

    Raises:
        DataMissing: the table isn't there.
    """
    table = wine_table("red")
    standard = (table - table.mean(0)) / table.std(0)
    return Problem(
        name="wine",
        text=find_model("wine_poisoning").source.text,
        data={"wine": table, "standard": standard[: _TRAIN + _VALID]},
        sizes=(1, _TRAIN * _FEATURES, _FEATURES),
        objectives=_objectives(jnp.sqrt, jnp.exp),
        start=np.zeros(1),
        model_data=("wine",),
        torch_objectives=_for_torch,
    )


def _for_torch() -> tuple[Objective, ...]:
    import torch

    return _objectives(torch.sqrt, torch.exp)


def _objectives(sqrt: Callable[..., Any], exp: Callable[..., Any]) -> tuple[Objective, ...]:
    def error(features: Any, target: Any, theta: Any) -> Any:
        return ((features @ theta - target) ** 2).mean()

    def poisoned(data: Mapping[str, Any], changes: Any, theta: Any) -> Any:
        rows = data["standard"][:_TRAIN]
        return error(rows[:, :-1] + changes.reshape(_TRAIN, _FEATURES), rows[:, -1], theta)

    def tuner(data: Mapping[str, Any], lam: Any, changes: Any, theta: Any) -> Any:
        rows = data["standard"][_TRAIN:]
        return error(rows[:, :-1], rows[:, -1], theta)

    def attacker(data: Mapping[str, Any], lam: Any, changes: Any, theta: Any) -> Any:
        cost = _PRICE / (_TRAIN * _FEATURES) * (changes @ changes)
        return -poisoned(data, changes, theta) + cost

    def learner(data: Mapping[str, Any], lam: Any, changes: Any, theta: Any) -> Any:
        smooth = sqrt(theta**2 + _EPS**2).sum() / _FEATURES
        return poisoned(data, changes, theta) + exp(lam[0]) * smooth

    return tuner, attacker, learner
