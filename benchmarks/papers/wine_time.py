"""000, Table 1: the time of an update of the wine problem's λ, relative to a vanilla one."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from benchmarks.timing import compare
from mlodsl.report.pictures.canvas import Drawing

from .command import run_module
from .drawing import bars
from .experiment import Claim, Experiment, Outcome
from .schemes import METHODS
from .updates import compiled_update
from .wine_data import SCHEME, SCHEME_IN_WORDS, wine_model

SOURCE = "000 Table 1"
CONTENDERS = {
    "VGD": METHODS["VGD"],
    "FD": METHODS["FD"],
    "ITD": METHODS["ITD"],
    "implicit": "implicit(linear_solver = cg, iterations = 3)",
    "ITD, forward": "itd(mode = forward)",
    "implicit, full CG": "implicit(linear_solver = cg)",
    "FD, exact between": "fd(central = false)",
}
PAPER = {"VGD": 1.0, "FD": 2.0, "ITD": 10.3, "implicit": 3.1}
# What the paper's numbers say: 10.3 / 3.1.
FASTER = 3.3


def measure(quick: bool) -> Outcome:
    """One compiled update of each method at the model's start."""
    model = wine_model("red")
    updates = {
        name: compiled_update(model, strategy=strategy, level=SCHEME)
        for name, strategy in list(CONTENDERS.items())[: 4 if quick else None]
    }
    ratios = compare(updates, repeats=15 if quick else 200)
    ours = ratios.processor
    against = ours["ITD"] / ours["implicit"]
    figures = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ours.items())
    return Outcome(
        scheme=f"The paper's: {SCHEME_IN_WORDS}; it measured on an A100. Here: {ratios.condition}",
        numbers={"processor": ours, "wall": ratios.wall, "paper": PAPER, "busy": ratios.busy},
        claims=(
            Claim(
                SOURCE,
                "an implicit update takes 1/3.3 of the time of an ITD update (10.3 to 3.1)",
                f"{figures}; ITD takes {against:.2f} times the time of implicit",
                against >= FASTER,
            ),
            Claim(
                SOURCE,
                "an implicit update takes 3.1 times the time of a vanilla one",
                f"{ours['implicit']:.2f} times",
                ours["implicit"] <= PAPER["implicit"],
            ),
        ),
    )


def draw(numbers: dict[str, Any]) -> Drawing:
    """The paper's ratios and ours."""

    def on(figure: Figure) -> None:
        axes = figure.subplots()
        bars(axes, numbers["paper"], numbers["processor"], "paper (A100)")
        axes.set_ylabel("time of an update, VGD = 1")

    return Drawing((8, 3.2), on)


EXPERIMENT = Experiment("wine_time", SOURCE, measure, draw)

if __name__ == "__main__":
    run_module(__spec__.name)
