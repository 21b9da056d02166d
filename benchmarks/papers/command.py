"""The command line: `python -m benchmarks.papers NAME…`, or `all`."""

from __future__ import annotations

import importlib
import subprocess
import sys

from benchmarks.timing import pin

from .experiment import DataMissing, Experiment
from .writing import README, claims_of, claims_table, publish, readme_with, redraw

NAMES = (
    "stackelberg",
    "wine",
    "wine_time",
    "efficiency",
    "simple_situation",
    "generals",
    "simple_bilevel",
    "f2ba_rate",
    "pl_methods",
)
"""The experiments, each a module of this package, in the order of the papers."""


def load(name: str) -> Experiment:
    """The experiment of that name."""
    found = importlib.import_module(f"{__package__}.{name}").EXPERIMENT
    assert isinstance(found, Experiment)
    return found


def main(words: list[str]) -> int:
    """Runs experiments, each in a process of its own, and brings the README's table up to date.

    Arguments:
        words: names, or `all`; with one name it runs here. `draw` only draws all pictures again
            and brings the table up to date, from the numbers that were written.
    """
    wrong = [word for word in words if word not in (*NAMES, "all", "draw")]
    if wrong or not words:
        print(f"usage: python -m benchmarks.papers {{all,draw,{','.join(NAMES)}}}")
        return 2
    if "draw" in words:
        for name in NAMES:
            redraw(load(name))
    names = list(NAMES) if "all" in words else [word for word in words if word in NAMES]
    if len(names) == 1:
        failed = not _run(load(names[0]))
    else:
        commands = [[sys.executable, "-m", __package__, name] for name in names]
        failed = any([subprocess.run(command).returncode for command in commands])
    README.write_text(readme_with(claims_table(claims_of())), encoding="utf-8")
    return int(failed)


def _run(experiment: Experiment) -> bool:
    pin()
    try:
        outcome = experiment.measure(False)
    except DataMissing as missing:
        print(f"{experiment.name}: skipped, {missing}")
        return True
    publish(experiment, outcome)
    for claim in outcome.claims:
        print(f"{experiment.name}: {claim.verdict}: {claim.claim}: {claim.figures}")
    return True


def run_module(module: str) -> None:
    """What `python -m benchmarks.papers.NAME` does."""
    sys.exit(main([module.rpartition(".")[2]]))
