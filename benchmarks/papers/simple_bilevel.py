"""001, equation (5): a simple bilevel problem by Tikhonov regularisation, the error against σ."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import mlodsl
from mlodsl.report.pictures.canvas import Drawing

from .command import run_module
from .drawing import log_floor, plot
from .experiment import Claim, Experiment, Outcome

SOURCE = "001 equation (5)"
# The least squares are solved by all w in a plane; the upper level picks one of them.
MODEL = """
model selection "Among all least-squares fits, the one nearest to a wish"
data A : real[m, n]
data b : real[m]
data wish : real[n]
level picker {
  var scale : real = 0
  minimize sumsq(w - wish) + (scale - 1)^2
}
level fitter {
  var w : real[n] = 0
  minimize 0.5 * sumsq(A @ w - b)
}
"""
ROWS, COLUMNS = 4, 10
EXPONENTS = range(0, 9, 2)
RIGHT, PRINTED = "g + σ f", "f + σ g, as printed"


def measure(quick: bool) -> Outcome:
    """The error of w for σ = 1 down to 1e-8, with σ at either objective."""
    random = np.random.default_rng(0)
    fit, wish = random.normal(size=(ROWS, COLUMNS)), random.normal(size=COLUMNS)
    target = random.normal(size=ROWS)
    model = mlodsl.compile(MODEL, data={"A": fit, "b": target, "wish": wish})
    exact = wish + np.linalg.pinv(fit) @ (target - fit @ wish)
    sigmas = [10.0**-exponent for exponent in (EXPONENTS[::2] if quick else EXPONENTS)]
    errors: dict[str, list[float]] = {RIGHT: [], PRINTED: []}
    for sigma in sigmas:
        # f + σ g has the minima of g + f / σ.
        for name, weight in ((RIGHT, sigma), (PRINTED, 1 / sigma)):
            found = model.solve(strategy=f"tikhonov(sigma = {weight:g})")
            errors[name].append(float(np.linalg.norm(np.asarray(found["w"]) - exact)))
    slope = _slope(sigmas, errors[RIGHT])
    return Outcome(
        scheme=(
            f"Ours, as the paper has no experiment: g the least squares of {ROWS} random equations "
            f"in {COLUMNS} unknowns, f the squared distance to a random wish (seed 0); the answer "
            "is known in closed form"
        ),
        numbers={"sigma": sigmas, "error": errors, "slope": slope},
        claims=(
            Claim(
                SOURCE,
                "as σ → 0 the regularised solution solves the simple bilevel problem",
                f"with σ at f: error {errors[RIGHT][-1]:.1e} at σ = {sigmas[-1]:g}, slope "
                f"{slope:.2f}",
                errors[RIGHT][-1] < 1e-6,
            ),
            Claim(
                SOURCE,
                "the same with f + σ g, as printed",
                f"error {errors[PRINTED][-1]:.2f} at σ = {sigmas[-1]:g}: it tends to the minimum "
                "of f alone",
                errors[PRINTED][-1] < 1e-6,
            ),
        ),
    )


def _slope(sigmas: list[float], errors: list[float]) -> float:
    """The exponent of σ in the error, fitted where neither saturation nor rounding matters."""
    kept = [(s, e) for s, e in zip(sigmas, errors, strict=True) if s < 0.1 and e > 1e-12]
    s, e = np.log(kept).T
    return float(np.polyfit(s, e, 1)[0])


def draw(numbers: dict[str, Any]) -> Drawing:
    """The error against σ, both axes logarithmic."""

    def on(figure: Figure) -> None:
        axes = figure.subplots()
        for name, errors in numbers["error"].items():
            plot(axes, name, numbers["sigma"], log_floor(errors, 1e-16), markevery=1)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.invert_xaxis()
        axes.set_xlabel("σ")
        axes.set_ylabel("distance of w to the answer")
        axes.legend()

    return Drawing((5, 3.4), on)


EXPERIMENT = Experiment("simple_bilevel", SOURCE, measure, draw)

if __name__ == "__main__":
    run_module(__spec__.name)
