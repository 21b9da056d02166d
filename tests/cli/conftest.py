import pytest

# x = y = c / 2.
GAME = """\
param c = 1

level leader {
  var x : real = 1
  minimize (x - c)^2 + y^2
}

level follower {
  var y : real
  minimize (y - x)^2
}
"""


@pytest.fixture
def game(tmp_path, monkeypatch):
    """A small game in the current folder, as `game.mlo`."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "game.mlo"
    path.write_text(GAME, encoding="utf-8")
    return path


@pytest.fixture
def shell(capsys):
    """Runs the program in process: exit code, standard output, standard error."""
    from mlodsl.cli import main

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run
