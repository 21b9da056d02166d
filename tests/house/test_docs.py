"""The documentation tells the truth: pages are current, models check, links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlodsl.check import check
from mlodsl.diagnostics import CODES, has_errors, render_text
from mlodsl.syntax import decode, format_program, parse_program

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MODELS = sorted((ROOT / "models").glob("*.mlo"))


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def test_the_generated_pages_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "docs/write_reference.py", "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_documentation_lists_every_diagnostic_code() -> None:
    page = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    assert [code for code in CODES if f"\n### {code}: " not in page] == []


@pytest.mark.parametrize(
    ("page", "number"),
    [(page, number) for page in PAGES for number in range(len(blocks(page, "mlo")))],
    ids=lambda value: value.name if isinstance(value, Path) else str(value),
)
def test_a_model_in_the_documentation_has_no_error(page: Path, number: int) -> None:
    program, found = parse_program(decode(page.name, blocks(page, "mlo")[number].encode()))
    assert program is not None, render_text(found)
    _, found = check(program)
    assert not has_errors(found), render_text(found)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_ready_model_is_formatted(path: Path) -> None:
    program, found = parse_program(decode(path.name, path.read_bytes()))
    assert program is not None, render_text(found)
    assert format_program(program) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_to_a_file_leads_to_one(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []
