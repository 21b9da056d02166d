"""Exponents of growth: straight lines through logarithms, by least squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float | None:
    """p of the best fit values ≈ C · sizes^p; None of fewer than two sizes."""
    if len(set(sizes)) < 2:
        return None
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def factor(steps: Sequence[float], values: Sequence[float]) -> float | None:
    """q of the best fit values ≈ C · q^steps; None of fewer than two steps."""
    if len(set(steps)) < 2:
        return None
    return float(np.exp(np.polyfit(steps, np.log(values), 1)[0]))
