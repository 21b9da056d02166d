"""The norm of a few numbers, by which a certificate judges, often."""

from __future__ import annotations

import math

import numpy as np


def norm(vector: np.ndarray) -> float:
    """The Euclidean norm of a vector, as by `numpy.linalg.norm`, which takes longer to call."""
    return math.sqrt(vector.dot(vector))
