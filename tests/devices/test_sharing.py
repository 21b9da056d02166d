"""The rows of the data shared over eight simulated devices."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# 43 rows aren't a multiple of 8, nor are the parts of `split`; `few` has fewer rows than devices.
PARTS_OF_A_TABLE = """
data table : real[n, 4]
data few : real[5, 3]
let whitened = standardize(table)
let (fit, held_out) = split(whitened, 25, 18)
level tuner {
  var lam : real = 0
  minimize mean((held_out[:, :3] @ theta - held_out[:, 3])^2) + 1e-3 * sumsq(few @ theta)
    + 0.1 * lam^2
}
level learner {
  var theta : real[3]
  minimize mean((fit[:, :3] @ theta - fit[:, 3])^2) + exp(lam) * sumsq(theta)
}
"""

A_WEIGHT_FOR_EACH_ROW = """
data table : real[n, 4]
data few : real[5, 3]
level cleaner {
  var w : real[n] in [-2, 2] = 0
  minimize sum((few @ theta - 1)^2) + 0.1 * sumsq(w)
}
level learner {
  var theta : real[3]
  minimize mean(sigmoid(w) * log(1 + exp(table[:, :3] @ theta))) + sumsq(theta - 0.3)
}
"""


def solve_twice(text):
    environment = {
        **os.environ,
        "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.getcwd(),
    }
    script = Path(__file__).with_name("eight_devices.py")
    done = subprocess.run(
        [sys.executable, str(script)],
        input=text,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def parts():
    return solve_twice(PARTS_OF_A_TABLE)


def test_eight_devices_find_the_answer_of_one(parts):
    assert parts["status"] == ["converged", "converged"]
    assert parts["difference"] <= 1e-10


def test_each_device_holds_its_rows_alone(parts):
    assert parts["devices"] == [1, 8]
    assert parts["device"] == "cpu"
    assert (parts["shared"], parts["whole"]) == (["table"], ["few"])
    # 43 rows and 5 of zeros.
    assert parts["rows of each"] == [6]


def test_what_is_computed_of_the_data_once_stays_shared(parts):
    assert parts["folded is whole"] == [False, False]


@pytest.mark.slow
def test_a_variable_for_each_row_is_found_by_eight_devices_too():
    found = solve_twice(A_WEIGHT_FOR_EACH_ROW)
    assert found["status"] == ["converged", "converged"]
    assert found["difference"] <= 1e-10
