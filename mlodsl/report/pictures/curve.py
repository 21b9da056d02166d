"""What a run looked like step by step, as numbers to draw; and how a curve is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import COLOURS, DASHES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROUNDING = 1e-16
"""Where log scales end: about double precision's rounding."""

_MOST_DOTS = 40
# Beyond so many times the shortest run, steps are on a log scale too.
_WIDE = 20
# Times whose ratio is smaller get more labels than the powers of ten.
_FEW_DECADES = 200


@dataclass(frozen=True, slots=True)
class Curve:
    """A run: a number for each step.

    Arguments:
        label: what the legend calls it.
        steps, seconds: where each number stands; seconds since the run began.
        norms: of the hypergradient, as the run itself computed it.
        objectives: of the top level, as written.
        certified: the hypergradient norm at the returned point by its certificate; None where
            there is none.
    """

    label: str
    steps: np.ndarray
    seconds: np.ndarray
    norms: np.ndarray
    objectives: np.ndarray
    certified: float | None = None


def curve_of_steps(
    label: str, steps: Sequence[Mapping[str, Any]], certified: float | str | None = None
) -> Curve:
    """The curve of the lines of a trace (`step_dict`), broken between the starts where there are
    several."""
    begins = [
        number
        for number in range(1, len(steps))
        if steps[number].get("start") != steps[number - 1].get("start")
    ]

    def column(key: str) -> np.ndarray:
        return np.insert([float(step[key]) for step in steps], begins, np.nan)

    return Curve(
        label,
        column("step"),
        column("seconds"),
        column("hypergradient_norm"),
        column("objective"),
        None if certified is None else float(certified),
    )


@dataclass(frozen=True, slots=True)
class Pen:
    """How one of several curves is drawn: its colour, its dashes, its width.

    Each curve is thinner than the one before, so that curves on top of each other are all
    seen.
    """

    number: int = 0
    among: int = 1

    @property
    def colour(self) -> str:
        """The colour, which others share where there are many curves."""
        return COLOURS[self.number % len(COLOURS)]

    @property
    def dashes(self) -> str:
        """The dashes, which tell those of one colour apart."""
        return DASHES[self.number // len(COLOURS) % len(DASHES)]

    @property
    def width(self) -> float:
        """The width of the line in points."""
        thicker = min(1.2, 2.9 / max(self.among - 1, 1))
        return 1.3 + thicker * (self.among - 1 - self.number)


def plot_curve(axes: Axes, pen: Pen, x: np.ndarray, y: np.ndarray, label: str | None) -> None:
    """Draws a curve; with dots where there are few."""
    dotted = len(x) <= _MOST_DOTS
    axes.plot(
        x,
        y,
        color=pen.colour,
        linestyle=pen.dashes,
        linewidth=pen.width,
        marker="o" if dotted else None,
        markersize=pen.width + 2,
        label=label,
    )


def drawable(numbers: np.ndarray) -> np.ndarray:
    """Numbers for a log scale: what is below rounding, zero included, is drawn at it."""
    return np.maximum(numbers, ROUNDING)


def scale_steps(axes: Axes, curves: Sequence[Curve]) -> None:
    """Labels the axis of steps; its scale is logarithmic where runs differ much in length."""
    from matplotlib.ticker import MaxNLocator

    longest = [max(float(curve.steps[-1]), 1.0) for curve in curves if curve.steps.size]
    if longest and max(longest) > _WIDE * min(longest):
        axes.set_xscale("symlog", linthresh=1, linscale=0.4)
        axes.set_xlim(left=-0.1)
        axes.xaxis.set_major_formatter(_plainly)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("step of the top level")


def scale_seconds(axes: Axes, curves: Sequence[Curve]) -> None:
    """Labels the axis of seconds and makes its scale logarithmic, where times allow it."""
    from matplotlib.ticker import LogLocator, NullFormatter

    times = np.concatenate([np.zeros(0), *(curve.seconds for curve in curves)])
    times = times[times > 0]
    if times.size:
        axes.set_xscale("log")
        few = float(times.max() / times.min()) < _FEW_DECADES
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if few else (1,)))
        axes.xaxis.set_major_formatter(_plainly)
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("seconds of running")


def _plainly(value: float, position: float) -> str:
    """A tick's label without powers of ten, where that is short."""
    return f"{value:g}"


def scale_norms(axes: Axes) -> None:
    """Labels the axis of hypergradient norms, on a log scale."""
    axes.set_yscale("log")
    axes.set_ylabel("hypergradient norm")
