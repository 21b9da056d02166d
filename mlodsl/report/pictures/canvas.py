"""The canvas that all pictures share: its style, its colours, and how it becomes a file.

Never a window and no state outside of the picture: figures are made without pyplot.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# M. Okabe and K. Ito's colours, told apart by colour-blind eyes too; without their yellow,
# which is too light for lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", ":", "-.")

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.edgecolor": "#666666",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "axes.labelcolor": "#222222",
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "legend.frameon": False,
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "svg.hashsalt": "mlodsl",
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture still to be drawn.

    Arguments:
        size: width and height in inches.
        draw: draws it on an empty figure of that size.
    """

    size: tuple[float, float]
    draw: Callable[[Figure], None]


def picture_bytes(drawing: Drawing, ending: str) -> bytes:
    """A picture as the content of a file.

    Arguments:
        ending: `.png`, `.svg` or `.pdf`.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # The same picture gives the same bytes: no date in the file.
    dateless = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=drawing.size, layout="constrained")
        FigureCanvasAgg(figure)
        drawing.draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=ending[1:], metadata=dateless.get(ending))
    return buffer.getvalue()
