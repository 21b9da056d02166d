"""Writes an experiment's numbers and picture, and the table of claims in the README."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from pathlib import Path

import jax

import mlodsl
from benchmarks.plain_json import plain, text
from mlodsl.report.pictures.canvas import picture_bytes

from .experiment import Claim, Experiment, Outcome

FOLDER = Path(__file__).parent / "results"
README = Path(__file__).parent / "README.md"
_BEGIN, _END = "<!-- claims -->\n", "<!-- end of claims -->"


def publish(experiment: Experiment, outcome: Outcome, folder: Path = FOLDER) -> None:
    """Writes `NAME.json` and `NAME.png`."""
    folder.mkdir(exist_ok=True)
    claims = [asdict(claim) | {"verdict": claim.verdict} for claim in outcome.claims]
    found = {
        "experiment": experiment.name,
        "source": experiment.source,
        "scheme": outcome.scheme,
        "claims": plain(claims),
        "device": f"{jax.devices()[0].platform}, {platform.machine()}; all times are ratios",
        "versions": {"mlodsl": mlodsl.__version__, "jax": jax.__version__},
        "numbers": plain(outcome.numbers),
    }
    (folder / f"{experiment.name}.json").write_text(text(found) + "\n", encoding="utf-8")
    drawn = picture_bytes(experiment.draw(plain(outcome.numbers)), ".png")
    (folder / f"{experiment.name}.png").write_bytes(drawn)


def redraw(experiment: Experiment) -> None:
    """Draws the picture again from the numbers that were written."""
    written = json.loads((FOLDER / f"{experiment.name}.json").read_text(encoding="utf-8"))
    drawn = picture_bytes(experiment.draw(written["numbers"]), ".png")
    (FOLDER / f"{experiment.name}.png").write_bytes(drawn)


def claims_of(folder: Path = FOLDER) -> list[Claim]:
    """All claims that the written results decide, in the order of the papers."""
    found = []
    for path in sorted(folder.glob("*.json")):
        for item in json.loads(path.read_text(encoding="utf-8"))["claims"]:
            found.append(Claim(item["source"], item["claim"], item["figures"], item["holds"]))
    return sorted(found, key=lambda claim: claim.source)


def claims_table(claims: list[Claim]) -> str:
    """The table of claims, in Markdown."""
    rows = ["| where | what the paper says | measured | verdict |", "| --- | --- | --- | --- |"]
    for claim in claims:
        cells = (claim.source, claim.claim, claim.figures, claim.verdict)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def readme_with(table: str) -> str:
    """The README's text with the table in its place."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(_BEGIN)
    return before + _BEGIN + table + _END + rest.split(_END)[1]
