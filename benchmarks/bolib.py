"""The BOLIB collection's verified problems, each solved with no options.

`python -m benchmarks.bolib [NAME…]` prints a line a problem, and with `--json FILE` writes them.
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

import mlodsl

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
    reached = upper <= expected + ACCURACY * max(1.0, abs(expected))
    sound = gap is not None and gap <= LARGEST_GAP
    return {
        "name": name,
        "F": upper,
        "f": lower,
        "verified": expected,
        "gap": gap,
        "violation": result.certificate["constraint_violation"],
        "status": result.status,
        "seconds": seconds,
        "right": bool(reached and sound and (result.certificate["constraint_violation"] <= 1e-6)),
        "message": result.message,
    }


def main() -> int:
    """Measures the problems named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bolib")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if not CASES.exists():
        print(f"skipped: {CASES} is missing")
        return 0
    verified = json.loads((CASES / "expected.json").read_text())
    rows = []
    for name in arguments.names or sorted(verified):
        rows.append(measure(name, verified[name]["F"]))
        row = rows[-1]
        gap = "-" if row["gap"] is None else f"{row['gap']:.1e}"
        print(
            f"{name:<30} {'right' if row['right'] else 'WRONG'} {row['status']:<10} "
            f"F {row['F']:<14.8g} verified {row['verified']:<14.8g} gap {gap:<8} "
            f"violation {row['violation']:.1e}  {row['seconds']:.1f} s",
            flush=True,
        )
        # Hundreds of compiled functions a problem would run into a limit of the system.
        jax.clear_caches()
    right = sum(row["right"] for row in rows)
    false = [row["name"] for row in rows if row["status"] == "converged" and not row["right"]]
    seconds = sum(row["seconds"] for row in rows)
    print(f"{right} of {len(rows)} right, {seconds:.0f} s; converged elsewhere: {false or 'none'}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
