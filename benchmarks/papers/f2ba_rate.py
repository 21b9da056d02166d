"""003, Theorem 4.1: first-order calls of Algorithm 2 to ‖∇φ‖ ≤ ε, against ε.

The lower objective r² + 3 sin² r, r = y₁ + y₂ - x, has a line of minima and isn't convex, but
satisfies the Polyak-Łojasiewicz inequality; the upper one depends on y₁ + y₂ alone, which is x at
the answer, so that φ is known in closed form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import mlodsl
from mlodsl.report.pictures.canvas import Drawing

from .command import run_module
from .drawing import plot
from .experiment import Claim, Experiment, Outcome
from .running import whole_run

SOURCE = "003 Theorem 4.1"
# r² + 3 sin² r is the textbook's nonconvex function that satisfies the inequality, with μ = 1/32;
# curvatures are at most 8 in r, 16 in y.
_LOWER = """
level follower {
  var y : real[2] = 0
  minimize (sum(y) - x)^2 + 3 * sin(sum(y) - x)^2
}
"""
WORST = (
    """
model worst_case "A slope of 2 eps that ends after a drop of 1"
param eps = 0.1
level leader {
  var x : real = 0
  minimize -tanh(2 * eps * sum(y))
}
"""
    + _LOWER
)
FADING = (
    """
model fading "One hyper-objective for all eps, bounded below, that fades out slowly"
level leader {
  var x : real = 0.5
  minimize (1 + sum(y)^2)^(-0.05)
}
"""
    + _LOWER
)
LOWER_CURVATURE = 16.0
GROWTH = 2.0
ETA = 2.0
EPSILONS = (0.1, 0.056, 0.032, 0.018, 0.01, 0.0056, 0.0032, 0.0018, 0.001)
INSTANCE, ONE = "worst case for each ε", "one φ for all ε, φ(x) = (1 + x²)^-0.05"


@dataclass(frozen=True, slots=True)
class Count:
    """What a run to accuracy ε took: outer steps, gradients of g and σ f + g, and ‖∇φ‖ there."""

    epsilon: float
    steps: int
    calls: int
    gradient: float


def algorithm_2(model: mlodsl.Model, epsilon: float) -> tuple[int, int, float]:
    """Steps, lower gradients and the last x of Algorithm 2 with Theorem 4.1's parameters.

    σ ∝ ε, τ = 1 / (σ L_f + L_g), K ∝ (L_g / μ) log(L_g / (μ σ)), η fixed; the run ends where its
    own estimate of ∇φ is below ε.
    """
    sigma = 0.1 * epsilon
    tau = 1 / (sigma + LOWER_CURVATURE)
    condition = LOWER_CURVATURE / GROWTH
    steps = math.ceil(condition * math.log(condition / sigma))
    strategy = f"f2ba(sigma = {sigma:.6g}, tau = {tau:.6g}, steps = {steps}, eta = {ETA:g})"
    state = whole_run(model, strategy=strategy, tolerance=epsilon, max_steps=10**8)()
    evaluations = np.asarray(state.point.evaluations)
    return int(state.steps), int(evaluations[1]), float(state.point.own[0])


def measure(quick: bool) -> Outcome:
    """Counts for both problems, with the slopes of calls against ε."""
    epsilons = EPSILONS[:5:2] if quick else EPSILONS
    fading = mlodsl.compile(FADING)
    counts: dict[str, list[Count]] = {INSTANCE: [], ONE: []}
    for epsilon in epsilons:
        worst = mlodsl.compile(WORST, params={"eps": epsilon})
        steps, calls, x = algorithm_2(worst, epsilon)
        gradient = 2 * epsilon / math.cosh(2 * epsilon * x) ** 2
        counts[INSTANCE].append(Count(epsilon, steps, calls, gradient))
        if epsilon < 0.05:
            steps, calls, x = algorithm_2(fading, epsilon)
            gradient = 0.1 * abs(x) * (1 + x * x) ** -1.05
            counts[ONE].append(Count(epsilon, steps, calls, gradient))
    return _outcome(counts)


def _outcome(counts: dict[str, list[Count]]) -> Outcome:
    numbers: dict[str, Any] = {}
    for problem, found in counts.items():
        columns = {
            name: [getattr(count, name) for count in found]
            for name in ("epsilon", "steps", "calls", "gradient")
        }
        slopes = {name: _slope(columns["epsilon"], columns[name]) for name in ("steps", "calls")}
        numbers[problem] = columns | {"slopes": slopes}
    worst, fading = numbers[INSTANCE]["slopes"], numbers[ONE]["slopes"]
    reached = max(
        g / e for n in numbers.values() for g, e in zip(n["gradient"], n["epsilon"], strict=True)
    )
    return Outcome(
        scheme=(
            "Algorithm 2 with gradient descent at both levels, σ = ε / 10, τ = 1 / (σ + 16), "
            "K = 8 log(8 / σ) at most (an inner run ends earlier where its gradient is below "
            "σ ε / 100), η = 2; the constants are ours. The lower objective is "
            "r² + 3 sin² r, r = y₁ + y₂ - x. Calls are gradients of g and of σ f + g"
        ),
        numbers=numbers,
        claims=(
            Claim(
                SOURCE,
                "an ε-stationary point within O(ε⁻²) steps and Õ(ε⁻²) first-order calls",
                f"worst case for each ε: steps ∝ ε^{worst['steps']:.2f}, calls ∝ "
                f"ε^{worst['calls']:.2f}; one φ for all ε (gradient descent's own exponent is "
                f"-2.1 / 1.1 = -1.91): steps ∝ ε^{fading['steps']:.2f}, calls ∝ "
                f"ε^{fading['calls']:.2f}; ‖∇φ‖ ≤ {reached:.2f} ε throughout",
                -2.25 < worst["calls"] < -1.75 and reached < 1.2,
            ),
        ),
    )


def _slope(epsilons: list[float], counts: list[float]) -> float:
    return float(np.polyfit(np.log(epsilons), np.log(counts), 1)[0])


def draw(numbers: dict[str, Any]) -> Drawing:
    """Calls against ε for both problems, beside ε⁻² and ε⁻³."""

    def on(figure: Figure) -> None:
        axes = figure.subplots()
        for problem, found in numbers.items():
            label = f"{problem}: slope {found['slopes']['calls']:.2f}"
            plot(axes, label, found["epsilon"], found["calls"], markevery=1)
        first = numbers[INSTANCE]
        epsilon = np.array(first["epsilon"])
        for power, dashes in ((-2, "--"), (-3, ":")):
            line = first["calls"][0] * (epsilon / epsilon[0]) ** power
            axes.plot(epsilon, line, dashes, color="#888888", label=f"ε^{power}")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.invert_xaxis()
        axes.set_xlabel("accuracy ε of ‖∇φ‖")
        axes.set_ylabel("gradients of g and σ f + g")
        axes.legend()

    return Drawing((6, 4), on)


EXPERIMENT = Experiment("f2ba_rate", SOURCE, measure, draw)

if __name__ == "__main__":
    run_module(__spec__.name)
