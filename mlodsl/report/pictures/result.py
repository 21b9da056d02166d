"""The picture of a result: its variables, and each level's certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import COLOURS, Drawing
from .curve import ROUNDING, Curve
from .trace import draw_trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS_IN_A_ROW = 3
_MOST_PANELS = 12
_MOST_BARS = 40
# Inches.
_ROW_HEIGHT, _TITLE_HEIGHT, _TRACE_HEIGHT = 2.7, 0.5, 5.4


@dataclass(frozen=True, slots=True)
class LevelMarks:
    """What a certificate says of a level; None: it was not computed."""

    name: str
    gradient_norm: float | None
    min_curvature: float | None


def result_drawing(
    result: Mapping[str, Any], variables: Mapping[str, np.ndarray], trace: Curve | None = None
) -> Drawing:
    """Scalars as bars, vectors as bars or curves, matrices as images, and the certificate.

    Arguments:
        result: as `result_dict` and the result file hold it.
        variables: its variables as arrays.
        trace: of the same run, drawn below.
    """
    levels = _marks(result.get("certificate") or {})
    title = ": ".join(str(result[key]) for key in ("model", "status") if key in result)
    panels = _panels(variables)
    count = len(panels) + bool(levels)
    rows = math.ceil(count / _PANELS_IN_A_ROW)
    height = _ROW_HEIGHT * rows + _TITLE_HEIGHT

    def draw(figure: Figure) -> None:
        if trace is None:
            _draw(figure, title, panels, levels)
            return
        parts: Any = figure.subfigures(2, 1, height_ratios=[height, _TRACE_HEIGHT])
        _draw(parts[0], title, panels, levels)
        draw_trace(parts[1], trace)

    return Drawing((10.0, height + (0 if trace is None else _TRACE_HEIGHT)), draw)


def _marks(certificate: Mapping[str, Any]) -> tuple[LevelMarks, ...]:
    """The marks of each level of a result file's certificate, top first."""
    levels = certificate.get("levels") or {}
    return tuple(
        LevelMarks(name, _number(level.get("gradient_norm")), _number(level.get("min_curvature")))
        for name, level in levels.items()
    )


def _number(value: float | str | None) -> float | None:
    return None if value is None else float(value)


def _panels(variables: Mapping[str, np.ndarray]) -> list[tuple[str, dict[str, np.ndarray]]]:
    """A title and what it shows for each panel: one for all scalars, one for each array."""
    scalars = {name: value for name, value in variables.items() if value.size == 1}
    arrays = [(name, value) for name, value in variables.items() if value.size > 1]
    panels = [("scalars" if len(scalars) > 1 else "", scalars)] if scalars else []
    for name, value in arrays:
        shape = ", ".join(map(str, value.shape))
        panels.append((f"{name}, shape [{shape}]", {name: value}))
    if len(panels) > _MOST_PANELS:
        left = len(panels) - _MOST_PANELS + 1
        panels = [*panels[: _MOST_PANELS - 1], (f"and {left} arrays more", {})]
    return panels


def _draw(
    figure: Any,
    title: str,
    panels: list[tuple[str, dict[str, np.ndarray]]],
    levels: tuple[LevelMarks, ...],
) -> None:
    figure.suptitle(title, x=0.01, ha="left", weight="bold")
    count = len(panels) + bool(levels)
    columns = min(count, _PANELS_IN_A_ROW)
    grid = figure.subplots(math.ceil(count / columns), columns, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.set_axis_off()
    for axes, (heading, shown) in zip(grid, panels, strict=False):
        axes.set_title(heading)
        if not shown:
            axes.set_axis_off()
        elif len(shown) == 1 and next(iter(shown.values())).size > 1:
            _draw_array(figure, axes, next(iter(shown.values())))
        else:
            numbers = [float(value.ravel()[0]) for value in shown.values()]
            _draw_bars(axes, list(shown), numbers)
    if levels:
        _draw_certificate(grid[len(panels)], levels)


def _draw_bars(axes: Axes, names: list[str], numbers: list[float]) -> None:
    places = np.arange(len(names))
    lengths = [number if math.isfinite(number) else 0.0 for number in numbers]
    bars = axes.barh(places, lengths, height=0.55, color=COLOURS[0])
    axes.bar_label(bars, [f"{number:.5g}" for number in numbers], padding=3)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.margins(x=0.3, y=max(0.05, 0.4 / len(names)))
    axes.axvline(0, color="#666666", linewidth=0.8)


def _draw_array(figure: Any, axes: Axes, value: np.ndarray) -> None:
    from matplotlib.ticker import MaxNLocator

    if value.ndim == 2 and min(value.shape) > 1:
        largest = float(np.nanmax(np.abs(value), initial=0.0, where=np.isfinite(value))) or 1.0
        # Zero is white, signs are told apart by colour-blind eyes.
        image = axes.imshow(
            value, cmap="PuOr", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest"
        )
        figure.colorbar(image, ax=axes)
        axes.grid(False)
        axes.set_xlabel("column")
        axes.set_ylabel("row")
        return
    flat = value.ravel()
    places = np.arange(flat.size)
    if flat.size <= _MOST_BARS:
        axes.bar(places, flat, color=COLOURS[0])
        axes.axhline(0, color="#666666", linewidth=0.8)
    else:
        axes.plot(places, flat, color=COLOURS[0], linewidth=1.0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("entry" if value.ndim == 1 else "entry, row by row")


def _draw_certificate(axes: Axes, levels: tuple[LevelMarks, ...]) -> None:
    """Gradient norms on a log scale; the smallest curvature as a number beside each."""
    axes.set_title("certificate")
    axes.set_xlabel("gradient norm")
    axes.set_xscale("log")
    places = np.arange(len(levels))
    norms = [
        float("nan") if mark.gradient_norm is None else max(mark.gradient_norm, ROUNDING)
        for mark in levels
    ]
    axes.plot(norms, places, "o", color=COLOURS[1], markersize=6)
    labels = []
    for mark in levels:
        curvature = "-" if mark.min_curvature is None else f"{mark.min_curvature:.3g}"
        labels.append(f"{mark.name}\nmin curvature {curvature}")
    axes.set_yticks(places, labels)
    axes.set_ylim(len(levels) - 0.5, -0.5)
    finite = [norm for norm in norms if math.isfinite(norm)]
    axes.set_xlim(ROUNDING / 10, max([1e-2, *(10 * norm for norm in finite)]))
