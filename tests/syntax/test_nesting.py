"""Deep nesting is read, or refused with its place; it is never slow and never a traceback."""

import gc
import time

import pytest

from mlodsl.diagnostics import Diagnostic, ModelError, Source
from mlodsl.syntax import format_expression, parse_expression, parse_program, walk
from mlodsl.syntax.engine import MAXIMUM_DEPTH

DEEP = {
    "parentheses": "(" * 100_000 + "x" + ")" * 100_000,
    "unclosed parentheses": "(" * 100_000,
    "closing parentheses": "x" + ")" * 100_000,
    "brackets": "[" * 100_000 + "]" * 100_000,
    "calls": "f(" * 50_000 + "x" + ")" * 50_000,
    "signs": "-" * 100_000 + "x",
    "powers": "x" + "^x" * 50_000,
    "indices": "x" + "[0]" * 50_000,
    "transposes": "A" + ".T" * 50_000,
}


def read(text: str) -> tuple[Diagnostic, ...]:
    return parse_program(Source("test.mlo", f"let a = {text}\nlet b = = 2"))[1]


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_endless_nesting_is_refused_within_a_second(text: str) -> None:
    # What the tests before have left in memory would be walked by the collector: not ours.
    gc.collect()
    gc.freeze()
    begin = time.process_time()
    assert read(text)
    assert time.process_time() - begin < 1
    gc.unfreeze()


@pytest.mark.parametrize("name", ["parentheses", "calls", "signs", "powers", "indices"])
def test_endless_nesting_has_its_code_and_line(name: str) -> None:
    first = read(DEEP[name])[0]
    assert first.span is not None
    assert (first.code, first.span.source.position(first.span.start)[0]) == ("E004", 1)


def test_reading_goes_on_after_endless_nesting() -> None:
    assert [diagnostic.code for diagnostic in read(DEEP["signs"])] == ["E004", "E002"]


def test_moderate_nesting_is_read() -> None:
    source = Source("expression", "(x + " * 90 + "x" + ")" * 90)
    assert sum(1 for _ in walk(parse_expression(source))) == 181


@pytest.mark.parametrize("opening", ["-(", "f(", "[", "2^(", "1 + (", "x[", "f(k = "])
def test_what_is_read_is_never_deeper_than_the_limit(opening: str) -> None:
    closing = {"[": "]", "(": ")", " ": ")"}[opening[-1]]
    for depth in range(1, MAXIMUM_DEPTH + 10):
        source = Source("expression", opening * depth + "x" + closing * depth)
        try:
            parse_expression(source)
        except ModelError as error:
            assert error.diagnostics[0].code == "E004"
            return
    pytest.fail("nesting has no limit")


def test_a_long_program_is_read_in_linear_time() -> None:
    text = "".join(f"let a{number} = {number} * x + 1\n" for number in range(5000))
    begin = time.perf_counter()
    program, _ = parse_program(Source("test.mlo", text))
    assert program is not None
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize("opening", ["-(", "f(", "[", "2^(", "1 + (", "x[", "f(k = "])
def test_the_deepest_expression_that_is_read_is_formatted(opening: str) -> None:
    closing = {"[": "]", "(": ")", " ": ")"}[opening[-1]]
    deepest = None
    for depth in range(1, MAXIMUM_DEPTH):
        text = opening * depth + "x" + closing * depth
        try:
            deepest = parse_expression(Source("expression", text))
        except ModelError:
            break
    assert deepest is not None
    assert parse_expression(Source("again", format_expression(deepest))) == deepest
