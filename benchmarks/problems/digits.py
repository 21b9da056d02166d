"""Softmax regression on scikit-learn's handwritten digits, a regulariser for each pixel.

64 upper variables (logarithms of the regularisers), 640 lower ones (a weight for each pixel and
class). A small penalty on the upper variables keeps the minimiser finite. The first 1,000 digits
train, the other 797 validate. scikit-learn ships the pictures: the test set of "Optical Recognition
of Handwritten Digits", E. Alpaydin and C. Kaynak (1998), UCI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .problem import Objective, Problem

PIXELS, CLASSES = 64, 10
_TRAIN = 1000
_START = -4.0  # exp(-4) = 0.018 for each pixel

TEXT = """
model digits "A regulariser for each pixel"

data X : real[n, d]
data T : real[n, k]
data V : real[m, d]
data S : real[m, k]

level tuner {
  var lam : real[d] = -4
  minimize mean(cross_entropy(V @ W, S)) + 0.01 * mean((lam + 4)^2)
}

level learner {
  var W : real[d, k] = 0
  minimize mean(cross_entropy(X @ W, T)) + sum(reshape(exp(lam), d, 1) * W^2) / 2
}
"""


def digits() -> Problem:
    """The problem.

    Raises:
        ImportError: scikit-learn isn't installed.
    """
    return Problem(
        name="digits",
        text=TEXT,
        data=split_digits(),
        sizes=(PIXELS, PIXELS * CLASSES),
        objectives=(_validation, _training),
        start=np.full(PIXELS, _START),
        torch_objectives=_for_torch,
    )


def split_digits() -> dict[str, np.ndarray]:
    """Pictures in [0, 1] and one-hot labels: `X`, `T` to train on and `V`, `S` to validate on."""
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    pictures, hot = pictures / 16.0, np.eye(CLASSES)[labels]
    return {
        "X": pictures[:_TRAIN],
        "T": hot[:_TRAIN],
        "V": pictures[_TRAIN:],
        "S": hot[_TRAIN:],
    }


def cross_entropy(logits: jax.Array, hot: jax.Array) -> jax.Array:
    """The mean loss over rows; both are (rows, classes)."""
    return jnp.mean(jax.nn.logsumexp(logits, axis=-1) - jnp.sum(hot * logits, axis=-1))


def _validation(data: Mapping[str, Any], lam: jax.Array, weights: jax.Array) -> jax.Array:
    loss = cross_entropy(data["V"] @ weights.reshape(PIXELS, CLASSES), data["S"])
    return loss + 0.01 * jnp.mean((lam - _START) ** 2)


def _training(data: Mapping[str, Any], lam: jax.Array, weights: jax.Array) -> jax.Array:
    matrix = weights.reshape(PIXELS, CLASSES)
    penalty = jnp.exp(lam) @ jnp.sum(matrix**2, axis=1) / 2
    return cross_entropy(data["X"] @ matrix, data["T"]) + penalty


def _for_torch() -> tuple[Objective, ...]:
    import torch

    def loss(logits: Any, hot: Any) -> Any:
        return (torch.logsumexp(logits, -1) - (hot * logits).sum(-1)).mean()

    def validation(data: Mapping[str, Any], lam: Any, weights: Any) -> Any:
        found = loss(data["V"] @ weights.reshape(PIXELS, CLASSES), data["S"])
        return found + 0.01 * ((lam - _START) ** 2).mean()

    def training(data: Mapping[str, Any], lam: Any, weights: Any) -> Any:
        matrix = weights.reshape(PIXELS, CLASSES)
        penalty = torch.exp(lam) @ (matrix**2).sum(1) / 2
        return loss(data["X"] @ matrix, data["T"]) + penalty

    return validation, training
