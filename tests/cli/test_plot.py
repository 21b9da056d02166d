import json
import sys

import pytest

RESULT = {
    "format": 1,
    "model": "game",
    "status": "converged",
    "variables": {"x": 0.5, "y": [0.1, 0.2], "P": [[1, -1], [0, "nan"]]},
    "certificate": {
        "levels": {
            "leader": {"gradient_norm": 1e-9, "min_curvature": 2.0},
            "follower": {"gradient_norm": None, "min_curvature": None},
        }
    },
}
STEPS = [
    {"step": n, "seconds": 0.1 + n, "objective": -n, "hypergradient_norm": 10.0**-n}
    for n in range(3)
]
COMPARISON = {
    "model": "game",
    "best": "auto",
    "comparison": [
        {"strategy": "auto", "objective": -2, "hypergradient_norm": 1e-3},
        {"strategy": "itd", "status": "refused"},
    ],
    "traces": [STEPS, None],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a result, a trace and a comparison."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "result.json").write_text(json.dumps(RESULT))
    (tmp_path / "trace.jsonl").write_text("".join(json.dumps(step) + "\n" for step in STEPS))
    (tmp_path / "runs.json").write_text(json.dumps(COMPARISON))
    return tmp_path


@pytest.mark.parametrize("name", ["result.json", "trace.jsonl", "runs.json"])
def test_a_picture_is_written_beside_the_file(shell, folder, name):
    code, out, err = shell("plot", name)
    picture = folder / name.replace(".jsonl", ".png").replace(".json", ".png")
    assert (code, out, err) == (0, f"{picture.name}\n", "")
    content = picture.read_bytes()
    assert content.startswith(b"\x89PNG")
    # Width and height in the file's header: no less than a thousand by four hundred dots.
    assert int.from_bytes(content[16:20]) >= 1000
    assert int.from_bytes(content[20:24]) >= 400
    assert len(content) > 10_000


@pytest.mark.parametrize(
    ("ending", "head"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("PNG", b"\x89")]
)
def test_the_ending_says_what_kind_of_picture(shell, folder, ending, head):
    assert shell("plot", "trace.jsonl", "--out", f"a.{ending}")[0] == 0
    assert (folder / f"a.{ending}").read_bytes().startswith(head)


def test_a_picture_of_the_same_file_has_the_same_bytes(shell, folder):
    for name in ("a.svg", "b.svg"):
        assert shell("plot", "result.json", "--out", name)[0] == 0
    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes()


def test_a_trace_is_drawn_below_its_result(shell, folder):
    assert shell("plot", "result.json", "--out", "a.png")[0] == 0
    assert shell("plot", "result.json", "--trace", "trace.jsonl", "--out", "b.png")[0] == 0
    alone, both = ((folder / name).read_bytes()[20:24] for name in ("a.png", "b.png"))
    assert int.from_bytes(both) > 1.5 * int.from_bytes(alone)


@pytest.mark.parametrize(
    "variables",
    [
        {"x": "nan"},
        {"x": "inf", "y": [1]},
        {"x": [["inf", "nan"], ["nan", 1]]},
        {"x": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]},
        {"x": list(range(100))},
        {f"x{n}": [n, n] for n in range(20)},
    ],
    ids=["nan", "inf", "matrix", "cube", "long", "many"],
)
def test_any_variables_can_be_drawn(shell, folder, variables):
    (folder / "r.json").write_text(json.dumps({"variables": variables}))
    assert shell("plot", "r.json") == (0, "r.png\n", "")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (None, "it cannot be read: No such file"),
        (b"\xff\xfe", "it is not a text"),
        (b"", "it is no result, no trace and no comparison"),
        (b"{", "it is no result, no trace and no comparison"),
        (b"[1, 2]", "it is no result, no trace and no comparison"),
        (b'{"variables": {}}', "it holds no `variables`"),
        (b'{"variables": [1]}', "it holds no `variables`"),
        (b'{"variables": {"x": "seven"}}', "`x` is not an array of numbers"),
        (b'{"variables": {"x": [[1], [1, 2]]}}', "`x` is not an array of numbers"),
        (b'{"variables": {"x": 1}, "certificate": 3}', "it is damaged"),
        (b'{"comparison": []}', "it has no `traces`"),
        (b'{"step": 0}', "line 1 holds no number `seconds`"),
        (json.dumps(STEPS[0]).encode() + b'\n{"step": 1, "sec', "line 2 is not JSON"),
        (b"[" * 100_000, "it is no result"),
    ],
)
def test_a_damaged_file_is_a_diagnostic(shell, folder, content, part):
    if content is not None:
        (folder / "a.json").write_bytes(content)
    code, out, err = shell("plot", "a.json")
    assert (code, out) == (2, "")
    assert err.startswith("error[E706]: `a.json` cannot be drawn: ")
    assert part in err
    assert not (folder / "a.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["result.json", "--out", "a.jpg"], "E704]: `a.jpg` cannot be written: pictures end in"),
        (["result.json", "--out", "-"], "E704]: `-` cannot be written"),
        (["result.json", "--out", "none/a.png"], "E704]: `none/a.png` cannot be written"),
        (["."], "E706]"),
        (["result.json", "--trace", "runs.json"], "E706]: `runs.json` is no trace"),
        (["result.json", "--trace", "none.jsonl"], "E706]: `none.jsonl` cannot be drawn"),
        (["trace.jsonl", "--trace", "trace.jsonl"], "E702]: `--trace` stands beside a result"),
        ([], "E703]"),
    ],
)
def test_a_wrong_command_line_is_a_diagnostic(shell, folder, words, message):
    code, out, err = shell("plot", *words)
    assert (code, out) == (2, "")
    assert f"error[{message}" in err


def test_without_matplotlib_the_way_out_is_named(shell, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = shell("plot", "result.json")
    assert (code, out) == (2, "")
    assert "error[E708]" in err and "pip install 'mlodsl[plot]'" in err
