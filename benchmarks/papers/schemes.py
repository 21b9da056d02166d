"""The lower levels' schemes and the names of the methods that several experiments share."""

from __future__ import annotations

from typing import Any

# Of "Towards Differentiable Multilevel Optimization", section 5.1: Adam with β₁ = 0.5 and a rate
# of 0.1 · 0.99^t at the top.
PAPER_ADAM = "adam(0.1, b1 = 0.5, schedule = exponential(0.99))"

# The paper's FD costs 2.0 times a vanilla update (its Table 1), so it solves the lower levels
# twice, as vanilla gradients do.
METHODS = {
    "VGD": "vgd",
    "FD": "fd(central = false, between = vgd)",
    "ITD": "itd(mode = reverse)",
    "implicit": "implicit",
}


def few_steps(
    levels: tuple[str, str, str],
    *,
    top: str,
    lower: str = "sgd(0.01)",
    steps: tuple[int, int] = (30, 3),
) -> dict[str, dict[str, Any]]:
    """Options of three levels: a few steps of the lower ones for one step of that above.

    Arguments:
        levels: their names.
        top, lower: optimisers.
        steps: of the second level, and of the third for each of those. The paper's numbers
            are the defaults.
    """
    first, second, third = levels
    return {
        first: {"optimizer": top},
        second: {"optimizer": lower, "steps": steps[0]},
        third: {"optimizer": lower, "steps": steps[1]},
    }
