import io
import json
import sys

import pytest


def test_a_right_model_gets_one_line(shell, game):
    assert shell("check", "game.mlo") == (0, "game.mlo: ok, 2 levels, 2 variables\n", "")


def test_the_size_of_a_model_follows_its_params(shell):
    _, out, _ = shell("check", "stackelberg3", "--set", "goods=100")
    assert out == "stackelberg3: ok, 3 levels, 300 variables\n"


def test_an_error_exits_with_2_and_is_on_standard_error(shell, game):
    game.write_text("level a { var x : real minimize z }", encoding="utf-8")
    code, out, err = shell("check", "game.mlo")
    assert (code, out) == (2, "")
    assert err.startswith("error[E102]: unknown name `z`")


def test_a_warning_exits_with_0(shell, game):
    game.write_text("data X : real[n] level a { var x : real minimize sumsq(X - x) }")
    code, out, err = shell("check", "game.mlo")
    assert code == 0
    assert err.startswith("warning[W901]")
    assert out == "game.mlo: ok, 1 level, 1 variable\n"


def test_sizes_that_nobody_bound_are_said_to_be_unknown(shell, game):
    game.write_text("data X : real[n] level a { var x : real[n] minimize sumsq(X - x) }")
    assert shell("check", "game.mlo")[1] == "game.mlo: ok, 1 level, sizes not known yet\n"


def test_data_from_a_flag_binds_sizes(shell, game):
    game.write_text("data X : real[n] level a { var x : real[n] minimize sumsq(X - x) }")
    (game.parent / "x.csv").write_text("1\n2\n3\n")
    code, out, err = shell("check", "game.mlo", "--data", "X=x.csv")
    assert (code, out, err) == (0, "game.mlo: ok, 1 level, 3 variables\n", "")


def test_every_file_is_checked_even_after_an_error(shell, game):
    (game.parent / "bad.mlo").write_text("level a { }")
    code, out, err = shell("check", "bad.mlo", "missing.mlo", "game.mlo")
    assert code == 2
    assert out == "game.mlo: ok, 2 levels, 2 variables\n"
    assert "bad.mlo:1:" in err
    assert "there is no model `missing.mlo`" in err


def test_what_is_wrong_with_a_flag_is_reported_once(shell, game):
    _, _, err = shell("check", "game.mlo", "game.mlo", "--set", "d=1")
    assert err.count("error[E605]") == 1
    assert " --set:1:" in err


def test_an_option_in_a_flag_is_checked(shell, game):
    code, _, err = shell("check", "game.mlo", "--set", "solve.tolerence=1")
    assert code == 2
    assert "did you mean `tolerance`?" in err


def test_errors_of_flags_config_and_model_come_together(shell, game):
    game.write_text("level a { var x : real minimize z }")
    (game.parent / "run.yaml").write_text("solve: {max_step: 3}")
    _, _, err = shell("check", "game.mlo", "--config", "run.yaml", "--set", "c")
    assert "unknown name `z`" in err
    assert "run.yaml:1:" in err
    assert "`--set c` has no `=`" in err


@pytest.mark.parametrize("name", ["nope.yaml", "."])
def test_an_unreadable_config_is_a_diagnostic(shell, game, name):
    code, _, err = shell("check", "game.mlo", "--config", name)
    assert code == 2
    assert err.startswith(f"error[E701]: `{name}` cannot be read")


def test_json_is_a_list_and_nothing_else(shell, game):
    code, out, err = shell("check", "game.mlo", "--json")
    assert (code, json.loads(out), err) == (0, [], "")


def test_json_holds_the_diagnostics_of_all_files(shell, game):
    game.write_text("level a { var x : real minimize z }")
    code, out, err = shell("check", "game.mlo", "missing.mlo", "--json")
    found = json.loads(out)
    assert (code, err) == (2, "")
    assert [(entry["code"], entry["file"]) for entry in found] == [
        ("E102", "game.mlo"),
        ("E003", "missing.mlo"),
    ]
    assert (found[0]["line"], found[0]["column"], found[0]["end_column"]) == (1, 33, 34)


def test_a_model_may_come_from_standard_input(shell, monkeypatch):
    raw = io.TextIOWrapper(io.BytesIO(b"level a { var x : real minimize x^2 }"))
    monkeypatch.setattr(sys, "stdin", raw)
    assert shell("check", "-") == (0, "-: ok, 1 level, 1 variable\n", "")


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"\xff\xfe\x00", b"level", b"\xef\xbb\xbflevel a {"], ids=repr
)
def test_odd_bytes_are_a_diagnostic(shell, game, raw):
    game.write_bytes(raw)
    code, _, err = shell("check", "game.mlo")
    assert code == 2
    assert err.startswith("error[E")


def test_a_folder_is_no_model(shell, game):
    code, _, err = shell("check", ".")
    assert code == 2
    assert err.startswith("error[E003]: `.` cannot be read")
