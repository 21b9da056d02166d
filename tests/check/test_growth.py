"""Reading and checking cost time and memory in proportion to a model's length."""

import cProfile
import pstats
import tracemalloc
from collections.abc import Callable

import pytest

from mlodsl.check import check
from mlodsl.diagnostics import Source, render_text
from mlodsl.syntax import parse_program


def model(body: str, objective: str, before: str = "") -> str:
    return f"{before}level top {{\n  var x : real = 1\n{body}  minimize {objective}\n}}\n"


def one_sum(lines: int) -> str:
    return model("", "x^2" + "".join(f"\n    + {i}.5 * sin(x + {i})" for i in range(lines)))


def lets_in_a_row(lines: int) -> str:
    lets = "".join(f"  let y{i + 1} = y{i} * 2 + x\n" for i in range(lines))
    return model("  let y0 = x\n" + lets, f"y{lines}")


def lets_of_all_variables_so_far(lines: int) -> str:
    pairs = (f"  var x{i} : real\n  let y{i + 1} = y{i} + x{i}\n" for i in range(lines // 2))
    return model("  let y0 = x\n" + "".join(pairs), f"y{lines // 2}^2")


def functions(lines: int) -> str:
    declared = "".join(
        f"let f{i}(a, b) = sum(a * b[j] for j in range(3)) - {i}\n" for i in range(lines)
    )
    return model("", " + ".join(f"f{i}(x, [1, 2, x])" for i in range(lines)), declared)


def constraints(lines: int) -> str:
    stated = "".join(f"  subject to c{i} : x + {i} <= maximum({i}, 2)\n" for i in range(lines))
    return model(stated, "x^2")


def levels(lines: int) -> str:
    return "".join(
        f"level l{i} {{\n  var x{i} : real\n  minimize (x{i} - {i})^2\n}}\n"
        for i in range(lines // 4)
    )


def numbers(lines: int) -> str:
    rows = ",\n".join(f"[{i}, 2.5, -1e-3]" for i in range(lines))
    return model("", "x^2 * sum(t)", f"let t = [\n{rows}]\n")


def unknown_names(lines: int) -> str:
    declared = "".join(f"let value{i} = {i}\n" for i in range(lines))
    return model("", " + ".join(f"valeu{i} * value{i} * x" for i in range(lines)), declared)


SHAPES = [
    one_sum,
    lets_in_a_row,
    lets_of_all_variables_so_far,
    functions,
    constraints,
    levels,
    numbers,
    unknown_names,
]


def read(text: str) -> None:
    program, found = parse_program(Source("test.mlo", text))
    assert program is not None, found
    check(program)


def calls_of(text: str) -> int:
    """Function calls that reading and checking take: a cost that no other process disturbs."""
    profile = cProfile.Profile()
    profile.enable()
    read(text)
    profile.disable()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_four_times_the_lines_take_four_times_the_work(shape: Callable[[int], str]) -> None:
    assert calls_of(shape(400)) < 4.4 * calls_of(shape(100))


def test_the_dependence_of_lets_on_variables_takes_little_memory() -> None:
    def peak(lines: int) -> int:
        program, _ = parse_program(Source("test.mlo", lets_of_all_variables_so_far(lines)))
        assert program is not None
        tracemalloc.start()
        check(program)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    # As sets of names they took 13 times the memory.
    assert peak(2000) < 6 * peak(500)


def test_many_errors_on_one_line_are_shown_in_linear_space() -> None:
    def shown(count: int) -> int:
        text = model("", " + ".join(f"unknown{i:04}" for i in range(count)))
        program, _ = parse_program(Source("test.mlo", text))
        assert program is not None
        return len(render_text(check(program)[1]))

    assert shown(2000) < 4.4 * shown(500)
