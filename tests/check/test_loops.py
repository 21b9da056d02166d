"""`for`: what it walks, what its indices may do, and which of them must be known."""

import pytest

from mlodsl.check import UsedAs
from mlodsl.diagnostics import Source
from mlodsl.syntax import parse_expression

from .checking import checked, diagnose, errors, in_level

RIGHT = [
    "sum(x[i] * w[i + 1] for i in range(3))",
    "sum(x[i - 1] for i in range(3))",
    "sum(x[2 - i] for i in range(3))",
    "sum(A[i, j] for i in range(rows(A)) for j in range(i))",
    "sum(x[j - i] for i in range(3) for j in range(i, 3))",
    "sum(a @ w + b for a, b in (A, x))",
    "sum(row for row in A)",
    "sum(x[k] for k in [0, 2])",
    "sum(sum(w[:i + 1]) for i in range(4))",
    "sum(w[i : i + 2] @ ones(2) for i in range(3))",
    "sum(sum(zeros(i)) for i in range(3))",
    "max(x[i]^2 for i in range(2, -1, -1))",
    "logsumexp(a * x for a in w)",
    "sum(x[abs(i - 1)] for i in range(3))",
    "sum(x[i] for i in range(0))",
]

WRONG = [
    ("sum(x[i + 1] for i in range(3))", "E206", "x[i + 1]"),
    ("sum(x[2 * i] for i in range(3))", "E206", "x[2 * i]"),
    ("sum(x[i + j] for i in range(2) for j in range(3))", "E206", "x[i + j]"),
    ("sum(x[i - 5] for i in range(3))", "E206", "x[i - 5]"),
    ("sum(x[k] for k in [0, 3])", "E206", "x[k]"),
    ("sum(w[i : i + 2] @ ones(2) for i in range(4))", "E201", "w[i : i + 2] @ ones(2)"),
    ("sum(sum(w[:i] for i in range(3)))", "E201", "w[:i]"),
    ("sum(a * b for a, b in (x, w))", "E201", "(x, w)"),
    ("sum(a for a in s)", "E201", "s"),
    ("sum(a for a in (x, x))", "E204", "(x, x)"),
    ("mean(x[i] for i in range(0))", "E204", "mean(x[i] for i in range(0))"),
    ("sum(x[i] for i in range(s))", "E208", "s"),
    ("sum(zeros(x[i])[0] for i in range(3))", "E208", "x[i]"),
    ("sum(x[a] for a in x)", "E208", "a"),
    ("sum(i for i in range(20000) for j in range(i))", "E004", "for i in range(20000)"),
]


@pytest.mark.parametrize("expression", RIGHT)
def test_a_right_loop_is_accepted(expression: str) -> None:
    assert errors(in_level(expression)) == []


@pytest.mark.parametrize(("expression", "code", "place"), WRONG)
def test_a_wrong_loop_is_refused(expression: str, code: str, place: str) -> None:
    assert errors(in_level(expression)) == [(code, place)]


def test_an_index_is_out_of_range_only_where_it_is_for_certain() -> None:
    # Both ends of `i - j` are reached only where the two are independent.
    assert errors(in_level("sum(x[i - j + 2] for i in range(3) for j in range(i, 3))")) == []


def test_a_loop_that_is_unrolled_says_for_which_index_it_fails() -> None:
    _, (finding,) = diagnose(in_level("sum(w[i : i + 2] @ ones(2) for i in range(4))"))
    assert finding.message.endswith("(for `i` = 3)")


def test_a_loop_of_the_sum_of_a_loop_costs_no_more_than_both() -> None:
    depth = 40
    loops = "".join("sum(" for _ in range(depth)) + "x[i0]"
    loops += "".join(f" for i{depth - 1 - k} in range(3))" for k in range(depth))
    assert errors(in_level(loops)) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x[i] * i", UsedAs.INDEX),
        ("i^2", UsedAs.VALUE),
        ("x[:i]", UsedAs.STATIC),
        ("sum(x[j] for j in range(i))", UsedAs.STATIC),
        ("zeros(2, i)", UsedAs.STATIC),
        ("sum(A, axis = i)", UsedAs.STATIC),
        ("first(x, i)", UsedAs.STATIC),
        ("second(x, 2 * i)", UsedAs.STATIC),
        ("third(i)", UsedAs.VALUE),
    ],
)
def test_how_an_index_is_used_is_told_from_the_text(expression: str, expected: UsedAs) -> None:
    lets = "let first(v, n) = sum(v[:n])\nlet second(v, m) = first(v, m + 1)\nlet third(u) = u^2\n"
    model = checked(in_level("first(x, 1) + second(x, 1) + third(1)", lets))
    node = parse_expression(Source("expression", expression))
    assert model.index_use.used_as("i", node) is expected
