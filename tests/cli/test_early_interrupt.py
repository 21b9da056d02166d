"""Ctrl-C before a run begins, while libraries load and code compiles."""

import signal
import subprocess
import sys
import time

import pytest


# Python itself takes the first tenths of a second, and more beside other tests.
@pytest.mark.parametrize("seconds", [0.8, 1.6])
def test_ctrl_c_before_the_run_leaves_at_once_without_a_traceback(seconds: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mlodsl", "solve", "stackelberg6", "--out", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "interrupted" in errors
