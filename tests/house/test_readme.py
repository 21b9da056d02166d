"""What the README and the page on Python show happens: commands, models, mistakes, values."""

import re
from pathlib import Path

import pytest

from mlodsl.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


MODEL = blocks(README, "mlo")[0]
OUTPUT, MISTAKES = blocks(README, "text")[:2]


def run(*words: str) -> int | str | None:
    """The exit code of the command line."""
    try:
        return main(list(words))
    except SystemExit as stop:
        return stop.code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tax.mlo").write_text(MODEL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_command_solves_a_ready_model() -> None:
    command = blocks(README, "sh")[0]
    found = re.search(r"mlodsl solve (models/\w+\.mlo)$", command.strip())
    assert found and (ROOT / found[1]).exists()


def test_the_second_command_runs_what_ci_runs() -> None:
    command = blocks(README, "sh")[1].strip()
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    install, test = "--editable '.[test]'", ".venv/bin/python -m pytest"
    assert command.replace(" -e ", " --editable ").endswith(f"{install} && {test}")
    assert install in script and f"exec {test}" in script


def test_the_first_model_prints_what_the_readme_shows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("solve", "tax.mlo") == 0
    printed = capsys.readouterr().out
    shown = re.findall(r"^  (\w+) +(-?[\d.]+)", OUTPUT, flags=re.MULTILINE)
    assert [name for name, _ in shown] == ["tax", "output", "state", "firm"]
    assert re.findall(r"^  (\w+) +(-?[\d.]+)", printed, flags=re.MULTILINE) == shown


def test_the_mistakes_print_what_the_readme_shows(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "  minimize (output - 1)^2 + weight * tax^2\n"
    broken = MODEL.replace(line, line.replace("output", "outptu") + "  minimize tax\n")
    (folder / "tax.mlo").write_text(broken, encoding="utf-8")
    assert run("check", "tax.mlo") == 2
    assert capsys.readouterr().err.strip() == MISTAKES.strip()


def test_the_python_of_the_readme_runs(folder: Path) -> None:
    names: dict[str, object] = {}
    exec("\n".join(blocks(README, "python")), names)
    assert names["result"].status == "converged"  # type: ignore[attr-defined]
    # tax = 2 / (1 + 4 weight), so its slope at 0.1 is -8 / 1.4^2.
    assert float(names["slope"]) == pytest.approx(-8 / 1.4**2, rel=1e-8)  # type: ignore[arg-type]


def test_the_python_of_the_documentation_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec("\n".join(blocks((ROOT / "docs/python.md").read_text(encoding="utf-8"), "python")), names)
    assert float(names["slope"]) == pytest.approx(1, rel=1e-8)  # type: ignore[arg-type]
