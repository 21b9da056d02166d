"""Reads `--sweep NAME=SPEC`: which values a param takes, one after the other."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlodsl.check import CheckedModel
from mlodsl.diagnostics import Diagnostic, ModelError, Source, Span
from mlodsl.settings.constants import NotConstant, evaluate_number
from mlodsl.syntax import parse_expression
from mlodsl.syntax.nodes import Expression, ListLiteral

from .command import Flag

SWEEP = Flag(
    "--sweep",
    "solve for many values of a param: START:STOP:N, START:STOP:log:N, or a list [v1, v2]; "
    "several make a grid",
    "NAME=SPEC",
    repeats=True,
)

_WAY = "write `NAME=START:STOP:N`, `NAME=START:STOP:log:N` or `NAME=[v1, v2, …]`"
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Sweep:
    """The values that one param takes.

    Arguments:
        place: of the param's name in the flag.
        values: along the first axis.
        first: the first of them, as an expression.
    """

    name: str
    place: Span
    values: np.ndarray
    first: Expression


def read_sweeps(flags: Sequence[str], given: Sequence[str]) -> list[Sweep]:
    """What the flags say.

    Arguments:
        given: what `--set` flags say, whose params can't be swept too.

    Raises:
        ModelError: E702 for a flag that can't be read, E506 for a param that is given twice.
    """
    found: list[Sweep] = []
    wrong: list[Diagnostic] = []
    taken = {text.partition("=")[0].strip() for text in given}
    for flag in flags:
        try:
            sweep = _read(Source("--sweep", flag))
        except ModelError as error:
            wrong += error.diagnostics
            continue
        before = {one.name for one in found}
        if sweep.name in before | taken:
            twice = "swept twice" if sweep.name in before else "given by `--set` too"
            message = f"`{sweep.name}` is {twice}"
            wrong.append(Diagnostic("E506", message, sweep.place, "remove one of the two"))
        found.append(sweep)
    count = math.prod(len(sweep.values) for sweep in found)
    if not wrong and count > _MOST:
        text = f"the grid has {count} instances, more than {_MOST}"
        wrong.append(Diagnostic("E702", text, found[-1].place, "take fewer values of each param"))
    if wrong:
        raise ModelError(wrong)
    return found


def grid(sweeps: Sequence[Sweep]) -> dict[str, np.ndarray]:
    """Each param's values at all points of the grid; the last param changes fastest."""
    places = itertools.product(*(range(len(sweep.values)) for sweep in sweeps))
    columns = zip(*places, strict=True)
    return {
        sweep.name: sweep.values[list(column)]
        for sweep, column in zip(sweeps, columns, strict=True)
    }


def verify_sweeps(sweeps: Sequence[Sweep], checked: CheckedModel) -> None:
    """Raises where the model's params can't take such values.

    Raises:
        ModelError: E606.
    """
    params = {info.name: info for info in checked.params}
    wrong = []
    for sweep in sweeps:
        info = params[sweep.name]
        shape = tuple(info.shape or ())
        if info.kind == "int":
            message = (
                f"`{sweep.name}` is a whole number, which sets sizes: its values can't share "
                "compiled code"
            )
            hint = f"run `mlodsl solve` with `--set {sweep.name}=…` for each value"
        elif sweep.values.shape[1:] != shape:
            sizes = [f"[{', '.join(map(str, one))}]" for one in (shape, sweep.values.shape[1:])]
            message = f"`{sweep.name}` has shape {sizes[0]}, but its values have shape {sizes[1]}"
            hint = "give a list of such values" if shape else "give a list of numbers, or a range"
        else:
            continue
        wrong.append(Diagnostic("E606", message, sweep.place, hint))
    if wrong:
        raise ModelError(wrong)


def _read(source: Source) -> Sweep:
    text = source.text
    name, equals, spec = text.partition("=")
    if not equals or not _WORD.fullmatch(name.strip()) or not spec.strip():
        raise _wrong(source, 0, len(text), f"`--sweep {text}` is not of the form `NAME=SPEC`", _WAY)
    begin = text.find(name.strip())
    place = Span(source, begin, begin + len(name.strip()))
    start = len(name) + 1
    if spec.lstrip().startswith("["):
        values, first = _read_list(source, start)
    else:
        values = _read_range(source, start)
        literal = Source("--sweep", f"{name.strip()}={float(values[0])!r}")
        first = parse_expression(literal, len(name.strip()) + 1)
    return Sweep(name.strip(), place, values, first)


def _read_list(source: Source, start: int) -> tuple[np.ndarray, Expression]:
    expression = parse_expression(source, start)
    span = expression.span
    if not isinstance(expression, ListLiteral) or not expression.items:
        raise _wrong(source, span.start, span.end, "the list of values is empty", _WAY)
    numbers = _numbers(expression)
    try:
        values = np.array(numbers, float)
    except ValueError:
        message = "the values in the list differ in shape"
        raise _wrong(source, span.start, span.end, message, "give values of one shape") from None
    first = expression.items[0]
    return values, first


def _numbers(expression: Expression) -> object:
    if isinstance(expression, ListLiteral):
        return [_numbers(item) for item in expression.items]
    try:
        return evaluate_number(expression)
    except NotConstant:
        message = f"`{expression.span.text}` is not a number"
        diagnostic = Diagnostic("E702", message, expression.span, "write a number")
        raise ModelError([diagnostic]) from None


def _read_range(source: Source, start: int) -> np.ndarray:
    """START:STOP:N, with `lin` or `log` before N."""
    text = source.text
    pieces = [(match.start(), match[0]) for match in re.finditer(r"[^:]+", text[start:])]
    count = text[start:].count(":") + 1
    if count != len(pieces) or count not in (3, 4):
        message = f"`{text[start:].strip()}` is no range and no list"
        raise _wrong(source, start, len(text), message, _WAY)
    places = [(start + offset, start + offset + len(piece)) for offset, piece in pieces]
    words = [piece.strip() for _, piece in pieces]
    least, largest = (_number(source, place) for place in places[:2])
    scale = words[2] if count == 4 else "lin"
    if scale not in ("lin", "log"):
        raise _wrong(source, *places[2], f"`{scale}` is not a scale", "write `lin` or `log`")
    if not re.fullmatch(r"[0-9]+", words[-1]) or int(words[-1]) == 0:
        message = f"`{words[-1]}` is not a number of values"
        raise _wrong(source, *places[-1], message, "write a whole number from 1 on")
    if scale == "log" and not (least > 0 and largest > 0):
        bad = places[0] if not least > 0 else places[1]
        message = "a range that is even in the logarithm has ends above 0"
        raise _wrong(source, *bad, message, "write `lin`, or ends above 0")
    number = int(words[-1])
    if number > _MOST:
        message = f"{number} values are more than {_MOST}"
        raise _wrong(source, *places[-1], message, "take fewer")
    if number == 1 and least != largest:
        message = "a range with two ends has at least 2 values"
        hint = f"write `[{words[0]}]` for one value"
        raise _wrong(source, *places[-1], message, hint)
    spaced = np.geomspace if scale == "log" else np.linspace
    return np.asarray(spaced(least, largest, number), float)


def _number(source: Source, place: tuple[int, int]) -> float:
    word = source.text[slice(*place)].strip()
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        message = f"`{word}` is not a finite number"
        raise _wrong(source, *place, message, "write a number, e.g. `0.1`")
    return value


def _wrong(source: Source, start: int, stop: int, message: str, hint: str) -> ModelError:
    return ModelError([Diagnostic("E702", message, Span(source, start, stop), hint)])
