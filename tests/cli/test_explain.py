import json

import pytest


def explained(shell, *words):
    code, out, _ = shell("explain", *words, "--json")
    assert code == 0
    return json.loads(out)


def test_a_model_is_explained(shell, game):
    code, out, err = shell("explain", "game.mlo")
    assert (code, err) == (0, "")
    assert "level leader chooses x ∈ ℝ to minimise\n" in "\n".join(
        line.rstrip() for line in out.splitlines()
    )
    text = " ".join(out.split())
    assert "(x − c)² + y²" in text
    assert "min f₁(x, y) over x such that y ∈ argmin f₂(x, y)" in text
    assert "implicit, chosen by auto" in text
    assert "All levels' conditions in one system have 3 unknowns." in text
    assert "Measured: evaluating the start took 1 + " in text


def test_the_json_holds_what_programs_need(shell, game):
    found = explained(shell, "game.mlo")
    assert (found["format"], found["model"]) == (1, "game")
    leader, follower = found["levels"]
    assert leader["players"][0]["variables"]["x"] == {"shape": [], "size": 1, "choice": "x ∈ ℝ"}
    assert leader["players"][0]["depends_on"] == ["x", "y"]
    assert (follower["name"], follower["size"]) == ("follower", 1)
    assert found["strategy"]["name"] == "implicit"
    assert found["obstacles"] == []


def test_sizes_follow_the_params(shell):
    found = explained(shell, "stackelberg3", "--set", "goods=2")
    # x1, then twice x2 and its multiplier, then four times x3 and its own.
    assert found["cost"]["unknowns"] == 2 + 2 * 2 + 4 * 2
    systems = found["cost"]["linear_systems"]
    assert [(one["level"], one["unknowns"]) for one in systems] == [("firm2", 6), ("firm3", 2)]


def test_a_step_is_measured(shell, game):
    measured = explained(shell, "game.mlo")["cost"]["measured"]
    assert measured["steps"] >= 1
    assert measured["start_evaluations"]["leader"] == 1
    assert measured["evaluations"]["leader"] >= 1
    assert measured["seconds"] > 0


def test_a_named_strategy_is_the_one_explained(shell, game):
    found = explained(shell, "game.mlo", "--strategy", "implicit(linear_solver = cg)")
    assert found["strategy"]["chosen_by"] == "user"
    assert found["strategy"]["options"] == {"linear_solver": "cg"}
    assert [one["form"] for one in found["cost"]["linear_systems"]] == ["cg"]


def test_a_strategy_that_does_not_fit_is_explained_away(shell, game):
    found = explained(shell, "game.mlo", "--strategy", "tikhonov")
    assert found["strategy"] is None
    assert found["cost"] is None
    (obstacle,) = found["obstacles"]
    assert "that of level `follower` depends on `x`" in obstacle


def test_a_model_without_its_data_is_explained_as_far_as_it_goes(shell):
    code, out, err = shell("explain", "wine_poisoning")
    assert code == 0
    assert "warning[W901]" in err
    text = " ".join(out.split())
    assert "−mse(X + P, t, θ)" in text
    assert "wine ∈ ℝᴺˣ¹² (data)" in text
    assert "`wine` has no value yet. Give it with `--data wine=PATH`." in text


def test_what_cannot_be_solved_yet_is_explained_all_the_same(shell, game):
    game.write_text(
        "level a { var net : mlp(1, 2) minimize sumsq(net) + x^2 }\n"
        "level b { var x : real minimize x^2 subject to x >= 1 }"
    )
    code, out, _ = shell("explain", "game.mlo")
    text = " ".join(out.split())
    assert code == 0
    assert "subject to x ≥ 1" in text
    assert "network variables cannot be solved yet" in text


def test_a_model_with_constraints_is_explained_by_its_programs(shell, game):
    game.write_text(
        "level a { var x : real minimize x^2 + y subject to x >= 1 }\n"
        "level b { var y : real in [0, 9] minimize (y - x)^2 }"
    )
    code, out, _ = shell("explain", "game.mlo")
    text = " ".join(out.split())
    assert code == 0
    assert "kkt, chosen by auto" in text
    assert "Programs in up to 4 unknowns" in text


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["none.mlo"], "E003"),
        (["game.mlo", "--set", "d=1"], "E605"),
        (["game.mlo", "--set", "c=[1, 2]"], "E205"),
        (["game.mlo", "--strategy", "implicid"], "E502"),
        (["game.mlo", "--json=1"], "E703"),
        ([], "E703"),
    ],
)
def test_wrong_input_exits_with_2(shell, game, words, code):
    found, out, err = shell("explain", *words)
    assert (found, out) == (2, "")
    assert f"error[{code}]" in err
