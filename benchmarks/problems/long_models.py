"""Model texts of a given number of lines."""

from __future__ import annotations

_LEVELS = 3
_HEAD = (
    "model long",
    "param n : int = 4",
    "param m : int = 6",
    "let A = reshape(arange(m * n), m, n) / 10",
)


def long_model(lines: int) -> str:
    """A model of so many lines, at least 8, and of three levels if it has 16 or more.

    A block declares a param, a `let` that uses the block's before, a function with a sum over an
    index, and in one of the levels a `let` that calls it and a variable in a domain; it adds two
    lines to that level's objective. What is left over is filled with comments.
    """
    levels = _LEVELS if lines >= len(_HEAD) + 4 * _LEVELS else 1
    outside: list[str] = list(_HEAD)
    inside: list[list[str]] = [[f"  var x{k}_0 : real[n] = 0.1"] for k in range(levels)]
    terms: list[list[str]] = [[f"  minimize sumsq(x{k}_0 - mean(A))"] for k in range(levels)]
    length = len(outside) + 4 * levels
    block = 0
    while length + 7 <= lines:
        block += 1
        _add_block(block, outside, inside[block % levels], terms[block % levels])
        length += 7
    outside += ["# …"] * (lines - length)
    for level in range(levels):
        outside += [f"level l{level} {{", *inside[level], *terms[level], "}"]
    return "\n".join(outside) + "\n"


def _add_block(block: int, outside: list[str], inside: list[str], terms: list[str]) -> None:
    level, row, column = block % _LEVELS, block % 6, block % 4
    before = f"w{block - 1}" if block > 1 else "0.5"
    outside += [
        f"param c{block} = {1 + block % 7}.5  # the weight of block {block}",
        f"let w{block} = c{block} / (1 + {before}^2) + mean(A[:{1 + row}, {column}])",
        f"let f{block}(a, b) = sum(c{block} * a[j]^2 + b[j] * A[{row}, j] for j in range(n)) + "
        "dot(a, b)",
    ]
    variable, first = f"x{level}_{block}", f"x{level}_0"
    inside += [
        f"  let z{block} = f{block}({first}, A[{row}, :]) + w{block} * log1p(sumsq({first}))",
        f"  var {variable} : real[n] in [-{1 + row}, 10] = 0.1",
    ]
    above = f"x{max(level - 1, 0)}_0"
    terms += [
        f"    + z{block} / (1 + c{block}) + c{block} * sumsq({variable} - {above})",
        f"    + where(w{block} > 0, w{block}, -w{block}) * mean((A @ {variable} - "
        f"A[:, {column}])^2)",
    ]
