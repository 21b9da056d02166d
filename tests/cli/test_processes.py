"""The program as a process: pipes, signals, terminals."""

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time

import pytest

LONG = """\
level a {
  var x : real[20] = -1
  minimize sum(100 * (x[i+1] - x[i]^2)^2 + (1 - x[i])^2 for i in range(19))
}
solve { level a { optimizer = sgd(1e-6) } max_steps = 1000000 tolerance = 1e-12 }
"""


def start(*words, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen([sys.executable, "-m", "mlodsl", *words], **options)


@pytest.fixture
def package_is_found(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.getcwd())


@pytest.fixture(autouse=True)
def _found_from_anywhere(package_is_found):
    """The package may be a checkout that is not installed."""


def test_a_broken_pipe_is_no_traceback():
    process = start("models")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 141


def test_a_model_is_read_from_standard_input():
    process = start("check", "-", stdin=subprocess.PIPE)
    out, err = process.communicate("level a { var x : real minimize x^2 }")
    assert (process.returncode, out, err) == (0, "-: ok, 1 level, 1 variable\n", "")


def test_output_that_the_terminal_cannot_show_is_escaped(game, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    game.write_text("level a { var x : real minimize ü }", encoding="utf-8")
    process = start("check", "game.mlo")
    _, err = process.communicate()
    assert process.returncode == 2
    assert "error[E001]" in err


def test_diagnostics_are_coloured_on_a_terminal_only(game, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    game.write_text("level a { var x : real minimize z }")
    plain = start("check", "game.mlo").communicate()[1]
    ours, theirs = pty.openpty()
    process = start("check", "game.mlo", stderr=theirs)
    process.wait()
    os.close(theirs)
    coloured = os.read(ours, 10_000).decode()
    assert "\033[" not in plain
    assert coloured.startswith("\033[1;31merror[E102]\033[0m")


def test_no_color_is_respected(game, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    game.write_text("level a { var x : real minimize z }")
    ours, theirs = pty.openpty()
    start("check", "game.mlo", stderr=theirs).wait()
    os.close(theirs)
    assert "\033[" not in os.read(ours, 10_000).decode()


def test_ctrl_c_saves_a_checkpoint_and_writes_the_result(game):
    game.write_text(LONG)
    words = ["--checkpoint", "saved", "--out", "r.json", "--trace", "trace.jsonl"]
    process = start("solve", "game.mlo", *words, stderr=subprocess.DEVNULL)
    trace = game.with_name("trace.jsonl")
    for _ in range(600):
        if trace.exists() and trace.stat().st_size:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(game.with_name("r.json").read_text())["status"] == "interrupted"
    assert list((game.parent / "saved").iterdir()) != []


def with_closed(redirection, *words):
    """The program, started by a shell that closes one of its streams."""
    command = shlex.join([sys.executable, "-m", "mlodsl", *words])
    return subprocess.run(
        ["sh", "-c", f"exec {command} {redirection}"], capture_output=True, text=True
    )


@pytest.mark.parametrize("command", ["check", "fmt"])
def test_a_closed_standard_input_is_a_diagnostic(command):
    done = with_closed("<&-", command, "-")
    assert done.returncode == 2
    assert done.stderr.startswith("error[E003]: standard input is closed")


@pytest.mark.parametrize("redirection", [">&-", "2>&-"])
def test_closed_outputs_are_no_failure(game, redirection):
    assert with_closed(redirection, "check", "game.mlo").returncode == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_a_diagnostic():
    with open("/dev/full", "w") as full:
        process = start("models", stdout=full)
        _, err = process.communicate()
    assert process.returncode == 2
    assert err.startswith("error[E704]")
    assert "Traceback" not in err
