"""Several processes on the loopback address, as they are started from the command line."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

GAME = """
data table : real[n, 3]
let X = table[:, :2]
level tuner {
  var lam : real = 0
  minimize mean((X @ theta - table[:, 2])^2) + lam^2
}
level learner {
  var theta : real[2]
  minimize mean((X @ theta - lam)^2)
}
"""


def answer(table):
    """lam and theta of GAME: theta = lam s, where s solves the normal equations."""
    X, t = table[:, :2], table[:, 2]
    s = np.linalg.solve(X.T @ X, X.T @ np.ones(len(X)))
    fitted = X @ s
    lam = np.mean(fitted * t) / (np.mean(fitted**2) + 1)
    return {"lam": lam, "theta": lam * s}


# So short steps that it takes minutes.
LONG = """
data table : real[n, 3]
level learner { var theta : real[3] minimize mean((table @ theta - 1)^2) }
solve { level learner { optimizer = sgd(1e-9) } max_steps = 100000000 tolerance = 1e-12 }
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Starts one of two processes that solve `model.mlo`; all are ended with the test."""
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    np.save(tmp_path / "table.npy", np.random.default_rng(0).normal(size=(15, 3)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with contextlib.ExitStack() as ends:

        def start(process, *words, **options):
            command = [sys.executable, "-m", "mlodsl", "solve", "model.mlo"]
            command += ["--data", "table=table.npy", *words]
            command += ["--coordinator", address, "--num-processes", "2"]
            command += ["--process-id", str(process)]
            running = subprocess.Popen(
                command, cwd=tmp_path, text=True, stderr=subprocess.PIPE, **options
            )
            limit = threading.Timer(200, running.kill)
            limit.start()
            ends.callback(running.wait)
            ends.callback(running.kill)
            ends.callback(limit.cancel)
            return running

        yield start


def test_two_processes_find_the_answer_of_one(run, tmp_path):
    (tmp_path / "model.mlo").write_text(GAME)
    both = [run(number, "--out", f"{number}.json", stdout=subprocess.PIPE) for number in (0, 1)]
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    # The second process solves, writes and prints nothing.
    assert said[1] == ("", "")
    assert "2 cpu devices of 2 processes share the rows of `table`" in said[0][1]
    assert not (tmp_path / "1.json").exists()
    found = json.loads((tmp_path / "0.json").read_text())
    assert (found["status"], found["devices"]) == ("converged", 2)
    for name, value in answer(np.load(tmp_path / "table.npy")).items():
        np.testing.assert_allclose(found["variables"][name], value, rtol=0, atol=1e-10)


def test_a_process_whose_fellow_is_killed_says_so_and_ends(run, tmp_path):
    (tmp_path / "model.mlo").write_text(LONG)
    survivor, victim = run(0, "--wait", "20"), run(1, "--wait", "20")
    for line in survivor.stderr:
        if line.startswith("step 10 "):
            break
    victim.send_signal(signal.SIGKILL)
    began = time.monotonic()
    *_, error, hint = survivor.stderr.read().strip().split("\n")
    assert survivor.wait() == 2
    assert error.startswith("error[E710]: another process of this run ended")
    assert "start all of them again" in hint
    assert time.monotonic() - began < 20 + 10


def test_a_process_whose_fellow_never_comes_says_so_and_ends(run, tmp_path):
    (tmp_path / "model.mlo").write_text(GAME)
    lonely = run(0, "--wait", "1")
    _, error = lonely.communicate()
    assert lonely.returncode == 2
    assert error.startswith("error[E710]: the 2 processes did not come together at 127.0.0.1:")
