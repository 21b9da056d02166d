"""Compiled code is kept from one run to the next, unless that isn't wanted or can't be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = "level a { var x : real = 2  minimize (x - 1)^2 }"


def solve(model: Path, home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if "COMPILATION_CACHE" not in name}
    env |= {"XDG_CACHE_HOME": str(home), **more}
    command = [sys.executable, "-m", "mlodsl", "solve", str(model), "--quiet", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.mlo"
    path.write_text(MODEL)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="the cache folder's place differs")
def test_what_was_compiled_is_kept_and_used_again(model: Path, tmp_path: Path) -> None:
    home = tmp_path / "cache"
    assert solve(model, home).returncode == 0
    kept = {path.name for path in (home / "mlodsl" / "compiled").glob("*-cache")}
    assert kept
    again = solve(model, home)
    assert (again.returncode, again.stderr) == (0, "")
    assert {path.name for path in (home / "mlodsl" / "compiled").glob("*-cache")} == kept


def test_nothing_is_kept_where_it_is_not_wanted(model: Path, tmp_path: Path) -> None:
    home = tmp_path / "cache"
    assert solve(model, home, "--no-cache").returncode == 0
    assert not list(home.rglob("*-cache"))


def test_a_folder_of_ones_own_is_used_as_it_is_named(model: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    more = {
        "JAX_COMPILATION_CACHE_DIR": str(own),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    assert solve(model, tmp_path / "cache", **more).returncode == 0
    assert list(own.glob("*-cache"))
    assert not list((tmp_path / "cache").rglob("*-cache"))


def test_a_folder_that_cannot_be_made_is_noted(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    found = solve(model, file)
    assert found.returncode == 0
    assert "compiled code can't be kept in" in found.stderr
