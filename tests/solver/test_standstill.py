"""What is said of a point where the gradient is small and the minimum isn't there."""

import pytest

import mlodsl

FLAT = "it flattens out along `{}` towards infinity; bound that with a domain (`in [a, b]`)"


def message(text: str) -> str:
    result = mlodsl.compile(text).solve()
    assert result.status == "stalled", result.message
    return result.message


@pytest.mark.parametrize(
    ("text", "along"),
    [
        ("level t { var lam : real minimize 1 + exp(-lam) }", "lam"),
        ("level t { var x : real[2] = 1 minimize 1 / x[0]^2 + (x[1] - 1)^2 }", "x[0]"),
        # The gradient's own direction is curved by the other variable.
        (
            "level t { var lam : real[2] minimize (w - 1)^2 + exp(-lam[1]) }"
            "level l { var w : real minimize (w - 3)^2 + exp(lam[0]) * w^2 }",
            "lam[1]",
        ),
        ("level t { var x : real maximize 1 - exp(-x) }", "x"),
    ],
    ids=["exponentially", "by a power", "one of two", "maximised"],
)
def test_an_objective_that_flattens_out_is_to_be_bounded(text: str, along: str) -> None:
    assert FLAT.format(along) in message(text)


def test_a_degenerate_minimum_is_not_called_one_in_small_units() -> None:
    found = message("level t { var x : real[2] = 1 minimize (x[0] - 0.3)^4 + (x[1] - 2)^2 }")
    assert "its minimum is degenerate" in found and "small units" not in found


def test_a_minimum_in_small_units_is_called_so() -> None:
    found = message("level t { var x : real = 1 minimize 1e-12 * ((x - 50)^2 + x^4 / 1e4) }")
    assert "its objective is written in small units" in found
