"""The file of a suite's figures: written, read, and brought up to date."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .plain_json import plain, text
from .suites.suite import Row, Suite, Target


def write_figures(
    file: Path,
    suite: Suite,
    device: str,
    versions: Mapping[str, str],
    rows: Sequence[Row],
    targets: Sequence[Target],
) -> None:
    """Writes them as JSON.

    Arguments:
        device: what they were measured on.
        versions: of Python and of the packages, by name.
    """
    found = {
        "suite": suite.name,
        "title": suite.title,
        "device": device,
        "versions": dict(versions),
        "targets": [asdict(target) | {"met": target.met} for target in targets],
        "rows": [_as_entry(row) for row in rows],
    }
    file.write_text(text(plain(found)) + "\n", encoding="utf-8")


def read_figures(file: Path, suite: Suite, device: str, versions: Mapping[str, str]) -> list[Row]:
    """The rows of a file that was measured by these versions on this device.

    Raises:
        OSError: it can't be read.
        ValueError: it holds no figures of the suite, or others were measured.
    """
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not isinstance(found.get("rows"), list):
        raise ValueError("it holds no rows of figures")
    here = {"suite": suite.name, "device": device, "versions": dict(versions)}
    for name, value in here.items():
        if found.get(name) != value:
            raise ValueError(f"its {name} is another: {found.get(name)}, here {value}")
    rows = [_as_row(entry) for entry in found["rows"]]
    for row in rows:
        _number_of(suite, row)
    return rows


def merged(
    suite: Suite,
    earlier: Sequence[Row],
    rows: Sequence[Row],
    cases: Sequence[str],
    contenders: Sequence[str],
) -> list[Row]:
    """Rows measured now, and the earlier ones of other cases or contenders, in the order of the
    suite's cases.

    Arguments:
        cases, contenders: those measured now.
    """

    def is_kept(row: Row) -> bool:
        # A case may also have failed as a whole, before any contender began.
        measured = row.contender in contenders or row.contender not in suite.contenders
        return suite.cases[_number_of(suite, row)] not in cases or not measured

    both = [*filter(is_kept, earlier), *rows]
    return sorted(both, key=lambda row: _number_of(suite, row))


def _number_of(suite: Suite, row: Row) -> int:
    """The number of the case that a row is of: its own, or what a part of the case is named
    after, as `chain5/gradient`.

    Raises:
        ValueError: the suite has no such case.
    """
    for number, case in enumerate(suite.cases):
        if row.case == case or row.case.startswith(f"{case}/"):
            return number
    raise ValueError(f"the suite has no case `{row.case}`")


def _as_entry(row: Row) -> dict[str, Any]:
    failure = {} if row.failure is None else {"failure": row.failure}
    return {"case": row.case, "contender": row.contender, **row.figures, **failure}


def _as_row(entry: object) -> Row:
    match entry:
        case {"case": str(case), "contender": str(contender), **others}:
            failure = others.pop("failure", None)
            return Row(case, contender, others, failure)
    raise ValueError(f"it holds what is no row of figures: {entry}")
