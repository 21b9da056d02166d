"""Pictures of suites: a panel for each case, a bar for each contender."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from mlodsl.report.pictures.canvas import COLOURS, Drawing

from .suites.suite import Row

_ACROSS = 3
_WORDS = 44


def draw_bars(rows: Sequence[Row], contenders: Sequence[str], figure: str, label: str) -> Drawing:
    """Bars on a log scale, a colour for each contender, one panel a case.

    A contender without the figure is written with the beginning of what it says instead.

    Arguments:
        figure: the name of what is drawn, a positive number.
        label: of the axes.
    """
    cases = list(dict.fromkeys(row.case for row in rows))
    down = -(-len(cases) // _ACROSS)
    tallest = max((sum(row.case == case for row in rows) for case in cases), default=1)

    def place_of(row: Row) -> int:
        return contenders.index(row.contender) if row.contender in contenders else len(contenders)

    def on(canvas: Figure) -> None:
        panels = canvas.subplots(down, _ACROSS, squeeze=False).flatten()
        for axes in panels[len(cases) :]:
            axes.set_visible(False)
        for axes, case in zip(panels, cases, strict=False):
            shown = sorted((row for row in rows if row.case == case), key=place_of)
            known = [row.figures[figure] for row in shown if _has(row, figure)]
            left = min(known, default=1.0) / 2
            for place, row in enumerate(shown):
                if _has(row, figure):
                    colour = COLOURS[place_of(row) % len(COLOURS)]
                    axes.barh(place, row.figures[figure] - left, left=left, color=colour)
                    words = f" {row.figures[figure]:.3g}"
                    axes.text(row.figures[figure], place, words, va="center", fontsize=7)
                elif row.failure is not None:
                    words = f" {row.failure[:_WORDS]}"
                    axes.text(left, place, words, va="center", fontsize=6, style="italic")
            axes.set_yticks(range(len(shown)), [row.contender for row in shown], fontsize=7)
            axes.set_ylim(len(shown) - 0.4, -0.6)
            axes.set_xscale("log")
            axes.set_xlim(left, max(known, default=1.0) * 4)
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.set_title(case)
            axes.grid(axis="y", visible=False)
        for axes in panels[::_ACROSS][:down]:
            axes.set_xlabel(label)

    return Drawing((4.2 * _ACROSS, (0.28 * tallest + 0.9) * down), on)


def _has(row: Row, figure: str) -> bool:
    return row.figures.get(figure) is not None
