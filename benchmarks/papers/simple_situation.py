"""001, Figure 1: Sato, Tanaka and Takeda's simple problem, on which all methods should agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import mlodsl
from mlodsl.report.pictures.canvas import Drawing

from .command import run_module
from .drawing import plot
from .experiment import Claim, Experiment, Outcome
from .running import NEVER, follow
from .schemes import METHODS, few_steps

SOURCE = "001 Figure 1"
STEPS = 100
CLOSE = 1e-3


def measure(quick: bool) -> Outcome:
    """The distance of x to 0 against steps."""
    del quick  # it is cheap
    model = mlodsl.compile(Path("sato_simple"))
    levels = few_steps(("first", "second", "third"), top="sgd(0.1)", lower="sgd(0.1)")
    found = {}
    for name in ("VGD", "ITD", "implicit"):
        ran = follow(model, strategy=METHODS[name], tolerance=NEVER, max_steps=STEPS, level=levels)
        found[name] = np.linalg.norm(ran.top, axis=1).tolist()
    needed = {
        name: next(step for step, distance in enumerate(values) if distance < CLOSE)
        for name, values in found.items()
    }
    figures = ", ".join(f"{name} {steps}" for name, steps in needed.items())
    return Outcome(
        scheme=(
            "Ours, as the paper states none: two variables a level, all from 1; sgd(0.1) at every "
            "level, 30 steps of the second level for each of the first, 3 of the third for each of "
            "those"
        ),
        numbers={"distance": found, "needed": needed},
        claims=(
            Claim(
                SOURCE,
                "all three methods are approximately the same",
                f"steps until |x| < {CLOSE:g}: {figures}",
                max(needed.values()) <= 1.2 * min(needed.values()),
            ),
        ),
    )


def draw(numbers: dict[str, Any]) -> Drawing:
    """The paper's figure."""

    def on(figure: Figure) -> None:
        axes = figure.subplots()
        for name, values in numbers["distance"].items():
            plot(axes, name, range(len(values)), np.maximum(values, 1e-16))
        axes.set_yscale("log")
        axes.set_xlabel("step of the top level")
        axes.set_ylabel("|x|")
        axes.legend()

    return Drawing((5, 3.4), on)


EXPERIMENT = Experiment("simple_situation", SOURCE, measure, draw)

if __name__ == "__main__":
    run_module(__spec__.name)
