"""Solving from the command line. Every solve here is of one small game: it compiles once."""

import json

import pytest


def result_of(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_solved_model_exits_with_0_and_shows_a_table(shell, game):
    code, out, err = shell("solve", "game.mlo")
    assert code == 0
    assert "game: converged" in out
    assert "y          0.5" in out
    assert err.startswith("compiling\nstep 0 ")


def test_the_result_is_written(shell, game):
    assert shell("solve", "game.mlo", "--out", "result.json")[0] == 0
    found = result_of(game.with_name("result.json"))
    assert (found["format"], found["model"], found["status"]) == (1, "game", "converged")
    assert found["variables"] == pytest.approx({"x": 0.5, "y": 0.5}, abs=1e-8)
    assert found["objectives"] == pytest.approx({"leader": 0.5, "follower": 0.0}, abs=1e-8)


def test_on_standard_output_there_is_only_the_result(shell, game):
    code, out, err = shell("solve", "game.mlo", "--out", "-")
    assert code == 0
    assert json.loads(out)["status"] == "converged"
    assert "game: converged" in err


def test_quiet_prints_nothing(shell, game):
    assert shell("solve", "game.mlo", "--quiet", "--out", "r.json") == (0, "", "")
    assert result_of(game.with_name("r.json"))["status"] == "converged"


def test_quiet_with_the_result_on_standard_output_prints_it_alone(shell, game):
    code, out, err = shell("solve", "game.mlo", "--quiet", "--out", "-")
    assert (code, err) == (0, "")
    json.loads(out)


def test_a_param_from_a_flag_counts(shell, game):
    _, out, _ = shell("solve", "game.mlo", "--quiet", "--out", "-", "--set", "c=4/2")
    assert json.loads(out)["variables"]["x"] == pytest.approx(1, abs=1e-8)


def test_flags_win_over_the_config(shell, game):
    game.with_name("run.yaml").write_text("params: {c: 3}\nsolve: {seed: 5, max_steps: 900}")
    words = ["solve", "game.mlo", "--quiet", "--out", "-", "--config", "run.yaml"]
    _, out, _ = shell(*words, "--set", "c=2", "--set", "solve.max_steps=1000")
    found = json.loads(out)
    assert found["variables"]["x"] == pytest.approx(1, abs=1e-8)
    assert found["seed"] == 5


def test_the_strategy_flag_names_who_chose_it(shell, game):
    _, out, _ = shell("solve", "game.mlo", "--quiet", "--out", "-", "--strategy", "implicit")
    assert json.loads(out)["strategy"]["chosen_by"] == "user"


def test_the_trace_has_a_line_a_step(shell, game):
    _, out, _ = shell("solve", "game.mlo", "--quiet", "--out", "-", "--trace", "trace.jsonl")
    lines = game.with_name("trace.jsonl").read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    assert [step["step"] for step in steps] == list(range(json.loads(out)["steps"] + 1))
    assert steps[-1]["hypergradient_norm"] <= 1e-8


def test_a_run_that_does_not_converge_exits_with_1_and_writes_its_result(shell, game):
    words = ["--quiet", "--set", "solve.timeout=1e-9", "--out", "r.json"]
    assert shell("solve", "game.mlo", *words) == (1, "", "")
    assert result_of(game.with_name("r.json"))["status"] == "timeout"


def test_a_wrong_model_exits_with_2(shell, game):
    game.write_text("level a { var x : real minimize z }")
    code, out, err = shell("solve", "game.mlo", "--out", "-")
    assert (code, out) == (2, "")
    assert err.startswith("error[E102]")


def test_a_missing_value_is_an_error(shell, game):
    game.write_text("param c level a { var x : real minimize (x - c)^2 }")
    code, _, err = shell("solve", "game.mlo")
    assert code == 2
    assert "error[E604]: the param `c` has no value" in err


def test_a_feature_that_is_not_built_yet_is_refused(shell, game):
    game.write_text("level l { var net : mlp(1, 2) minimize sumsq(net) }")
    code, _, err = shell("solve", "game.mlo")
    assert code == 2
    assert err.startswith("error[E803]")


@pytest.mark.parametrize(
    ("path", "reason"),
    [("nowhere/r.json", "there is no folder `nowhere`"), (".", "it is a folder"), ("", "is empty")],
)
@pytest.mark.parametrize("flag", ["--out", "--trace"])
def test_where_nothing_can_be_written_nothing_is_solved(shell, game, flag, path, reason):
    game.write_text("not even a model")
    code, out, err = shell("solve", "game.mlo", flag, path)
    assert (code, out) == (2, "")
    assert err.startswith(f"error[E704]: `{path}` cannot be written: ")
    assert reason in err


def test_result_and_trace_do_not_share_a_file(shell, game):
    code, _, err = shell("solve", "game.mlo", "--out", "-", "--trace", "-")
    assert code == 2
    assert "`--out` and `--trace` both write to `-`" in err


def test_an_interrupted_run_exits_with_130_and_writes_its_result(shell, game, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mlodsl.cli.progress.Silent.step", interrupt)
    code, out, _ = shell("solve", "game.mlo", "--quiet", "--out", "-")
    assert code == 130
    assert json.loads(out)["status"] == "interrupted"


def test_a_second_attempt_is_told_of(shell, game, monkeypatch):
    monkeypatch.setattr("mlodsl.solver.several.reconsider", lambda found: found.chosen)
    code, _, err = shell("solve", "game.mlo")
    assert code == 0
    assert "\nnot certified: from the start again, by another strategy\ncompiling\nstep 0 " in err


def test_single_precision_is_an_option(shell, game):
    words = ["--quiet", "--out", "-", "--set", "solve.precision=float32"]
    code, out, _ = shell("solve", "game.mlo", *words)
    assert code == 0
    assert json.loads(out)["variables"]["x"] == pytest.approx(0.5, abs=1e-3)


def test_more_memory_than_there_is_is_a_diagnostic(shell, game):
    game.write_text("level a { var x : real[1000000, 1000000] minimize sumsq(x - 1) }")
    code, _, err = shell("solve", "game.mlo", "--quiet")
    assert code == 2
    assert err.startswith("error[E707]: the model needs more memory than there is")


def test_a_result_that_cannot_be_written_after_all_is_shown(shell, game, monkeypatch):
    monkeypatch.setattr("mlodsl.cli.solve.verify_target", lambda *_: [])
    code, out, err = shell("solve", "game.mlo", "--out", "nowhere/r.json")
    assert code == 2
    assert "game: converged" in out
    assert "error[E704]: `nowhere/r.json` cannot be written" in err
