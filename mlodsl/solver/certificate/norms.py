"""Norms and roundings of a few numbers, by which a certificate judges, often."""

from __future__ import annotations

import functools
import math

import numpy as np
from jaxtyping import Array


def norm(vector: np.ndarray) -> float:
    """The Euclidean norm of a vector, as by `numpy.linalg.norm`, which takes longer to call."""
    return math.sqrt(vector.dot(vector))


def eps_of(array: np.ndarray | Array) -> float:
    """The distance from 1 to the next number of an array's type."""
    return _eps(array.dtype)


@functools.lru_cache(maxsize=8)
def _eps(dtype: np.dtype) -> float:
    return float(np.finfo(dtype).eps)
