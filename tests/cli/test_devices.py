"""The flags that say where a model is solved."""

import json

import pytest

ALL = ("--coordinator", "127.0.0.1:9876", "--process-id", "0", "--num-processes", "2")


def test_the_device_and_the_precision_are_those_asked_for(game, shell):
    words = ("--device", "cpu", "--set", "solve.precision=float32", "--quiet", "--out", "-")
    code, out, _ = shell("solve", "game.mlo", *words)
    result = json.loads(out)
    assert code == 0
    assert (result["device"], result["devices"]) == ("cpu", 1)
    # The tolerance of float32 is 1e-4.
    assert result["variables"]["x"] == pytest.approx(0.5, abs=1e-4)


def test_a_gpu_that_is_not_there_is_a_diagnostic(game, shell):
    code, out, err = shell("solve", "game.mlo", "--device", "gpu")
    assert (code, out) == (2, "")
    assert err.startswith("error[E709]: there is no gpu that JAX can use")
    assert "  = run on `cpu`, or install JAX for your GPU" in err


def test_more_devices_than_there_are_is_a_diagnostic(game, shell):
    code, _, err = shell("solve", "game.mlo", "--devices", "1000")
    assert code == 2
    assert "error[E709]: 1000 cpu devices were asked for" in err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--device", "abacus"), "E702", "`abacus` is not a kind of device"),
        (("--devices", "0"), "E702", "`--devices` needs a whole number of at least 1"),
        (("--devices", "two"), "E702", "`--devices` needs a whole number of at least 1"),
        (("--wait", "3"), "E702", "`--wait` is about other processes, and there are none"),
        (ALL[:2], "E703", "`--coordinator` needs `--process-id` and `--num-processes` beside it"),
        (ALL[2:], "E703", "`--process-id` needs `--coordinator` beside it"),
        (("--coordinator", "nowhere", *ALL[2:]), "E702", "`nowhere` is not of the form"),
        (("--coordinator", "h:99999", *ALL[2:]), "E702", "`h:99999` is not of the form"),
        ((*ALL[:3], "2", *ALL[4:]), "E702", "there is no process 2 among 2: they count from 0"),
        ((*ALL[:3], "-1", *ALL[4:]), "E702", "`--process-id` needs a whole number of at least 0"),
        ((*ALL, "--wait", "0"), "E702", "`--wait` needs a whole number of at least 1"),
        ((*ALL, "--devices", "2"), "E702", "`--devices` can't be used with `--coordinator`"),
        ((*ALL, "--checkpoint", "d"), "E702", "`--checkpoint` can't be used with `--coordinator`"),
    ],
)
def test_wrong_flags_are_diagnostics(game, shell, words, code, message):
    exit_code, out, err = shell("solve", "game.mlo", *words)
    assert (exit_code, out) == (2, "")
    assert err.startswith(f"error[{code}]: {message}"), err


@pytest.mark.parametrize("model", ["stackelberg3", "stackelberg5", "three_generals"])
def test_exact_answers_are_certified_in_float32(model, shell):
    """What a level gains by the rounding of the answers below it is no better response."""
    words = ("--set", "solve.precision=float32", "--quiet", "--out", "-")
    code, out, _ = shell("solve", model, *words)
    assert (code, json.loads(out)["status"]) == (0, "converged")


def test_a_worse_minimum_is_told_in_float32(shell, tmp_path):
    """By 2e-5, where what the level below answers is uncertain by some millionths."""
    (tmp_path / "valleys.mlo").write_text("""
        level top { var x : real = 0.3  minimize (x - y)^2 + x^2 }
        level middle { var y : real = 1  minimize (y^2 - 1)^2 + 0.00001 * y + z - y }
        level bottom { var z : real  minimize (z - y)^2 }
    """)
    words = ("--set", "solve.precision=float32", "--quiet", "--out", "-")
    code, out, _ = shell("solve", tmp_path / "valleys.mlo", *words)
    result = json.loads(out)
    assert (code, result["status"]) == (1, "stalled")
    assert "y = -1 is better for it by 2e-05" in result["message"]
    middle = result["certificate"]["levels"]["middle"]
    assert middle["gap"] == pytest.approx(2e-5, abs=middle["errors"]["gap"])
