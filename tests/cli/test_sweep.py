"""`mlodsl solve MODEL --sweep NAME=SPEC`."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlodsl.cli import main
from mlodsl.cli.sweep import grid, read_sweeps
from mlodsl.diagnostics import ModelError

MODEL = """
param c = 1.0
param n : int = 2
param w : real[2] = [1, 1]
level leader { var x : real[n]  minimize sumsq(x - c) + 0 * sum(w) }
"""

# The level is unbounded where c is at most 0.
SOMETIMES = "param c = 1.0  level leader { var x : real = 1  minimize c * x^2 + x }"


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "game.mlo"
    path.write_text(MODEL)
    return str(path)


def run(*words: str) -> int:
    try:
        return int(main(["solve", *words]))
    except SystemExit as ended:
        return int(ended.code or 0)


def values_of(flag: str) -> list[float]:
    return grid(read_sweeps([flag], []))["c"].tolist()


def test_a_range_is_even() -> None:
    assert values_of("c=0:1:3") == values_of("c=0:1:lin:3") == [0.0, 0.5, 1.0]


def test_a_logarithmic_range_is_even_in_the_logarithm() -> None:
    np.testing.assert_allclose(values_of("c=0.1:10:log:3"), [0.1, 1, 10], rtol=1e-15)


def test_a_list_is_read_as_in_a_model() -> None:
    assert values_of("c=[1/2, -2, 3e-1]") == [0.5, -2.0, 0.3]


def test_several_make_a_grid_whose_last_param_changes_fastest() -> None:
    found = grid(read_sweeps(["a=[1, 2]", "b=[3, 4]"], []))
    assert found["a"].tolist() == [1, 1, 2, 2]
    assert found["b"].tolist() == [3, 4, 3, 4]


@pytest.mark.parametrize(
    ("flag", "code", "column", "words"),
    [
        ("c", "E702", 1, "not of the form"),
        ("c=", "E702", 1, "not of the form"),
        ("c=1", "E702", 3, "no range and no list"),
        ("c=1::3", "E702", 3, "no range and no list"),
        ("c=a:2:3", "E702", 3, "not a finite number"),
        ("c=0:inf:3", "E702", 5, "not a finite number"),
        ("c=-1:2:log:3", "E702", 3, "ends above 0"),
        ("c=1:0:log:3", "E702", 5, "ends above 0"),
        ("c=1:2:cubic:3", "E702", 7, "not a scale"),
        ("c=1:2:0", "E702", 7, "not a number of values"),
        ("c=1:2:2.5", "E702", 7, "not a number of values"),
        ("c=1:2:1", "E702", 7, "at least 2 values"),
        ("c=1:2:9999999", "E702", 7, "more than 1000000"),
        ("c=[]", "E702", 3, "empty"),
        ("c=[x]", "E702", 4, "not a number"),
        ("c=[1, [2]]", "E702", 3, "differ in shape"),
    ],
)
def test_a_wrong_sweep_is_a_diagnostic_at_its_place(
    flag: str, code: str, column: int, words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        read_sweeps([flag], [])
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert words in found.message
    assert found.span is not None and found.span.start + 1 == column
    assert found.hint


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sweep", "k=[1, 2]"], "no param `k`"),
        (["--sweep", "n=[1, 2]"], "is a whole number"),
        (["--sweep", "w=0:1:3"], "has shape [2]"),
        (["--sweep", "c=[1]", "--sweep", "c=[2]"], "swept twice"),
        (["--sweep", "c=[1]", "--set", "c=2"], "given by `--set` too"),
        (["--sweep", "c=[1]", "--trace", "t"], "`--trace` is of one run"),
        (["--sweep", "c=[1]", "--checkpoint", "d"], "`--checkpoint` is of one run"),
        (["--sweep", "c=[1]", "--out", ""], "the path is empty"),
        (["--sweep", "c=[1]", "--out", "nowhere/at/all.json"], "cannot be written"),
    ],
)
def test_a_mistake_exits_with_2(
    model: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(model, *words) == 2
    assert said in capsys.readouterr().err


def test_each_instance_has_a_file_and_a_line_of_the_table(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(model, "--sweep", "c=1:3:3", "--out", str(tmp_path / "run.json")) == 0
    files = sorted(tmp_path.glob("run-*.json"))
    assert [path.name for path in files] == ["run-001.json", "run-002.json", "run-003.json"]
    for path, value in zip(files, (1.0, 2.0, 3.0), strict=True):
        content = json.loads(path.read_text())
        assert content["status"] == "converged"
        assert content["params"]["c"] == value
        np.testing.assert_allclose(content["variables"]["x"], [value, value], atol=1e-8)
    shown = capsys.readouterr().out
    assert "3 instances: 3 converged" in shown
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 80


def test_a_folder_takes_the_files(model: str, tmp_path: Path) -> None:
    assert run(model, "--sweep", "c=[1, 2]", "--quiet", "--out", f"{tmp_path}/runs/") == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["001.json", "002.json"]


def test_standard_output_is_a_list_alone(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(model, "--sweep", "c=[1, 2]", "--out", "-") == 0
    captured = capsys.readouterr()
    assert [one["params"]["c"] for one in json.loads(captured.out)] == [1.0, 2.0]
    assert "2 instances" in captured.err


def test_it_exits_with_1_where_an_instance_does_not_converge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sometimes.mlo"
    path.write_text(SOMETIMES)
    assert run(str(path), "--sweep", "c=[1, -1]") == 1
    shown = capsys.readouterr().out
    assert "1 converged, 1 diverged" in shown
    assert "2: diverged. Level `leader` is unbounded below" in shown


def test_quiet_prints_nothing(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(model, "--sweep", "c=[1, 2]", "--quiet") == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_param_without_a_value_may_be_swept(tmp_path: Path) -> None:
    path = tmp_path / "open.mlo"
    path.write_text("param c : real  level a { var x : real  minimize (x - c)^2 }")
    assert run(str(path), "--sweep", "c=[1, 2]", "--quiet") == 0
