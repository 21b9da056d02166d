"""The command line: `python -m benchmarks.run SUITE`.

It prints a line a row as cases end, and writes JSON and a picture, with the device named.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlodsl.report.pictures.canvas import picture_bytes

from .figures import merged, read_figures, write_figures
from .processes import run_case
from .suites import NAMES, load
from .suites.suite import Row, Suite, Target

FOLDER = Path(__file__).parent / "results"
_PACKAGES = ("mlodsl", "jax", "optimistix", "lineax", "jaxopt", "betty-ml", "torch", "blvpy")


def main(words: list[str] | None = None) -> int:
    """Measures a suite; the exit code is 2 where the command line is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("suite", choices=NAMES)
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--picture", type=Path, help="where the picture goes, a .png file")
    parser.add_argument("--only", metavar="CASE,…", help="the cases to measure; default: all")
    parser.add_argument("--contenders", metavar="NAME,…", help="whom to measure; default: all")
    parser.add_argument("--repeats", type=int, default=31, help="of a measurement; default: 31")
    parser.add_argument("--quick", action="store_true", help="a few cheap cases")
    parser.add_argument(
        "--limit", type=float, default=150, help="seconds for a contender at a time; default: 150"
    )
    parser.add_argument(
        "--update",
        type=Path,
        metavar="FILE",
        help="earlier figures of the suite: those of the cases and contenders measured now are "
        "replaced",
    )
    given = parser.parse_args(words)
    suite = load(given.suite)
    cases = _chosen(parser, "case", given.only, suite.cases)
    if given.quick and given.only is None:
        cases = suite.quick
    contenders = _chosen(parser, "contender", given.contenders, suite.contenders)
    if given.repeats < 1:
        parser.error("--repeats is at least 1")
    earlier: list[Row] = []
    if given.update is not None:
        if given.json is None and given.picture is None:
            parser.error("--update writes nothing without --json or --picture")
        try:
            earlier = read_figures(given.update, suite, device_name(), _versions())
        except (OSError, ValueError) as error:
            parser.error(f"{given.update} can't be updated: {error}")
    rows = []
    for case in cases:
        for row in run_case(suite.name, case, contenders, given.repeats, given.limit):
            rows.append(row)
            print(line(row), flush=True)
    rows = merged(suite, earlier, rows, cases, contenders)
    targets = suite.targets(rows)
    for target in targets:
        print(_verdict(target))
    whole = given.only is None and given.contenders is None and not given.quick
    _write(suite, rows, targets, given.json, given.picture, whole)
    return 0


def _chosen(
    parser: argparse.ArgumentParser, kind: str, given: str | None, known: tuple[str, ...]
) -> tuple[str, ...]:
    if given is None:
        return known
    names = tuple(given.split(","))
    for name in names:
        if name not in known:
            parser.error(f"there is no {kind} `{name}`; there are: {', '.join(known)}")
    return tuple(name for name in known if name in names)


def line(row: Row) -> str:
    """A row as a line of text."""
    head = f"{row.case:<24} {row.contender:<20}"
    if row.failure is not None:
        return f"{head} can't: {row.failure}"
    shown = []
    for name, value in row.figures.items():
        number = isinstance(value, float)
        shown.append(f"{name} {value:.4g}" if number else f"{name} {value}")
    return f"{head} {'  '.join(shown)}"


def _verdict(target: Target) -> str:
    word = {True: "met", False: "MISSED", None: "not measured"}[target.met]
    figure = "" if target.figure is None else f": {target.figure:.4g}, at most {target.bound:.4g}"
    return f"{word}: {target.target}{figure}"


def _write(
    suite: Suite,
    rows: Sequence[Row],
    targets: Sequence[Target],
    json_file: Path | None,
    picture: Path | None,
    whole: bool,
) -> None:
    """Writes the files asked for; those in `results/` where none were and all was measured."""
    if json_file is None and picture is None and not whole:
        print("nothing is written: name --json and --picture for a part of the suite")
        return
    device = device_name()
    if json_file is None and picture is None:
        FOLDER.mkdir(exist_ok=True)
        stem = suite.name if device.startswith("cpu") else f"{suite.name}-{device.split(',')[0]}"
        json_file, picture = FOLDER / f"{stem}.json", FOLDER / f"{stem}.png"
    if json_file is not None:
        write_figures(json_file, suite, device, _versions(), rows, targets)
    if picture is not None:
        picture.write_bytes(picture_bytes(suite.draw(rows), ".png"))


def device_name() -> str:
    """What JAX computes on: its platform, and the processor's or the accelerator's name."""
    import jax

    device = jax.devices()[0]
    if device.platform != "cpu":
        return f"{device.platform}, {device.device_kind}"
    names = [
        words.partition(":")[2].strip()
        for words in _read("/proc/cpuinfo").splitlines()
        if words.startswith("model name")
    ]
    return f"cpu, {platform.machine()}{', ' + names[0] if names else ''}, one core"


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


if __name__ == "__main__":
    sys.exit(main())
