"""Every script in `examples/` runs and prints what it says."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

EXPECTED = {
    "solve_a_model.py": ["converged: the leader sells 0.4500, the follower 0.2250"],
    "many_params_at_once.py": ["prices from 6.0000 down to 1.5000"],
    "gradient_of_a_solution.py": ["d output / d weight = 2.040816, by hand 2.040816"],
}


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_prints_the_answer(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    printed = capsys.readouterr().out
    assert all(line in printed.splitlines() for line in EXPECTED[name]), printed
