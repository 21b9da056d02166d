import io
import os
import sys

import pytest

UGLY = "level a{var x:real minimize x^2}"
PRETTY = "level a {\n  var x : real\n  minimize x^2\n}\n"


@pytest.fixture
def ugly(game):
    game.write_text(UGLY)
    return game


def test_a_file_is_formatted_in_place(shell, ugly):
    assert shell("fmt", "game.mlo") == (0, "", "formatted game.mlo\n")
    assert ugly.read_text() == PRETTY


def test_a_formatted_file_is_left_alone(shell, ugly):
    shell("fmt", "game.mlo")
    before = ugly.stat()
    assert shell("fmt", "game.mlo") == (0, "", "")
    assert ugly.stat().st_mtime_ns == before.st_mtime_ns
    assert ugly.stat().st_ino == before.st_ino


def test_check_changes_nothing_and_names_what_would_change(shell, ugly):
    assert shell("fmt", "--check", "game.mlo") == (1, "would format game.mlo\n", "")
    assert ugly.read_text() == UGLY


def test_check_exits_with_0_where_nothing_would_change(shell, ugly):
    shell("fmt", "game.mlo")
    assert shell("fmt", "--check", "game.mlo") == (0, "", "")


def test_line_ends_and_byte_order_marks_are_mended(shell, game):
    game.write_bytes(b"\xef\xbb\xbf" + PRETTY.replace("\n", "\r\n").encode())
    assert shell("fmt", "--check", "game.mlo")[0] == 1
    shell("fmt", "game.mlo")
    assert game.read_bytes() == PRETTY.encode()


def test_permissions_are_kept(shell, ugly):
    ugly.chmod(0o640)
    shell("fmt", "game.mlo")
    assert ugly.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(shell, ugly):
    link = ugly.with_name("link.mlo")
    link.symlink_to(ugly)
    shell("fmt", "link.mlo")
    assert link.is_symlink()
    assert ugly.read_text() == PRETTY


def test_a_file_with_errors_is_left_alone(shell, game):
    game.write_text("level a{var x:real minimize }")
    code, out, err = shell("fmt", "game.mlo")
    assert (code, out) == (2, "")
    assert err.startswith("error[E002]")
    assert game.read_text() == "level a{var x:real minimize }"


def test_errors_of_meaning_do_not_hinder_formatting(shell, game):
    game.write_text("level a{var x:real minimize z}")
    assert shell("fmt", "game.mlo")[0] == 0


def test_other_files_are_formatted_beside_one_with_errors(shell, ugly):
    ugly.with_name("bad.mlo").write_text("level")
    code, _, _ = shell("fmt", "bad.mlo", "game.mlo")
    assert code == 2
    assert ugly.read_text() == PRETTY


def test_standard_input_goes_to_standard_output(shell, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UGLY.encode())))
    assert shell("fmt", "-") == (0, PRETTY, "")


def test_ready_models_are_not_formatted_by_name(shell, game):
    code, _, err = shell("fmt", "stackelberg3")
    assert code == 2
    assert err.startswith("error[E003]: `stackelberg3` cannot be read")


def test_a_missing_file_gets_the_nearest_name_suggested(shell, game):
    assert "did you mean `game.mlo`?" in shell("fmt", "gane.mlo")[2]


def test_nothing_is_left_beside_the_file(shell, ugly):
    shell("fmt", "game.mlo")
    assert os.listdir(ugly.parent) == ["game.mlo"]


def test_a_failed_write_leaves_the_file_as_it_was(shell, ugly, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    code, _, err = shell("fmt", "game.mlo")
    assert code == 2
    assert "error[E704]: `game.mlo` cannot be written: No space left on device" in err
    assert ugly.read_text() == UGLY
    assert os.listdir(ugly.parent) == ["game.mlo"]
