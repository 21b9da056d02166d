"""Models without a good answer. Each text compiles once; its params choose the trap.

SCALAR has a top level of x and a bottom level of y whose objectives are sums of everything that
can go wrong; VECTOR a bottom level with a quadratic form; GENERALS three levels whose second one
depends on how the third answers; MAXIMIZED two levels that maximise.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

SCALAR = """
param x0 = 0.0
param y0 = 0.0
param top_slope = 0.0
param top_square = 1.0
param top_goal = 1.0
param top_quartic = 0.0
param top_fade = 0.0
param top_kink = 0.0
param top_jump = 0.0
param top_log = 0.0
param top_answer = 1.0
param unanswerable = 0.0
param slope = 0.0
param slope_by_x = 0.0
param square_ = 0.0
param quartic = 0.0
param fade = 0.0
param wells = 0.0
param kink = 0.0
level top {
  var x : real = x0
  minimize top_slope * x + top_square * (x - top_goal)^2 + top_quartic * x^4
    + expm1(-top_fade * x) + top_kink * abs(x - 1) - top_jump * floor(3 * x)
    - top_log * log(1 + x^2) + top_answer * y
}
level bottom {
  var y : real = y0
  minimize unanswerable * x^2 + slope * y + slope_by_x * x * y + square_ * (y - x)^2
    + quartic * (y - x)^4 + expm1(-fade * y) + wells * (y^2 - 1)^2 + kink * abs(y - x)
}
"""

VECTOR = """
param Q : real[2, 2]
param c : real[2]
level top { var x : real = 0.5  minimize (x - 1)^2 + y[0]^2 }
level bottom { var y : real[2]  minimize dot(y, Q @ y) - x * dot(c, y) }
"""

GENERALS = """
param quadratic = 0.0
param exponential = 0.0
param anticipated = 0.0
let cost(t) = quadratic * t^2 + exponential * (exp(t) - 1)
level first { var x : real  minimize -x * (1 - y - z) + cost(x) }
level second { var y : real  minimize -y * (1 - x - z) + cost(y) - anticipated * z^2 }
level third { var z : real  minimize -z * (1 - x - y) + cost(z) }
"""

MAXIMIZED = """
param a = 1.0
param b = 1.0
level buyer { var x : real  maximize -a * (x - 1)^2 + y }
level seller { var y : real  maximize -b * (y - x)^2 }
"""


@dataclass(frozen=True)
class Trap:
    """A model, the level that is at fault, and words that the message says of it."""

    text: str
    level: str
    says: str
    params: dict[str, Any] = field(default_factory=dict)


def _bottom(says: str, **params: float) -> Trap:
    return Trap(SCALAR, "bottom", says, params)


def _top(says: str, **params: float) -> Trap:
    return Trap(SCALAR, "top", says, {"square_": 1.0, "top_answer": 0.0, **params})


def _vector(says: str, Q: list[list[float]], c: list[float]) -> Trap:
    return Trap(VECTOR, "bottom", says, {"Q": np.array(Q), "c": np.array(c)})


TRAPS = {
    # --- a lower level without a best response
    "slope": _bottom("unbounded below", slope=1.0),
    "slope that vanishes at the start": _bottom("flat along `y`", slope_by_x=1.0),
    "slope that depends on the leader": _bottom("unbounded below", slope_by_x=1.0, x0=1.0),
    "maximum met exactly": _bottom("wrong way.*maximum.*`maximize`", square_=-1.0),
    "maximum": _bottom("wrong way.*maximum.*`maximize`", square_=-1.0, y0=0.5),
    "no dependence": _bottom("flat along `y`", unanswerable=1.0),
    "plateau": _bottom("fades out|flat", fade=1.0),
    "degenerate minimum": _bottom("degenerate", quartic=1.0, y0=1.0),
    "degenerate minimum met exactly": _bottom("(flat|degenerate.*) along `y`", quartic=1.0),
    "worse of two wells": _bottom(
        "isn't its best response: y = 1.03", wells=1.0, slope=-0.3, slope_by_x=0.01, y0=-1.0
    ),
    "tie broken against the leader": _bottom("another best response, y = -1", wells=1.0, y0=0.5),
    "kink": _bottom("kink", kink=1.0, square_=0.5, x0=2.0, y0=3.0),
    "overflow at the start": _bottom("not a finite number", square_=1.0, y0=1e200),
    # Bounded where x is 0 alone, which is where the leader is driven.
    "slope along a flat direction": _vector(
        "unbounded|flat along|isn't its best response", [[1, 1], [1, 1]], [2, 1]
    ),
    "saddle": _vector(r"wrong way along `y\[1\]`", [[1, 0], [0, -1]], [2, 0]),
    "saddle across": _vector("wrong way along", [[1, 2], [2, 1]], [2, 0]),
    "maximum of a vector": _vector("wrong way along", [[-1, 0], [0, -1]], [2, 0]),
    "minimum where a maximum is asked for": Trap(
        MAXIMIZED, "seller", "unbounded above.*minimum.*`minimize`", {"b": -1.0}
    ),
    # --- a middle level whose trouble shows only by anticipation
    "generals with exponential costs": Trap(
        GENERALS, "second", "unbounded below", {"exponential": 1.0}
    ),
    "concave by anticipation": Trap(
        GENERALS, "second", "unbounded below", {"quadratic": 1.0, "anticipated": 20.0}
    ),
    "lowest of three unbounded": Trap(GENERALS, "third", "unbounded below"),
    # --- the top level
    "top slope": _top("unbounded below", top_square=0.0, top_slope=1.0),
    "top concave": _top("unbounded below", top_square=-1.0),
    "top maximum met exactly": _top("unbounded below", top_square=-1.0, top_goal=0.0),
    "top slow descent": _top("unbounded below|fades out", top_square=0.0, top_log=1.0),
    "top plateau": _top("fades out", top_square=0.0, top_fade=1.0),
    "top degenerate maximum": _top("unbounded below|fades out", top_square=0.0, top_quartic=-1.0),
    "top kink": _top("gradient", top_kink=3.0, top_goal=0.0, x0=2.0),
    "top kink met exactly": _top("gradient", top_kink=3.0, top_goal=0.0, x0=1.0),
    "top jump": _top("gradient", top_jump=1.0, top_answer=1.0, x0=0.7),
    "top jump at the start": _top("gradient", top_jump=1.0, top_answer=1.0),
    "top minimum where a maximum is asked for": Trap(
        MAXIMIZED, "buyer", "unbounded above", {"a": -1.0}
    ),
}
UNBOUNDED = [
    "slope",
    "slope that depends on the leader",
    "maximum met exactly",
    "maximum",
    "saddle",
    "saddle across",
    "maximum of a vector",
    "minimum where a maximum is asked for",
    "top slope",
    "top concave",
    "top maximum met exactly",
    "top minimum where a maximum is asked for",
]
"""Those where no doubt is left: the objective runs away along a straight line."""

SOLVABLE: dict[str, tuple[str, dict[str, Any], dict[str, float]]] = {
    # name: text, params, answer
    "plain": (SCALAR, {"square_": 1.0}, {"x": 0.5, "y": 0.5}),
    # y solves 4 y (y² - 1) - 0.3 + 0.01 x = 0 and x = 0.3 - y'/2, y' = -0.01 / (12 y² - 4).
    "better of two wells": (
        SCALAR,
        {"wells": 1.0, "slope": -0.3, "slope_by_x": 0.01, "y0": 1.0, "top_goal": 0.3},
        {"x": 0.30056429, "y": 1.03523966},
    ),
    "tie broken in the leader's favour": (
        SCALAR,
        {"wells": 1.0, "y0": -0.5},
        {"x": 1.0, "y": -1.0},
    ),
    # The maximum at 0 between two minima at ±1/√2 is left, to either side.
    "top maximum between two minima": (
        SCALAR,
        {
            "square_": 1.0,
            "top_answer": 0.0,
            "top_square": -1.0,
            "top_goal": 0.0,
            "top_quartic": 1.0,
        },
        {},
    ),
    "steep top over a shallow bottom": (
        SCALAR,
        {"top_square": 1e8, "top_answer": 1e8, "square_": 1e-8, "x0": 0.7, "y0": 3.0},
        {"x": 0.5, "y": 0.5},
    ),
    "shallow top over a steep bottom": (
        SCALAR,
        {"top_square": 1e-8, "top_answer": 1e-8, "square_": 1e8, "x0": 0.7, "y0": 3.0},
        {"x": 0.5, "y": 0.5},
    ),
    "flat top": (SCALAR, {"square_": 1.0, "top_square": 0.0, "top_answer": 0.0}, {"x": 0, "y": 0}),
    "vector": (
        VECTOR,
        # y = x (1/2, 1/2), so x = 1 / (1 + 1/4).
        {"Q": np.eye(2), "c": np.ones(2)},
        {"x": 0.8},
    ),
    "three generals": (GENERALS, {"quadratic": 1.0}, {"x": 1 / 2, "y": 1 / 4, "z": 1 / 8}),
    "maximized": (MAXIMIZED, {}, {"x": 1.5, "y": 1.5}),
}
