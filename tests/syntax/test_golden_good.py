"""Models as people write them, beside their canonical layout in `NAME.formatted`."""

from pathlib import Path

import pytest

from mlodsl.syntax import decode, format_program, parse_program

FOLDER = Path(__file__).parents[1] / "golden" / "good"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.mlo")), ids=lambda path: path.stem)
def test_a_good_model_has_its_canonical_layout(path: Path) -> None:
    program, diagnostics = parse_program(decode(path.name, path.read_bytes()))
    assert program is not None, diagnostics
    expected = path.with_suffix(".formatted").read_text(encoding="utf-8")
    assert format_program(program) == expected
