"""Files of figures are read, brought up to date, and refused where they are of something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from benchmarks.figures import merged
from benchmarks.run import FOLDER, main
from benchmarks.suites import load
from benchmarks.suites.suite import Row

QUICK = ["overhead", "--only", "reading/10"]


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a part of a suite wrote."""
    file = tmp_path_factory.mktemp("figures") / "figures.json"
    assert main([*QUICK, "--json", str(file)]) == 0
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def update(folder: Path, earlier: object) -> list[dict[str, Any]]:
    """The rows of a file once a part was measured again."""
    file = folder / "figures.json"
    file.write_text(json.dumps(earlier))
    assert main([*QUICK, "--json", str(file), "--update", str(file)]) == 0
    rows: list[dict[str, Any]] = json.loads(file.read_text())["rows"]
    return rows


def test_a_part_of_a_suite_is_measured_again(tmp_path: Path, figures: dict[str, Any]) -> None:
    (row,) = figures["rows"]
    other = {"case": "reading/30", "contender": "mlodsl", "failure": "none"}
    again, kept = update(tmp_path, figures | {"rows": [other, row]})
    assert again["case"] == "reading/10" and again["check_seconds"] != row["check_seconds"]
    assert kept == other


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"device": "an abacus"}, "its device is another: an abacus"),
        ({"suite": "growth"}, "its suite is another: growth"),
        ({"rows": None}, "it holds no rows of figures"),
        ({"rows": [{"case": "reading/10"}]}, "what is no row of figures"),
        ({"rows": [{"case": "chess", "contender": "jax"}]}, "the suite has no case `chess`"),
    ],
)
def test_figures_of_something_else_are_refused(
    tmp_path: Path,
    figures: dict[str, Any],
    capsys: pytest.CaptureFixture,
    change: dict[str, Any],
    words: str,
) -> None:
    with pytest.raises(SystemExit) as stopped:
        update(tmp_path, figures | change)
    assert stopped.value.code == 2 and words in capsys.readouterr().err


def test_what_holds_no_figures_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stopped:
        update(tmp_path, [])
    assert stopped.value.code == 2 and "no rows of figures" in capsys.readouterr().err


def test_an_update_has_to_say_where_it_goes(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*QUICK, "--update", "figures.json"])
    assert stopped.value.code == 2 and "without --json or --picture" in capsys.readouterr().err


def test_earlier_rows_of_what_is_measured_now_are_replaced() -> None:
    """A case's rows may be named after its parts; other contenders' are kept."""
    suite = load("overhead")
    first, second = suite.cases[:2]
    parts = [
        Row(f"{first}/{kind}", "mlodsl", {"seconds": 1.0}) for kind in ("objective", "product")
    ]
    peer, other = Row(f"{first}/objective", "jax"), Row(f"{second}/objective", "mlodsl")
    lost = Row(first, "", failure="killed")
    again = [Row(part.case, "mlodsl", {"seconds": 2.0}) for part in parts]
    found = merged(suite, [other, lost, *parts, peer], again, [first], ["mlodsl"])
    assert found == [peer, *again, other]


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_kept_figures_are_of_cases_that_there_are(file: Path) -> None:
    found = json.loads(file.read_text(encoding="utf-8"))
    suite = load(found["suite"])
    rows = [Row(row["case"], row["contender"]) for row in found["rows"]]
    assert rows and merged(suite, rows, [], [], []) == rows
