"""001, section 5.2: the time of an update on an artificial problem, relative to a vanilla one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import mlodsl
from benchmarks.timing import compare
from mlodsl.report.pictures.canvas import Drawing

from .command import run_module
from .drawing import bars
from .experiment import Claim, Experiment, Outcome
from .schemes import METHODS, few_steps
from .updates import compiled_update

SOURCE = "001 section 5.2"
SIZES = (1, 30)
PAPER = {"VGD": 1.0, "ITD": 7.0, "implicit": 1.25}
CONTENDERS = {
    "VGD": METHODS["VGD"],
    "ITD": METHODS["ITD"],
    "implicit": METHODS["implicit"],
    "ITD, forward": "itd(mode = forward)",
}
SOLVED = "implicit, solved by Newton"


def measure(quick: bool) -> Outcome:
    """One compiled update of each method on the simple problem, small and larger."""
    levels = few_steps(("first", "second", "third"), top="sgd(0.1)", lower="sgd(0.1)")
    numbers: dict[str, Any] = {"paper": PAPER, "sizes": {}}
    condition = ""
    for size in SIZES[: 1 if quick else None]:
        model = mlodsl.compile(Path("sato_simple"), params={"d": size})
        updates = {
            name: compiled_update(model, strategy=strategy, level=levels)
            for name, strategy in CONTENDERS.items()
        }
        updates[SOLVED] = compiled_update(model)
        ratios = compare(updates, repeats=15 if quick else 200)
        numbers["sizes"][str(size)] = {"processor": ratios.processor, "wall": ratios.wall}
        condition = ratios.condition
    return Outcome(
        scheme=(
            "The paper doesn't say which problem, nor how many steps. Ours: `sato_simple` with "
            f"{' and '.join(str(size) for size in SIZES)} variables a level, 30 and 3 steps of "
            f"sgd(0.1); {condition}"
        ),
        numbers=numbers,
        claims=_claims(numbers),
    )


def _claims(numbers: dict[str, Any]) -> tuple[Claim, ...]:
    found = {size: times["processor"] for size, times in numbers["sizes"].items()}
    shown = "; ".join(
        f"{size} a level: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in times.items())
        for size, times in found.items()
    )
    return (
        Claim(
            SOURCE,
            "implicit differentiation (1.25) is close to vanilla gradients and far cheaper than "
            "ITD (7)",
            shown,
            all(
                times["implicit"] <= PAPER["implicit"] and times["ITD"] > 2 * times["implicit"]
                for times in found.values()
            ),
        ),
    )


def draw(numbers: dict[str, Any]) -> Drawing:
    """The paper's ratios and ours, a panel for each size."""

    def on(figure: Figure) -> None:
        panels = figure.subplots(len(numbers["sizes"]), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (size, times) in zip(panels, numbers["sizes"].items(), strict=True):
            bars(axes, numbers["paper"], times["processor"], "paper")
            axes.set_title(f"{size} variable{'s' * (size != '1')} a level")
            axes.set_ylabel("time of an update,\nVGD = 1")

    return Drawing((8, 5), on)


EXPERIMENT = Experiment("efficiency", SOURCE, measure, draw)

if __name__ == "__main__":
    run_module(__spec__.name)
