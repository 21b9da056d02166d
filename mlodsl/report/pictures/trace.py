"""The picture of a trace: the objective and the hypergradient norm, per step and per second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .canvas import Drawing
from .curve import Curve, Pen, drawable, plot_curve, scale_norms, scale_seconds, scale_steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def trace_drawing(curve: Curve) -> Drawing:
    """Objective above, norm below; steps on the left, seconds on the right."""
    return Drawing((9.0, 6.2), lambda figure: draw_trace(figure, curve))


def draw_trace(figure: Figure, curve: Curve) -> None:
    """Draws a trace on a figure, or on a part of one."""
    figure.suptitle(curve.label, x=0.01, ha="left", weight="bold")
    grid = figure.subplots(2, 2, sharex="col", sharey="row")
    for axes, x in zip(grid.T, (curve.steps, curve.seconds), strict=True):
        plot_curve(axes[0], Pen(), x, curve.objectives, None)
        plot_curve(axes[1], Pen(), x, drawable(curve.norms), None)
    grid[0][0].set_ylabel("top objective")
    scale_norms(grid[1][0])
    scale_steps(grid[1][0], [curve])
    scale_seconds(grid[1][1], [curve])
