"""The picture of a comparison: a curve for each strategy, against steps and against seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import Drawing
from .curve import (
    ROUNDING,
    Curve,
    Pen,
    curve_of_steps,
    drawable,
    plot_curve,
    scale_norms,
    scale_seconds,
    scale_steps,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST_LABEL = 34
_RING: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 9, "mfc": "none"}


def comparison_drawing(comparison: Mapping[str, Any]) -> Drawing:
    """Hypergradient norms above; below, how far the objective is from the best one.

    Arguments:
        comparison: as `comparison_dict` and the file of `mlodsl compare --out` hold it.
    """
    rows = comparison["comparison"]
    curves = [
        curve_of_steps(row["strategy"], trace, row["hypergradient_norm"])
        for row, trace in zip(rows, comparison["traces"], strict=True)
        if trace
    ]
    values = [row["objective"] for row in rows if row["strategy"] == comparison["best"]]
    best = float(values[0]) if values else None
    height = 3.4 if best is None else 6.5
    return Drawing((10.0, height), lambda figure: _draw(figure, comparison["model"], curves, best))


def _draw(figure: Figure, model: str, curves: Sequence[Curve], best: float | None) -> None:
    from matplotlib.lines import Line2D

    figure.suptitle(f"{model}: strategies compared", x=0.01, ha="left", weight="bold")
    grid = figure.subplots(1 if best is None else 2, 2, sharex="col", sharey="row", squeeze=False)
    for number, curve in enumerate(curves):
        pen = Pen(number, len(curves))
        for column, x in enumerate((curve.steps, curve.seconds)):
            plot_curve(grid[0][column], pen, x, drawable(curve.norms), _short(curve.label))
            if curve.certified is not None:
                ring = (x[-1], max(curve.certified, ROUNDING))
                grid[0][column].plot(*ring, **_RING, color=pen.colour, clip_on=False)
            if best is not None:
                gap = drawable(np.abs(curve.objectives - best))
                plot_curve(grid[1][column], pen, x, gap, None)
    if best is not None:
        grid[1][0].set_yscale("log")
        grid[1][0].set_ylabel("|objective - best objective|")
    scale_norms(grid[0][0])
    scale_steps(grid[-1][0], curves)
    scale_seconds(grid[-1][1], curves)
    handles, labels = grid[0][0].get_legend_handles_labels()
    handles.append(Line2D([], [], **_RING, color="#666666"))
    labels.append("certificate's norm")
    figure.legend(handles, labels, loc="outside right upper", handlelength=3)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
