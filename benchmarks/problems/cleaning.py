"""Hyper-cleaning: a weight for each training sample, some of whose labels are wrong.

500 of scikit-learn's digits train a softmax regression, a third of them under random labels; 500
others, rightly labelled, judge it. 500 upper variables (a weight is their sigmoid), 640 lower ones.
A small penalty on the upper variables keeps the minimiser finite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .digits import CLASSES, PIXELS, split_digits
from .problem import Objective, Problem

_SAMPLES = 500

TEXT = """
model cleaning "A weight for each sample"

data X : real[n, d]
data T : real[n, k]
data V : real[m, d]
data S : real[m, k]

let logits = X @ W
let losses = logsumexp(logits) - sum(T * logits, axis = 1)

level cleaner {
  var w : real[n] = 0
  minimize mean(cross_entropy(V @ W, S)) + 0.001 * sumsq(w) / n
}

level learner {
  var W : real[d, k] = 0
  minimize mean(sigmoid(w) * losses) + 0.005 * sumsq(W)
}
"""


def cleaning() -> Problem:
    """The problem.

    Raises:
        ImportError: scikit-learn isn't installed.
    """
    whole = split_digits()
    random = np.random.default_rng(0)
    labels = whole["T"][:_SAMPLES].copy()
    wrong = random.random(_SAMPLES) < 1 / 3
    labels[wrong] = np.eye(CLASSES)[random.integers(CLASSES, size=wrong.sum())]
    return Problem(
        name="cleaning",
        text=TEXT,
        data={
            "X": whole["X"][:_SAMPLES],
            "T": labels,
            "V": whole["V"][:_SAMPLES],
            "S": whole["S"][:_SAMPLES],
        },
        sizes=(_SAMPLES, PIXELS * CLASSES),
        objectives=(_validation, _training),
        start=np.zeros(_SAMPLES),
        torch_objectives=_for_torch,
    )


def _losses(logits: jax.Array, hot: jax.Array) -> jax.Array:
    return jax.nn.logsumexp(logits, axis=-1) - jnp.sum(hot * logits, axis=-1)


def _validation(data: Mapping[str, Any], w: jax.Array, weights: jax.Array) -> jax.Array:
    losses = _losses(data["V"] @ weights.reshape(PIXELS, CLASSES), data["S"])
    return jnp.mean(losses) + 0.001 * jnp.mean(w**2)


def _training(data: Mapping[str, Any], w: jax.Array, weights: jax.Array) -> jax.Array:
    losses = _losses(data["X"] @ weights.reshape(PIXELS, CLASSES), data["T"])
    return jnp.mean(jax.nn.sigmoid(w) * losses) + 0.005 * weights @ weights


def _for_torch() -> tuple[Objective, ...]:
    import torch

    def losses(logits: Any, hot: Any) -> Any:
        return torch.logsumexp(logits, -1) - (hot * logits).sum(-1)

    def validation(data: Mapping[str, Any], w: Any, weights: Any) -> Any:
        found = losses(data["V"] @ weights.reshape(PIXELS, CLASSES), data["S"])
        return found.mean() + 0.001 * (w**2).mean()

    def training(data: Mapping[str, Any], w: Any, weights: Any) -> Any:
        found = losses(data["X"] @ weights.reshape(PIXELS, CLASSES), data["T"])
        return (torch.sigmoid(w) * found).mean() + 0.005 * weights @ weights

    return validation, training
