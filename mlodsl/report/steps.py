"""One step of a run: as a line that people read, and as a line of the trace."""

from __future__ import annotations

from collections.abc import Sequence

from mlodsl.solver import Step

from .result import plain

_FIRST = 5


def objective_as_written(step: Step, sense: str) -> float:
    """The top objective of a step: a maximised one is not negated."""
    return -step.value if sense == "maximize" else step.value


def step_text(step: Step, sense: str) -> str:
    """A step as progress shows it."""
    start = "" if step.start is None else f"start {step.start:<3} "
    return (
        f"{start}step {step.step:<5} objective {objective_as_written(step, sense):<14.8g} "
        f"gradient {step.residual:<9.3g} {step.seconds:.1f} s"
    )


def step_dict(step: Step, sense: str, level_names: Sequence[str]) -> dict[str, object]:
    """A step as a line of the trace holds it.

    `seconds` count from the first step, tracing and compiling left out; `start` is there where
    several starting points are tried, `step` and `seconds` then begin anew with each.
    """
    start = {} if step.start is None else {"start": step.start}
    found: dict[str, object] = plain(
        {
            **start,
            "step": step.step,
            "objective": objective_as_written(step, sense),
            "hypergradient_norm": step.residual,
            "seconds": round(step.seconds, 6),
            "evaluations": dict(zip(level_names, step.evaluations, strict=True)),
            "products": dict(zip(level_names, step.products, strict=True)),
        }
    )
    return found


def worth_a_line(step: int) -> bool:
    """Whether a step is printed where every step would be too many.

    The first few, then 10, 20, 50, 100, 200, 500 and so on.
    """
    digits = str(step)
    return step <= _FIRST or (digits[0] in "125" and set(digits[1:]) <= {"0"})
