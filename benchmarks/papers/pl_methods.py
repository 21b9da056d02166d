"""003, Table 1: its methods side by side on one nonconvex-PL problem.

The lower level is flat in 12 of 20 directions and not convex in the others; it satisfies the
Polyak-Łojasiewicz inequality. The upper objective depends on A y alone, which is known at every
answer, so φ and its gradient have a closed form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import mlodsl
from benchmarks.timing import compare
from mlodsl.report.pictures.canvas import COLOURS, Drawing

from .command import run_module
from .experiment import Claim, Experiment, Outcome
from .running import whole_run

SOURCE = "003 Table 1"
MODEL = """
model flat_fit "A fit that is flat in most directions"
data A : real[m, n]
data B : real[m, k]
data goal : real[m]
let wanted = B @ x + 0.5 * sin(B @ x)
let r = A @ y - wanted
level leader {
  var x : real[k] = 1
  minimize sum(log(1 + (A @ y - goal)^2)) + 0.05 * sumsq(x)
}
level follower {
  var y : real[n] = 0
  minimize sumsq(r) + 3 * sumsq(sin(r))
}
"""
ROWS, COLUMNS, CHOICES = 8, 20, 5
EPSILON = 1e-4
SIGMA = 1e-5
# Singular values of A are between 1 and 2: curvatures of g at most 8 · 4, at answers at least 8.
TAU = 1 / 32
DESCENT = f"sgd({TAU})"
PROXIMAL_DESCENT = f"sgd({1 / 96:.6f})"  # the proximal term adds 1 / ρ = 64
CONTENDERS: dict[str, dict[str, Any]] = {
    "F²BA": {"strategy": f"f2ba(sigma = {SIGMA:.6f}, tau = {TAU}, steps = 200)"},
    "Prox-F²BA": {
        "strategy": f"prox_f2ba(sigma = {SIGMA:.6f}, rho = {1 / 64}, steps = 200)",
        "level": {"follower": {"optimizer": PROXIMAL_DESCENT, "steps": 20}},
    },
    "GALET": {
        "strategy": "galet(iterations = 200)",
        "level": {"follower": {"optimizer": DESCENT, "steps": 200}},
    },
    "GALET, CG": {
        "strategy": "galet",
        "level": {"follower": {"optimizer": DESCENT, "steps": 200}},
    },
}
STEPS = 3000
ETA = 0.02
PAPER = {"F²BA": "κ⁴ ε⁻²", "Prox-F²BA": "κ^p ε⁻³", "GALET": "κ⁵ ε⁻²"}


def measure(quick: bool) -> Outcome:
    """Steps, oracle calls, the true ‖∇φ‖ at the end and the time, by method."""
    data = _data()
    model = mlodsl.compile(MODEL, data=data)
    runs = {}
    for name, options in CONTENDERS.items():
        levels = {"leader": {"optimizer": f"sgd({ETA})"}} | options.get("level", {})
        runs[name] = whole_run(
            model,
            strategy=options["strategy"],
            level=levels,
            tolerance=EPSILON,
            max_steps=STEPS,
        )
    numbers: dict[str, Any] = {}
    for name, run in runs.items():
        state = run()
        evaluations, products = np.asarray(state.point.evaluations), state.point.products
        numbers[name] = {
            "steps": int(state.steps),
            "gradients": int(evaluations[1]),
            "products": int(products[1]),
            "own gradient": float(np.linalg.norm(state.point.gradient)),
            "gradient": float(np.linalg.norm(true_gradient(np.asarray(state.point.own), data))),
        }
    ratios = compare(runs, repeats=2 if quick else 9)
    for name, row in numbers.items():
        row["time"] = ratios.processor[name]
    return Outcome(
        scheme=(
            f"Ours, as the paper has no experiment: gradient descent at both levels, η = {ETA}, "
            f"τ = 1/32, until the method's own ‖∇φ‖ is below ε = {EPSILON:g}, at most {STEPS} "
            f"steps; σ = {SIGMA:g}, ρ = 1/64, at most 200 lower steps and 200 of GALET's least "
            f"squares; times: {ratios.condition}"
        ),
        numbers=numbers,
        claims=_claims(numbers),
    )


def _data() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    left, _ = np.linalg.qr(random.normal(size=(ROWS, ROWS)))
    right, _ = np.linalg.qr(random.normal(size=(COLUMNS, ROWS)))
    fit = left @ np.diag(np.linspace(1, 2, ROWS)) @ right.T
    return {
        "A": fit,
        "B": random.normal(size=(ROWS, CHOICES)) / 2,
        "goal": random.normal(size=ROWS),
    }


def true_gradient(x: np.ndarray, data: dict[str, np.ndarray]) -> np.ndarray:
    """∇φ: at every answer A y = B x + sin(B x) / 2."""
    inner = data["B"] @ x
    rest = inner + 0.5 * np.sin(inner) - data["goal"]
    slope = 2 * rest / (1 + rest**2) * (1 + 0.5 * np.cos(inner))
    return np.asarray(data["B"].T @ slope + 0.1 * x)


def _claims(numbers: dict[str, Any]) -> tuple[Claim, ...]:
    def shown(name: str) -> str:
        row = numbers[name]
        products = f" and {row['products']:,} Hessian products" if row["products"] else ""
        return (
            f"{name}: {row['steps']} steps, {row['gradients']:,} lower gradients{products}, "
            f"‖∇φ‖ = {row['gradient']:.1e}, time {row['time']:.2f}"
        )

    first_order = ("F²BA", "Prox-F²BA", "GALET")
    reached = all(numbers[name]["gradient"] < 3 * EPSILON for name in first_order)
    cost = {name: numbers[name]["gradients"] + numbers[name]["products"] for name in first_order}
    return (
        Claim(
            SOURCE,
            "F²BA, Prox-F²BA and GALET all find ε-stationary points of nonconvex-PL problems",
            "; ".join(shown(name) for name in (*first_order, "GALET, CG")),
            reached,
        ),
        Claim(
            SOURCE,
            "F²BA takes fewer oracle calls than Prox-F²BA and GALET",
            ", ".join(f"{name} {calls:,}" for name, calls in cost.items()),
            cost["F²BA"] < min(cost["Prox-F²BA"], cost["GALET"]),
        ),
    )


def draw(numbers: dict[str, Any]) -> Drawing:
    """Oracle calls and the true gradient at the end, a bar for each method."""

    def on(figure: Figure) -> None:
        calls, rest = figure.subplots(1, 2)
        names = list(numbers)
        places = np.arange(len(names))
        for offset, key, colour in ((-0.2, "gradients", COLOURS[0]), (0.2, "products", COLOURS[4])):
            heights = [numbers[name][key] for name in names]
            label = "lower gradients" if key == "gradients" else "Hessian products"
            drawn = calls.bar(places + offset, heights, 0.38, color=colour, label=label)
            texts = [f"{height:.2g}" if height else "" for height in heights]
            calls.bar_label(drawn, labels=texts, fontsize=7)
        calls.set_ylabel("calls until the method's own ‖∇φ‖ ≤ ε")
        calls.legend()
        rest.bar(places, [numbers[name]["gradient"] for name in names], 0.5, color=COLOURS[2])
        rest.axhline(EPSILON, color="#222222", linestyle="--", linewidth=1, label="ε")
        rest.legend(loc="upper right")
        rest.set_ylabel("true ‖∇φ‖ at the end")
        calls.set_yscale("log")
        calls.set_ylim(bottom=1e3)
        rest.ticklabel_format(axis="y", scilimits=(0, 0))
        rest.set_ylim(0, 1.3 * max(EPSILON, *(numbers[name]["gradient"] for name in names)))
        for axes in (calls, rest):
            axes.set_xticks(places, names, rotation=20)
            axes.grid(axis="x", visible=False)

    return Drawing((9, 3.6), on)


EXPERIMENT = Experiment("pl_methods", SOURCE, measure, draw)

if __name__ == "__main__":
    run_module(__spec__.name)
