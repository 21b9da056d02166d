"""Which expressions are told to have finite derivatives whatever entries they get."""

import numpy as np
import pytest

from mlodsl.diagnostics import Source
from mlodsl.modules.finiteness import is_finite
from mlodsl.modules.scope import Scope
from mlodsl.modules.walks import Walks
from mlodsl.syntax import parse_expression

FINITE = [
    "x[i] * x[j] - 2 * x[i]^3",
    "exp(-(x[i] - x[j])^2 / 2)",
    "exp(-0.5 * sumsq(x))",
    "log(1 + x[i]^2)",
    "log1p(abs(x[i]))",
    "sqrt(x[i]^2 + x[j]^2 + 1e-3)",
    "x[i] / (i - j)",
    "x[i] / (1 + exp(-x[j]^2))",
    "log(i - j) * x[i]",
    "sum(tanh(x[k]) for k in range(i))",
]
NOT_FINITE = [
    "exp(x[i])",
    "exp(x[i] * x[j])",
    "log(x[i])",
    "log(x[i]^2)",
    "sqrt(x[i]^2)",
    "1 / x[i]",
    "x[i]^0.5",
    "x[i]^(-1)",
    "x[i]^x[j]",
    "log(1 - x[i]^2)",
    "exp(x[i]^2 - x[j]^2)",
    "1 / (x[i]^2 - 1)",
    "sum(log(x[k]) for k in range(i))",
]


def told(text: str) -> bool:
    walks = Walks(({"i": range(3)}, {"j": range(3)}))
    scope = Scope({"x": np.ones(3)}, np.dtype("float64"), walks=walks)  # type: ignore[dict-item]
    return is_finite(parse_expression(Source("expression", text)), scope)


@pytest.mark.parametrize("text", FINITE)
def test_what_is_smooth_everywhere_is_told(text: str) -> None:
    assert told(text)


@pytest.mark.parametrize("text", NOT_FINITE)
def test_what_may_have_no_derivative_is_told(text: str) -> None:
    assert not told(text)
