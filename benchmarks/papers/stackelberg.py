"""000, Figure 1: the generalised Stackelberg game of three levels, four methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import mlodsl
from mlodsl.report.pictures.canvas import Drawing

from .command import run_module
from .drawing import log_floor, plot
from .experiment import Claim, Experiment, Outcome
from .running import NEVER, follow
from .schemes import METHODS, PAPER_ADAM, few_steps

SOURCE = "000 Figure 1"
LEVELS = ("firm1", "firm2", "firm3")
STEPS = 400
FEW, EXACT = "30 and 3 steps of sgd(0.01)", "lower levels solved"


def measure(quick: bool) -> Outcome:
    """MSE of x to 1/2 against steps, with the paper's lower levels and with solved ones."""
    model = mlodsl.compile(Path("stackelberg3"))
    schemes = {
        FEW: few_steps(LEVELS, top=PAPER_ADAM),
        EXACT: {LEVELS[0]: {"optimizer": PAPER_ADAM}},
    }
    series: dict[str, dict[str, Any]] = {}
    for scheme, levels in schemes.items():
        if quick and scheme == EXACT:
            continue
        series[scheme] = {
            name: _errors(
                follow(model, strategy=strategy, tolerance=NEVER, max_steps=STEPS, level=levels).top
            )
            for name, strategy in METHODS.items()
        }
    return Outcome(
        scheme=(
            "The paper's: Adam (rate 0.1 · 0.99^t, β₁ = 0.5) at the top, 30 steps of sgd(0.01) of "
            "the second level for each, 3 of the third for each of those. Ours: one good, start "
            "at 0, 400 steps, FD with differences of 1.5e-8."
        ),
        numbers={"steps": STEPS, "mse": series},
        claims=_claims(series),
    )


def _errors(top: np.ndarray) -> list[float]:
    """The MSE after each step; where rounding stopped the run, the last one holds on."""
    errors = np.mean((top - 0.5) ** 2, axis=1)
    return list(np.concatenate([errors, np.full(STEPS + 1 - len(errors), errors[-1])]))


def _claims(series: dict[str, dict[str, Any]]) -> tuple[Claim, ...]:
    few = {name: errors[-1] for name, errors in series[FEW].items()}
    figures = ", ".join(f"{name} {error:.1e}" for name, error in few.items())
    others = min(error for name, error in few.items() if name != "implicit")
    claims = [
        Claim(
            SOURCE,
            "implicit differentiation reaches the optimum, the only method that isn't trapped "
            "elsewhere",
            f"MSE after 400 steps: {figures}",
            few["implicit"] < 1e-10 and others > 1e-3,
        )
    ]
    if EXACT in series:
        exact = {name: errors[-1] for name, errors in series[EXACT].items()}
        figures = ", ".join(f"{name} {error:.1e}" for name, error in exact.items())
        claims.append(
            Claim(
                SOURCE,
                "FD and ITD are trapped in local minima",
                f"lower levels solved instead of 30 and 3 steps: {figures}; the objective has no "
                "local minima, it is the few steps that bias FD and ITD",
                not max(exact["FD"], exact["ITD"]) < 1e-10,
            )
        )
    return tuple(claims)


def draw(numbers: dict[str, Any]) -> Drawing:
    """The paper's figure, and beside it the same methods with solved lower levels."""

    def on(figure: Figure) -> None:
        panels = figure.subplots(1, len(numbers["mse"]), sharey=True, squeeze=False)[0]
        for axes, (scheme, methods) in zip(panels, numbers["mse"].items(), strict=True):
            for name, errors in methods.items():
                plot(axes, name, range(len(errors)), log_floor(errors))
            axes.set_yscale("log")
            axes.set_title(scheme)
            axes.set_xlabel("step of the top level")
        panels[0].set_ylabel("MSE of x to 1/2")
        panels[0].legend()

    return Drawing((8, 3.4), on)


EXPERIMENT = Experiment("stackelberg", SOURCE, measure, draw)

if __name__ == "__main__":
    run_module(__spec__.name)
