"""The papers' experiments decide in their cheap forms what the written results say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from benchmarks.papers.command import NAMES, load, main
from benchmarks.papers.experiment import Claim, DataMissing, Outcome
from benchmarks.papers.pl_methods import _data, true_gradient
from benchmarks.papers.stackelberg import FEW
from benchmarks.papers.writing import FOLDER, README, claims_of, claims_table, publish, readme_with

TIMINGS = ("wine_time", "efficiency")


def written(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def measured(name: str) -> Outcome:
    try:
        return load(name).measure(True)
    except DataMissing as missing:
        pytest.skip(str(missing))


def test_on_stackelberg_implicit_reaches_the_optimum_where_others_stall(tmp_path: Path) -> None:
    outcome = measured("stackelberg")
    ends = {name: errors[-1] for name, errors in outcome.numbers["mse"][FEW].items()}
    assert ends["implicit"] < 1e-10
    # VGD ends where nobody leads: x = 1/4.
    assert ends["VGD"] == pytest.approx(1 / 16, rel=1e-3)
    # 30 steps of 0.01 leave about half of a response, so FD and ITD stop short of 1/2.
    assert 1e-3 < ends["FD"] < 1e-2 and 1e-3 < ends["ITD"] < 1e-2
    publish(load("stackelberg"), outcome, tmp_path)
    assert (tmp_path / "stackelberg.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "stackelberg.json").read_text())["claims"][0]["holds"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*TIMINGS, "stackelberg")])
def test_the_cheap_form_comes_to_the_written_verdicts(name: str, tmp_path: Path) -> None:
    outcome = measured(name)
    verdicts = {(item["source"], item["claim"]): item["holds"] for item in written(name)["claims"]}
    found = {(claim.source, claim.claim): bool(claim.holds) for claim in outcome.claims}
    assert found and found == {key: verdicts[key] for key in found}
    publish(load(name), outcome, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMINGS)
def test_a_comparison_of_times_gives_a_ratio_for_each_method(name: str, tmp_path: Path) -> None:
    outcome = measured(name)
    numbers = outcome.numbers
    ratios = numbers["processor"] if name == "wine_time" else numbers["sizes"]["1"]["processor"]
    assert ratios["VGD"] == 1 and {"ITD", "implicit"} <= set(ratios)
    assert all(0 < ratio < 1000 for ratio in ratios.values())
    publish(load(name), outcome, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_the_results_of_every_experiment_are_written(name: str) -> None:
    assert written(name)["experiment"] == name
    assert written(name)["claims"]
    assert (FOLDER / f"{name}.png").exists()
    assert f"results/{name}.png" in README.read_text(encoding="utf-8")


def test_the_readme_shows_the_written_claims() -> None:
    assert readme_with(claims_table(claims_of())) == README.read_text(encoding="utf-8")


def test_a_bar_in_a_claim_makes_no_cell_of_its_own() -> None:
    row = claims_table([Claim("001", "|x| falls", "|x| = 0", True)]).splitlines()[-1]
    assert row == r"| 001 | \|x\| falls | \|x\| = 0 | reproduced |"


def test_an_unknown_experiment_is_named_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert "stackelberg" in capsys.readouterr().out


def test_the_closed_form_of_the_flat_problem_is_the_derivative_of_its_objective() -> None:
    data = _data()

    def objective(x: np.ndarray) -> float:
        inner = data["B"] @ x
        rest = inner + 0.5 * np.sin(inner) - data["goal"]
        return float(np.sum(np.log(1 + rest**2)) + 0.05 * x @ x)

    x, step = np.linspace(-1, 1, 5), 1e-6
    differences = [
        (objective(x + step * axis) - objective(x - step * axis)) / (2 * step) for axis in np.eye(5)
    ]
    # Central differences: h² f''' / 6 and eps f / h, both about 1e-9.
    np.testing.assert_allclose(true_gradient(x, data), differences, atol=1e-8)
