import json

import pytest

CHAIN = """\
level a { var x : real[2] in [0, 1]  minimize sumsq(x) + sumsq(z) }
level b { var y : real  minimize (y - sum(x))^2 + sumsq(z) }
level c { var z : real[2]  minimize sumsq(z - y) }
"""


@pytest.fixture
def chain(game):
    game.write_text(CHAIN)
    return game


def test_the_lower_levels_answer_is_shown(shell, chain):
    code, out, err = shell("respond", "game.mlo", "--at", "x=[0.5, 1]")
    assert (code, err) == (0, "")
    # y = sum(x) / 3, z = y.
    assert "y          0.5" in out
    assert "z          [0.5, 0.5]" in out


def test_the_answer_is_written_as_json(shell, chain):
    code, out, err = shell("respond", "game.mlo", "--at", "x=0.75", "--out", "-")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["at"] == {"x": [0.75, 0.75]}
    assert found["variables"]["y"] == pytest.approx(0.5)


def test_several_leading_levels_may_be_given(shell, chain):
    words = ["--at", "x=0", "--at", "y=2", "--out", "-"]
    _, out, _ = shell("respond", "game.mlo", *words)
    assert json.loads(out)["variables"] == {"z": pytest.approx([2, 2])}


@pytest.mark.parametrize(
    ("words", "start", "part"),
    [
        ([], "error[E604]", "the variable `x` of level `a` has no value"),
        (["--at", "y=1"], "error[E604]", "give it with `--at x=…`"),
        (["--at", "w=1", "--at", "x=0"], "error[E605]", "the model has no variable `w`"),
        (
            ["--at", " yx = 1", "--at", "x=0"],
            "error[E605]",
            "--at:1:2\n  |\n1 |  yx = 1\n  |  ^^ did",
        ),
        (["--at", "x=[1, 2, 3]"], "error[E201]", " --at:1:3"),
        (["--at", "x=1 +"], "error[E002]", " --at:1:"),
        (["--at", "x=q"], "error[E102]", "unknown name `q`"),
        (["--at", "x=y"], "error[E106]", " --at:1:3"),
        (["--at", "x=2"], "error[E606]", "the value of `x` is outside of `[0, 1]`"),
        (["--at", "x=1 / 0"], "error[E606]", "is not finite"),
        (["--at", "x"], "error[E702]", "is not of the form `NAME=VALUE`"),
        (["--at", "x=0", "--at", "x=1"], "error[E506]", "the variable `x` is given twice"),
        (["--at", "x=0", "--at", "y=0", "--at", "z=0"], "error[E605]", "no level is left"),
    ],
    ids=" ".join,
)
def test_a_wrong_point_is_a_diagnostic(shell, chain, words, start, part):
    code, out, err = shell("respond", "game.mlo", *words)
    assert (code, out) == (2, "")
    assert err.startswith(start)
    assert part in err


def test_a_level_that_cannot_be_solved_exits_with_1_and_a_sentence(shell, game):
    game.write_text(
        "level a { var x : real minimize x^2 + y }\nlevel b { var y : real minimize x - y }"
    )
    code, out, _ = shell("respond", "game.mlo", "--at", "x=1")
    assert code == 1
    assert "evel `b` is unbounded below" in out
