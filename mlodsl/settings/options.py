"""The tables of options: those of `solve { … }` and those of a `level NAME { … }` inside it.

`strategy` and `optimizer` are calls and stand in tables of their own (`strategies.py`,
`optimizers.py`); here are the options whose value is one number or word.
"""

from __future__ import annotations

import math

from .kinds import Choice, Number, WholeNumber
from .signatures import Parameter

_TOLERANCE = Number(minimum=0.0, exclusive=True, words=("auto",))

_SOLVE = (
    Parameter(
        "tolerance",
        _TOLERANCE,
        unset="auto",
        doc="Stops once the top level's first-order residual is at most this; by default 1e-8 "
        "in float64 and 1e-4 in float32.",
    ),
    Parameter(
        "max_steps", WholeNumber(1), 1000, doc="The most steps of the top level that are taken."
    ),
    Parameter(
        "timeout",
        Number(minimum=0.0, exclusive=True, infinite=True),
        unset=math.inf,
        doc="The most seconds that the run takes; by default there is no limit.",
    ),
    Parameter("seed", WholeNumber(0), 0, doc="The seed of every random draw."),
    Parameter(
        "precision",
        Choice(("float64", "float32")),
        "float64",
        doc="The arithmetic of the whole computation.",
    ),
    Parameter("batch_size", WholeNumber(1), doc="How many rows a stochastic step draws."),
    Parameter(
        "starts",
        WholeNumber(1, words=("auto",)),
        "auto",
        doc="How many starting points are tried: the model's own, then others spread over the top "
        "level's domains, or around the start where nothing bounds a variable; lower levels start "
        "around their own, too. The best answer is the result. `auto`: one; in models with "
        "constraints or players 12, from three levels on fewer.",
    ),
)

_LEVEL = (
    Parameter(
        "steps",
        WholeNumber(1, words=("auto",)),
        unset="auto",
        doc="How many steps this level takes each time it is solved; by default as many as the "
        "level above needs.",
    ),
    Parameter(
        "tolerance",
        _TOLERANCE,
        unset="auto",
        doc="The first-order residual at which this level counts as solved; by default what the "
        "level above needs.",
    ),
)

SOLVE_OPTIONS: dict[str, Parameter] = {option.name: option for option in _SOLVE}
LEVEL_OPTIONS: dict[str, Parameter] = {option.name: option for option in _LEVEL}

SOLVE_KEYS: tuple[str, ...] = ("strategy", *SOLVE_OPTIONS)
LEVEL_KEYS: tuple[str, ...] = ("optimizer", *LEVEL_OPTIONS)
