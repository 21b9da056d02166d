"""Numbers and arrays in short form, for tables."""

from __future__ import annotations

import numpy as np

_WHOLE = 6
_HEAD = 2


def short(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits; a dash where it was not computed."""
    return "-" if value is None else f"{value:.{digits}g}"


def summary(value: np.ndarray) -> str:
    """An array as a table shows it: whole where it is small, else its shape, ends and norm.

    >>> summary(np.array(0.5)), summary(np.array([1.0, 2.0]))
    ('0.5', '[1, 2]')
    >>> summary(np.zeros((2, 100)))
    '[0, 0, …, 0], shape [2, 100], norm 0'
    """
    value = np.asarray(value)
    if value.ndim == 0:
        return short(float(value), 10)
    if value.size <= _WHOLE:
        return _nested(value)
    flat = value.ravel()
    head = ", ".join(short(float(entry), 4) for entry in flat[:_HEAD])
    shape = ", ".join(map(str, value.shape))
    norm = float(np.linalg.norm(flat))
    return f"[{head}, …, {short(float(flat[-1]), 4)}], shape [{shape}], norm {short(norm, 4)}"


def _nested(value: np.ndarray) -> str:
    if value.ndim == 0:
        return short(float(value), 8)
    return f"[{', '.join(_nested(item) for item in value)}]"
