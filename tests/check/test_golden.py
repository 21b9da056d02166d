"""Every diagnostic has a bad model, and says of it what its golden file holds.

`MLODSL_UPDATE_GOLDEN=1 pytest tests/check/test_golden.py` writes the golden files anew. Lines
of a model that begin with `#!` say what the caller gives: `#! set c = 2` a param, `#! shape X
= 3, 2` the shape of data that was read, `#! solve` that every value is needed.
"""

import os
import re
from pathlib import Path

import pytest

from mlodsl.check import GivenParam, check
from mlodsl.diagnostics import CODES, ModelError, Source, render_text
from mlodsl.syntax import parse_expression, parse_program

BAD = Path(__file__).parents[1] / "golden" / "bad"
MODELS = sorted(BAD.glob("*.mlo"))

# Found by rooms after the checker, or in other inputs than models: tested there.
ELSEWHERE = {code for code in CODES if re.match("E003|E601|E602|E607|E7|E8", code)}


def diagnose(path: Path) -> str:
    """What parsing and checking say about a model file."""
    source = Source(path.name, path.read_text(encoding="utf-8"))
    given: dict[str, GivenParam] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    for word, name, value in re.findall(r"^#! (set|shape) (\w+) = (.*)$", source.text, re.M):
        if word == "set":
            expression = parse_expression(Source(f"--set {name}", value))
            given[name] = GivenParam(expression=expression)
        else:
            shapes[name] = tuple(map(int, value.split(",")))
    program, diagnostics = parse_program(source)
    if program is not None:
        _, diagnostics = check(
            program,
            given_params=given,
            data_shapes=shapes,
            require_values="#! solve" in source.text,
        )
    return render_text(diagnostics) + "\n"


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_bad_model_is_diagnosed_as_its_golden_file_says(path: Path) -> None:
    golden = path.with_suffix(".txt")
    found = diagnose(path)
    if os.environ.get("MLODSL_UPDATE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_bad_model_shows_the_code_of_its_name_and_no_other(path: Path) -> None:
    golden = path.with_suffix(".txt").read_text(encoding="utf-8")
    codes = set(re.findall(r"^(?:error|warning)\[(\w+)\]", golden, re.M))
    assert codes - {"W901"} <= {path.stem[:4]} and path.stem[:4] in codes


def test_every_code_has_a_bad_model() -> None:
    assert set(CODES) - ELSEWHERE == {path.stem[:4] for path in MODELS}


def test_an_unreadable_value_is_a_model_error() -> None:
    with pytest.raises(ModelError):
        parse_expression(Source("--set c", "1 +"))
