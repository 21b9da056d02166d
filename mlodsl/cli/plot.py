"""`mlodsl plot RESULT`: pictures of results, traces and comparisons."""

from __future__ import annotations

from pathlib import Path

from mlodsl.diagnostics import ModelError

from .command import Arguments, Command, Flag
from .drawable import drawing_of, read_drawable
from .inputs import wrong_value
from .picture_file import verify_picture, write_picture
from .terminal import say

_PLACE = "RESULT"


def plot(arguments: Arguments) -> int:
    """Draws a file and says where the picture is."""
    path, beside = arguments.words[0], arguments.one("--trace")
    out = arguments.one("--out")
    if out is None:
        out = str(Path(path).with_suffix(".png")) if Path(path).name else ""
    wrong = verify_picture("--out", out)
    content, trace = None, None
    try:
        content = read_drawable(_PLACE, path)
    except ModelError as error:
        wrong += error.diagnostics
    if beside is not None:
        try:
            trace = read_drawable("--trace", beside)
        except ModelError as error:
            wrong += error.diagnostics
    if trace is not None and not isinstance(trace, list):
        hint = "give a file that `mlodsl solve --trace` wrote"
        message = f"`{beside}` is no trace"
        wrong.append(wrong_value("--trace", str(beside), message, hint, code="E706"))
    elif trace is not None and not (isinstance(content, dict) and "variables" in content):
        message = f"`--trace` stands beside a result, and `{path}` is none"
        wrong.append(wrong_value("--trace", str(beside), message, f"write `mlodsl plot {beside}`"))
    if wrong or content is None:
        raise ModelError(wrong)
    steps = trace if isinstance(trace, list) else []
    write_picture("--out", out, drawing_of(_PLACE, path, content, steps))
    say(out)
    return 0


COMMAND = Command(
    name="plot",
    words="RESULT",
    least=1,
    most=1,
    doc="""Draws what other commands wrote: a result (`solve --out`: its variables, and the
    certificate of each level), a trace (`solve --trace`: objective and hypergradient norm, per
    step and per second), or a comparison (`compare --out`). What it is, is told by its content.

    Needs matplotlib, which `pip install 'mlodsl[plot]'` installs.""",
    flags=(
        Flag("--trace", "the trace of the same run, drawn below a result", "FILE"),
        Flag("--out", "the picture: .png, .svg or .pdf; else RESULT with .png", "FILE"),
    ),
    run=plot,
    examples=(
        ("mlodsl plot result.json", "writes result.png"),
        ("mlodsl plot result.json --trace trace.jsonl --out run.pdf", "both on one page"),
        ("mlodsl plot trace.jsonl", "how the run went"),
    ),
)
