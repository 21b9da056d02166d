"""The BOLIB collection's verified problems, each solved with no options.

`python -m benchmarks.bolib [NAME…]` prints a line a problem, and with `--json FILE` writes them;
`--peer blvpy` solves each by that package too, right after, and judges it by the same rule.
It needs the problems and their verified answers under `../shared/cases/bolib`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

import mlodsl
from mlodsl.solver import best_response_report

from .peer_blvpy import solve_by_blvpy

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases" / "bolib"
ACCURACY = 1e-4
LARGEST_GAP = 1e-6


def measure(name: str, expected: float) -> dict[str, Any]:
    """One problem: our F against the verified one, the follower's gap, violation, status, time."""
    began = time.perf_counter()
    result = mlodsl.compile(CASES / f"{name}.mlo").solve()
    seconds = time.perf_counter() - began
    upper, lower = result.objectives.values()
    gap = result.certificate["levels"]["lower"].get("gap")
    violation = result.certificate["constraint_violation"]
    return {
        "name": name,
        "F": upper,
        "f": lower,
        "verified": expected,
        "gap": gap,
        "violation": violation,
        "status": result.status,
        "seconds": seconds,
        "right": _is_right(upper, expected, gap, violation),
        "message": result.message,
    }


def _is_right(upper: float, expected: float, gap: float | None, violation: float) -> bool:
    reached = upper <= expected + ACCURACY * max(1.0, abs(expected))
    return bool(reached and gap is not None and gap <= LARGEST_GAP and violation <= LARGEST_GAP)


def measure_peer(name: str, expected: float) -> dict[str, Any]:
    """As `measure`, by blvpy.

    The gap is to the follower's best response as found here; None where none is.
    """
    model = mlodsl.compile(CASES / f"{name}.mlo")
    answer = solve_by_blvpy(model)
    row: dict[str, Any] = {
        "status": answer.status,
        "seconds": answer.seconds,
        "message": answer.message,
        "right": False,
    }
    if answer.variables is None:
        return row
    problem = model.problem
    with jax.enable_x64(True):
        vectors = problem.pack(answer.variables)
        upper, lower = (float(value) for value in problem.objectives(vectors))
        violation = 0.0
        for level in range(2):
            at_most, equal = (np.asarray(part) for part in problem.constraints(level, vectors))
            violation = max(violation, *np.maximum(at_most, 0), *np.abs(equal), 0.0)
        best = best_response_report(problem, vectors[:1], vectors[1:])
        again = problem.pack({**answer.variables, **best.variables})
        gap = None if best.findings else lower - float(problem.objective(1, again))
    row |= {"F": upper, "f": lower, "gap": gap, "violation": float(violation)}
    row["right"] = _is_right(upper, expected, gap, violation)
    return row


def main() -> int:
    """Measures the problems named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bolib")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peer", choices=["blvpy"])
    arguments = parser.parse_args()
    if not CASES.exists():
        print(f"skipped: {CASES} is missing")
        return 0
    verified = json.loads((CASES / "expected.json").read_text())
    rows = []
    for name in arguments.names or sorted(verified):
        expected = verified[name]["F"]
        row = measure(name, expected)
        rows.append(row)
        print(f"{name:<30} {_words(row)}  verified {expected:.8g}", flush=True)
        if arguments.peer is not None:
            row[arguments.peer] = measure_peer(name, expected)
            print(f"{'  ' + arguments.peer:<30} {_words(row[arguments.peer])}", flush=True)
        # Hundreds of compiled functions a problem would run into a limit of the system.
        jax.clear_caches()
    print(_summary("mlodsl", rows))
    if arguments.peer is not None:
        print(_summary(arguments.peer, [row | row[arguments.peer] for row in rows]))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def _words(row: dict[str, Any]) -> str:
    if "F" not in row:
        return f"none  {row['status']:<10} {row['seconds']:.1f} s  {row['message']}"
    gap = "-" if row["gap"] is None else f"{row['gap']:.1e}"
    return (
        f"{'right' if row['right'] else 'WRONG'} {row['status']:<10} F {row['F']:<14.8g} "
        f"gap {gap:<8} violation {row['violation']:.1e}  {row['seconds']:.1f} s"
    )


def _summary(solver: str, rows: list[dict[str, Any]]) -> str:
    answered = [row for row in rows if row["status"] not in ("refused", "missing")]
    right = sum(row["right"] for row in rows)
    claimed = ("converged", "optimal")
    wrong = [row for row in answered if row["status"] in claimed and not row["right"]]
    false = [row["name"] for row in wrong if row["gap"] is not None]
    unknown = [row["name"] for row in wrong if row["gap"] is None]
    seconds = [row["seconds"] for row in answered]
    return (
        f"{solver}: {right} of {len(rows)} right, {len(rows) - len(answered)} refused, "
        f"{sum(seconds):.0f} s, median {float(np.median(seconds or [0])):.2f} s; "
        f"called solved elsewhere: {', '.join(false) or 'none'}"
        + (f"; gap unknown: {', '.join(unknown)}" if unknown else "")
    )


if __name__ == "__main__":
    sys.exit(main())
