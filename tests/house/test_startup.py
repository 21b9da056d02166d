"""Checking and formatting feel instant: they load neither JAX nor Equinox."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = str(ROOT / "models" / "stackelberg3.mlo")
HEAVY = ("jax", "equinox", "optax", "lineax", "scipy", "matplotlib")
LIMIT_IN_SECONDS = 0.4
TRIES = 5


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def heavy_modules_after(code: str) -> list[str]:
    """Which heavy libraries a fresh interpreter has loaded after running `code`."""
    report = f"import sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = run("-c", f"{code}\n{report}")
    assert done.returncode == 0, done.stderr
    return list(ast.literal_eval(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "room", ["diagnostics", "syntax", "settings", "check", "data", "loading", "cli"]
)
def test_importing_an_early_room_loads_nothing_heavy(room: str) -> None:
    assert heavy_modules_after(f"import mlodsl.{room}") == []


def test_importing_the_solver_loads_no_part_of_scipy() -> None:
    code = "import sys, mlodsl.solver; assert 'scipy' in sys.modules"
    parts = "[name for name in ('linalg', 'optimize', 'sparse') if 'scipy.' + name in sys.modules]"
    done = run("-c", f"{code}; assert {parts} == []")
    assert done.returncode == 0, done.stderr


def test_importing_the_package_changes_no_setting_of_jax() -> None:
    code = "import jax; before = jax.config.jax_enable_x64; import mlodsl; mlodsl.compile"
    done = run("-c", f"{code}; assert jax.config.jax_enable_x64 == before == False")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["check", MODEL], ["--help"], ["fmt", "--check", MODEL], ["models"], ["strategies"]],
    ids=" ".join,
)
def test_a_quick_command_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "from mlodsl.cli import main\n"
        "try:\n"
        f"    code = main({arguments!r})\n"
        "except SystemExit as stop:\n"
        "    code = stop.code\n"
        "assert not code, code"
    )
    assert heavy_modules_after(code) == []


@pytest.mark.parametrize("arguments", [["check", MODEL], ["--help"]], ids=lambda words: words[0])
def test_a_quick_command_returns_at_once(arguments: list[str]) -> None:
    # The best of a few tries, of processor time: other tests run at the same time.
    def spent() -> float:
        times = os.times()
        return times.children_user + times.children_system

    def seconds() -> float:
        begin = spent()
        done = run("-m", "mlodsl", *arguments)
        assert done.returncode == 0, done.stderr
        return spent() - begin

    assert min(seconds() for _ in range(TRIES)) < LIMIT_IN_SECONDS
