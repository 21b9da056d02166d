"""How a place in a text is shown."""

import pytest

from mlodsl.diagnostics import Diagnostic, Source, Span, render_text


def shown(text: str, start: int, end: int) -> tuple[str, str]:
    """The line of the text and the line of carets below it, without their gutters."""
    source = Source("test.mlo", text)
    *_, line, carets = render_text(
        [Diagnostic("E102", "unknown name", Span(source, start, end))]
    ).splitlines()
    return line.removeprefix("1 | "), carets.removeprefix("  | ")


@pytest.mark.parametrize("start", [0, 150, 2500, 4850, 4995])
def test_of_a_very_long_line_the_part_around_the_place_is_shown(start: int) -> None:
    text = "abcde" * 200 + "fghij" * 800
    line, carets = shown(text, start, start + 5)
    marked = line[carets.index("^") : carets.rindex("^") + 1]
    assert marked == text[start : start + 5]
    assert len(line) <= 202
    assert line.strip("…") in text


def test_a_line_of_ordinary_length_is_shown_whole() -> None:
    text = "minimize " + "x + " * 40 + "y"
    assert shown(text, 9, 10) == (text, " " * 9 + "^")


def test_a_place_that_is_longer_than_what_is_shown_is_marked_to_the_end() -> None:
    line, carets = shown("x" * 1000, 400, 990)
    assert len(carets) == len(line)
