import json

import pytest


def test_agreement_exits_with_0(shell, game):
    code, out, err = shell("verify", "game.mlo")
    assert (code, err) == (0, "")
    # 2 (x - c) + 2 y at x = y = 1.
    assert "x       2                2" in out
    assert "agrees with finite differences" in " ".join(out.split())


def test_the_point_may_be_given(shell, game):
    code, out, _ = shell("verify", "game.mlo", "--at", "x=3/2")
    assert code == 0
    assert "x       4                4" in out


def test_the_point_may_be_a_result_s(shell, game):
    game.with_name("r.json").write_text(json.dumps({"variables": {"x": 2, "y": 0.0}}))
    code, out, _ = shell("verify", "game.mlo", "--result", "r.json")
    assert code == 0
    assert "x       6                6" in out


def test_disagreement_exits_with_1(shell, game):
    # One step of a slow descent is far from the follower's answer.
    words = ["--set", "solve.level.follower.optimizer=sgd(0.1)"]
    words += ["--set", "solve.level.follower.steps=1"]
    code, out, _ = shell("verify", "game.mlo", *words)
    assert code == 1
    assert "disagrees" in out


def test_a_point_where_a_level_cannot_be_solved_exits_with_1_and_a_sentence(shell, game):
    game.write_text(
        "level a { var x : real minimize x^2 + y }\nlevel b { var y : real minimize x - y }"
    )
    code, out, err = shell("verify", "game.mlo")
    assert (code, out) == (1, "")
    assert "the gradient can't be verified here: level `b` is unbounded below" in err


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "it cannot be read"),
        ("{", "it is not JSON"),
        ("[]", "it holds no `variables`"),
        ('{"variables": {"x": 1}}', "it has no variable `y`"),
        ('{"variables": {"x": 1, "y": 1, "z": 1}}', "the model has no variable `z`"),
        ('{"variables": {"x": 1, "y": [1, 2]}}', "`y` has shape [2], in the model []"),
        ('{"variables": {"x": 1, "y": "nan"}}', "`y` is not an array of numbers"),
        ('{"variables": {"x": 1, "y": [[1], [1, 2]]}}', "`y` is not an array of numbers"),
    ],
)
def test_a_wrong_result_file_is_a_diagnostic(shell, game, content, part):
    if content is not None:
        game.with_name("r.json").write_text(content)
    code, out, err = shell("verify", "game.mlo", "--result", "r.json")
    assert (code, out) == (2, "")
    assert err.startswith("error[E706]")
    assert part in err


def test_two_points_are_one_too_many(shell, game):
    code, _, err = shell("verify", "game.mlo", "--at", "x=1", "--result", "r.json")
    assert code == 2
    assert "`--result` and `--at` both name a point" in err
