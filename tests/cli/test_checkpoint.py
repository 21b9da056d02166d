import json

import pytest

from mlodsl.solver.checkpoint import FILE_NAME

WORDS = ("solve", "game.mlo", "--quiet", "--out", "-", "--checkpoint", "saved")


@pytest.fixture
def saved(shell, game):
    """The checkpoint of a finished run."""
    assert shell(*WORDS)[0] == 0
    return game.parent / "saved" / FILE_NAME


def test_a_finished_run_is_not_run_again(shell, saved):
    _, out, _ = shell(*WORDS, "--trace", "trace.jsonl")
    assert json.loads(out)["status"] == "converged"
    assert (saved.parents[1] / "trace.jsonl").read_text() == ""


def test_an_interrupted_run_is_resumed(shell, game, monkeypatch):
    from mlodsl.cli.progress import Silent

    def interrupt(self, step):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Silent, "step", interrupt)
        assert shell(*WORDS)[0] == 130
    code, out, _ = shell(*WORDS, "--trace", "trace.jsonl")
    assert code == 0
    assert json.loads(out)["variables"]["x"] == pytest.approx(0.5, abs=1e-8)
    first = json.loads((game.parent / "trace.jsonl").read_text().splitlines()[0])
    assert first["step"] == 1


def test_a_finished_run_goes_on_under_other_limits(shell, saved):
    code, out, _ = shell(*WORDS, "--set", "solve.tolerance=1e-14", "--set", "solve.timeout=60")
    assert (code, json.loads(out)["status"]) == (0, "converged")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--set", "c=2"], "the param `c` differs"),
        (["--set", "solve.seed=1"], "the option `seed` differs"),
        (["--strategy", "implicit"], "the option `strategy` differs"),
        (["--set", "solve.level.follower.steps=3"], "the options of level `follower` differ"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_and_kept(shell, saved, words, what):
    before = saved.read_bytes()
    code, out, err = shell(*WORDS, *words)
    assert (code, out) == (2, "")
    assert err.startswith("error[E705]")
    assert what in err
    assert saved.read_bytes() == before


def test_a_checkpoint_of_another_model_is_refused(shell, saved, game):
    game.write_text(game.read_text().replace("y^2", "2 * y^2"))
    code, _, err = shell(*WORDS)
    assert code == 2
    assert "is of another run: the model's text differs" in err


def test_comments_and_the_layout_are_no_other_model(shell, saved, game):
    game.write_text("# the same\n" + game.read_text().replace("  ", " "))
    assert shell(*WORDS)[0] == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:-10],
        lambda raw: raw[:100],
        lambda raw: raw.replace(b"NUMPY", b"NUMPI", 1),
        lambda raw: b"[]\n" + raw,
    ],
    ids=["empty", "cut", "cut in the head", "flipped", "not an object"],
)
def test_a_damaged_checkpoint_is_a_diagnostic(shell, saved, damage):
    saved.write_bytes(damage(saved.read_bytes()))
    code, _, err = shell(*WORDS)
    assert code == 2
    assert "is damaged, or no checkpoint" in err


def test_a_folder_that_cannot_be_made_is_a_diagnostic(shell, game):
    game.with_name("saved").write_text("a file")
    code, _, err = shell(*WORDS)
    assert code == 2
    assert err.startswith("error[E705]: the folder `saved` can't be used")


def test_several_starts_are_not_saved(shell, game):
    code, out, err = shell(*WORDS, "--set", "solve.starts=3")
    assert (code, out) == (2, "")
    assert "a run from several starts (`starts = 3`) can't be saved yet" in err
    assert not (game.parent / "saved").exists()
