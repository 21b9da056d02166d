"""Comparing strategies from the command line. Few runs each: every one compiles for itself."""

import dataclasses
import json
import sys

import pytest

from mlodsl.cli.contenders import read_strategies, split_at_commas
from mlodsl.diagnostics import Diagnostic, ModelError
from mlodsl.settings import STRATEGIES


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def refusing(monkeypatch):
    """A solver that refuses what isn't implicit differentiation."""
    import mlodsl.solver

    solve = mlodsl.solver.solve

    def refuse(problem, settings, watch):
        if settings.strategy.options:
            return solve(problem, settings, watch)
        message = f"`{settings.strategy.name}` can't solve this model"
        raise ModelError([Diagnostic("E504", message, None, "use another")])

    monkeypatch.setattr("mlodsl.solver.solve", refuse)


def test_strategies_stand_side_by_side(shell, game):
    words = ["--strategies", "auto, implicit(linear_solver=cg, tolerance=1e-12)"]
    code, out, err = shell(
        "compare", "game.mlo", *words, "--out", "runs.json", "--plot", "runs.png"
    )
    assert code == 0
    assert "game: 2 of 2 strategies converged" in out
    assert "auto: compiling\n" in err
    found = read(game.with_name("runs.json"))
    labels = ["auto", "implicit(linear_solver=cg, tolerance=1e-12)"]
    assert [row["strategy"] for row in found["comparison"]] == labels
    assert found["best"] in labels
    for row, result, trace in zip(
        found["comparison"], found["results"], found["traces"], strict=True
    ):
        assert (row["status"], row["claim"]) == ("converged", "local")
        assert row["objective"] == pytest.approx(0.5, abs=1e-8)
        assert row["distance"] <= 1e-7
        assert row["steps"] == result["steps"] == trace[-1]["step"]
        assert row["evaluations"] == result["evaluations"]
        assert list(row["products"]) == ["leader", "follower"]
        assert row["seconds"]["compile"] > 0
        assert result["variables"] == pytest.approx({"x": 0.5, "y": 0.5}, abs=1e-8)
    picture = game.with_name("runs.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


def test_on_standard_output_there_is_only_the_comparison(shell, game):
    words = ["--strategies", "implicit", "--out", "-", "--quiet", "--set", "c=4/2"]
    code, out, err = shell("compare", "game.mlo", *words)
    assert (code, err) == (0, "")
    assert json.loads(out)["results"][0]["variables"]["x"] == pytest.approx(1, abs=1e-8)


def test_where_none_converged_the_code_is_1_and_the_table_says_why(shell, game):
    words = ["--strategies", "implicit", "--set", "solve.timeout=1e-9", "--out", "runs.json"]
    code, out, _ = shell("compare", "game.mlo", *words)
    assert code == 1
    assert "game: 0 of 1 strategies converged" in out
    assert "implicit: Stopped at the time limit" in out
    assert read(game.with_name("runs.json"))["comparison"][0]["status"] == "timeout"


def test_a_strategy_that_refuses_the_model_is_a_row(shell, game, refusing):
    words = ["--strategies", "auto,implicit(linear_solver=dense)", "--out", "runs.json"]
    code, out, _ = shell("compare", "game.mlo", *words, "--plot", "runs.svg")
    assert code == 0
    assert "auto: Refused: `auto` can't solve this model." in out
    found = read(game.with_name("runs.json"))
    assert found["comparison"][0] == {
        "strategy": "auto",
        "status": "refused",
        "message": "`auto` can't solve this model",
        "hints": ["use another"],
    }
    assert (found["results"][0], found["traces"][0]) == (None, None)
    assert found["best"] == "implicit(linear_solver=dense)"
    assert b"<svg" in game.with_name("runs.svg").read_bytes()


def test_where_all_refuse_the_input_is_wrong(shell, game, refusing):
    code, out, err = shell("compare", "game.mlo", "--strategies", "auto,implicit")
    assert (code, out) == (2, "")
    assert err.count("error[E504]") == 2


def test_ctrl_c_keeps_what_was_found(shell, game, monkeypatch):
    import mlodsl.solver

    solve = mlodsl.solver.solve

    def interrupt(problem, settings, watch):
        if settings.strategy.name == "auto":
            return solve(problem, settings, watch)
        raise KeyboardInterrupt

    monkeypatch.setattr("mlodsl.solver.solve", interrupt)
    words = ["--strategies", "auto,implicit", "--out", "runs.json"]
    code, out, _ = shell("compare", "game.mlo", *words)
    assert code == 130
    assert "game: 1 of 1 strategies converged" in out
    assert len(read(game.with_name("runs.json"))["results"]) == 1


def test_an_interrupted_run_is_the_last_one(shell, game, monkeypatch):
    import mlodsl.solver

    solve = mlodsl.solver.solve

    def interrupted(problem, settings, watch):
        found = solve(problem, settings, watch)
        return dataclasses.replace(found, status=mlodsl.solver.Status.INTERRUPTED)

    monkeypatch.setattr("mlodsl.solver.solve", interrupted)
    code, out, _ = shell("compare", "game.mlo", "--strategies", "auto,implicit", "--out", "-")
    assert code == 130
    assert [row["strategy"] for row in json.loads(out)["comparison"]] == ["auto"]


def test_without_the_flag_all_strategies_run():
    choices, wrong = read_strategies(None)
    assert (list(choices), wrong) == (list(STRATEGIES), [])


def test_commas_in_brackets_separate_nothing():
    assert split_at_commas("a,b(c=1, d=[2, 3]),e") == ["a", "b(c=1, d=[2, 3])", "e"]


@pytest.mark.parametrize(
    ("words", "messages"),
    [
        (["--strategies", "implicid"], ["E502]: unknown strategy `implicid`", "`implicit`?"]),
        (["--strategies", "auto(x=1)"], ["E501]"]),
        (["--strategies", "auto,"], ["E702]: `--strategies auto,` has an empty entry"]),
        (["--strategies", ""], ["E702]"]),
        (["--strategies", "auto,auto"], ["E506]: the strategy `auto` is given twice"]),
        (["--strategies", "auto(", "--plot", "a.gif"], ["E002]", "E704]"]),
        (["--plot", "a.gif"], ["E704]", "pictures end in `.png`, `.svg`, `.pdf`", "`a.png`"]),
        (["--plot", "none/a.png"], ["E704]", "there is no folder `none`"]),
        (["--plot", ""], ["E704]", "the path is empty"]),
        (["--out", "a.png", "--plot", "a.png"], ["E702]", "both write to `a.png`"]),
        (["--set", "d=1"], ["E605]"]),
    ],
)
def test_a_wrong_flag_is_a_diagnostic(shell, game, words, messages):
    code, out, err = shell("compare", "game.mlo", *words)
    assert (code, out) == (2, "")
    assert [message for message in messages if message not in err] == []


def test_without_matplotlib_a_picture_is_refused_before_anything_runs(shell, game, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = shell("compare", "game.mlo", "--plot", "a.png")
    assert (code, out) == (2, "")
    assert "error[E708]: pictures are drawn with matplotlib" in err
    assert "pip install 'mlodsl[plot]'" in err
