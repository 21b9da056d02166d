"""What the experiments' pictures share: curves with the same colour for the same method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from mlodsl.report.pictures.canvas import COLOURS, DASHES

# Methods keep their colour, dashes and mark from picture to picture.
_PENS: dict[str, tuple[str, str, str]] = {
    "VGD": (COLOURS[6], ":", "s"),
    "FD": (COLOURS[4], "--", "^"),
    "ITD": (COLOURS[1], "-.", "v"),
    "implicit": (COLOURS[0], "-", "o"),
    "auto": (COLOURS[2], "-", "*"),
    "implicit, full CG": (COLOURS[5], "--", "D"),
    "FD, attacker led exactly": (COLOURS[3], "--", "<"),
}
Numbers = Sequence[float] | np.ndarray

_MARKS = "oD^vsP*"
_ABOUT = 8


def plot(
    axes: Axes,
    label: str,
    x: Numbers,
    y: Numbers,
    *,
    pen: str | None = None,
    **options: Any,
) -> None:
    """A curve with a few marks on it; `pen`, or the label, names the method it is drawn as."""
    pen = label if pen is None else pen
    count = len(axes.lines)
    other = (COLOURS[count % 6], DASHES[count % len(DASHES)], _MARKS[count % len(_MARKS)])
    method = pen.split(" ")[0].rstrip(",")
    colour, dashes, mark = _PENS.get(pen) or _PENS.get(method) or other
    spread = max(len(x) // _ABOUT, 1)
    style: dict[str, Any] = {
        "color": colour,
        "linestyle": dashes,
        "marker": mark,
        "markersize": 4,
        "markevery": (count * spread // 5, spread),
        "label": label,
    }
    axes.plot(x, y, **(style | options))


def log_floor(values: Numbers, floor: float = 1e-32) -> np.ndarray:
    """Values for a log scale: what is smaller is drawn at the floor."""
    return np.maximum(np.array(values, float), floor)


def bars(axes: Axes, values: Mapping[str, float], ours: Mapping[str, float], paper: str) -> None:
    """Two bars for each name: the paper's value and ours, the numbers written on them."""
    names = list(ours)
    places = np.arange(len(names))
    for offset, label, found, colour in (
        (-0.2, paper, values, "#bbbbbb"),
        (0.2, "mlodsl", ours, COLOURS[0]),
    ):
        heights = [found.get(name, np.nan) for name in names]
        drawn = axes.bar(places + offset, heights, 0.38, label=label, color=colour)
        texts = ["" if np.isnan(height) else f"{height:.3g}" for height in heights]
        axes.bar_label(drawn, labels=texts, fontsize=8, padding=1)
    axes.set_xticks(places, [name.replace(", ", ",\n") for name in names])
    axes.grid(axis="x", visible=False)
    axes.legend()
