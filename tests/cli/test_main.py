import pytest

import mlodsl
from mlodsl.cli.main import _COMMANDS, main


def test_help_names_every_command(shell):
    code, out, err = shell("--help")
    assert (code, err) == (0, "")
    assert [name for name in _COMMANDS if f"\n  {name} " not in out] == []


@pytest.mark.parametrize("name", _COMMANDS)
def test_a_command_has_help_with_all_its_flags(shell, name):
    code, out, err = shell(name, "--help")
    assert (code, err) == (0, "")
    command = _COMMANDS[name][1]()
    assert command.name == name
    assert out.startswith(f"Usage: mlodsl {name}")
    assert [flag.name for flag in command.flags if f"\n  {flag.name}" not in out] == []


def test_help_of_a_command_is_found_both_ways(shell):
    assert shell("help", "solve") == shell("solve", "--help")


@pytest.mark.parametrize("name", _COMMANDS)
def test_help_fits_into_88_columns(shell, name):
    _, out, _ = shell(name, "--help")
    assert [line for line in out.splitlines() if len(line) > 88] == []


def test_the_version_is_the_package_s(shell):
    assert shell("--version") == (0, f"mlodsl {mlodsl.__version__}\n", "")


def test_without_a_command_the_help_is_printed_on_standard_error(shell):
    code, out, err = shell()
    assert (code, out) == (2, "")
    assert "Usage: mlodsl COMMAND" in err


def test_an_unknown_command_gets_the_nearest_one_suggested(shell):
    code, out, err = shell("slove", "game.mlo")
    assert (code, out) == (2, "")
    assert err.startswith("error[E703]: `slove` is not a command")
    assert "^^^^^ did you mean `solve`?" in err


def test_a_model_in_place_of_a_command_is_offered_to_be_solved(shell, game):
    code, _, err = shell("game.mlo")
    assert code == 2
    assert "did you mean `mlodsl solve game.mlo`?" in err


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("--toleranse", "an option of a solve is written `--set solve.tolerance=VALUE`"),
        ("--max-steps", "an option of a solve is written `--set solve.max_steps=VALUE`"),
        ("--otu", "did you mean `--out`?"),
    ],
)
def test_what_an_unknown_flag_may_mean_is_said(shell, flag, hint):
    code, _, err = shell("solve", "game.mlo", f"{flag}=3")
    assert code == 2
    assert hint in err


def test_an_unknown_flag_is_pointed_at(shell):
    code, _, err = shell("solve", "game.mlo", "--strateg", "implicit")
    assert code == 2
    assert "`mlodsl solve` has no flag `--strateg`" in err
    assert "1 | mlodsl solve game.mlo --strateg implicit" in err
    assert "^^^^^^^^^ did you mean `--strategy`?" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["solve"], "needs a MODEL"),
        (["solve", "a", "b"], "takes one MODEL"),
        (["solve", "a", "--out"], "`--out` needs a value"),
        (["solve", "a", "--out", "--quiet"], "`--out` needs a value"),
        (["solve", "a", "--quiet=yes"], "`--quiet` takes no value"),
        (["solve", "a", "--out", "b", "--out", "c"], "`--out` is given twice"),
        (["strategies", "a", "b"], "takes one NAME"),
        (["--verbose"], "`mlodsl` has no flag `--verbose`"),
        (["help", "slove"], "`slove` is not a command"),
    ],
)
def test_a_wrong_command_line_is_a_diagnostic(shell, words, message):
    code, out, err = shell(*words)
    assert (code, out) == (2, "")
    assert err.startswith("error[E703]: ")
    assert message in err


def test_all_mistakes_of_a_command_line_are_reported(shell):
    _, _, err = shell("solve", "--wrong", "--out")
    assert err.count("error[E703]") == 3


def test_after_two_dashes_nothing_is_a_flag(shell, game):
    game.rename(game.with_name("--game.mlo"))
    assert shell("check", "--", "--game.mlo")[0] == 0


def test_a_value_may_stand_behind_an_equals_sign(shell, game):
    assert shell("check", "game.mlo", "--set=c=2")[0] == 0


def test_main_reads_the_process_s_arguments(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["mlodsl", "--version"])
    assert main() == 0


def test_what_the_disk_refuses_is_a_diagnostic(shell, game, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device", "out.json")

    monkeypatch.setattr("mlodsl.cli.check.find_model", refuse)
    code, _, err = shell("check", "game.mlo")
    assert code == 2
    assert "error[E704]: reading or writing failed: `out.json`: No space left on device" in err


def test_an_interruption_exits_with_130(shell, game, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mlodsl.cli.check.find_model", interrupt)
    assert shell("check", "game.mlo") == (130, "", "interrupted\n")
