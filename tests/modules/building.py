"""Helpers of the tests: from a text to a `Problem`."""

from collections.abc import Callable, Mapping

import numpy as np

from mlodsl.check import CheckedModel, GivenParam, check
from mlodsl.diagnostics import Source
from mlodsl.modules import Problem, build
from mlodsl.syntax import parse_program


def checked_model(
    text: str,
    params: Mapping[str, object] | None = None,
    data: Mapping[str, np.ndarray] | None = None,
    functions: Mapping[str, Callable[..., object]] | None = None,
) -> CheckedModel:
    """The checked model of a text that has no errors."""
    program, problems = parse_program(Source("test.mlo", text))
    assert program is not None, problems
    given = {
        name: GivenParam(None, np.shape(value), value if isinstance(value, int) else None, None)
        for name, value in (params or {}).items()
    }
    checked, found = check(
        program,
        given_params=given,
        data_shapes={name: np.shape(array) for name, array in (data or {}).items()},
        given_data=set(data or {}),
        python_functions=set(functions or {}),
        require_values=True,
    )
    assert checked is not None, found
    return checked


def built(
    text: str,
    params: Mapping[str, object] | None = None,
    data: Mapping[str, np.ndarray] | None = None,
    functions: Mapping[str, Callable[..., object]] | None = None,
    dtype: str = "float64",
) -> Problem:
    """The problem of a text."""
    checked = checked_model(text, params, data, functions)
    return build(checked, params or {}, data or {}, functions or {}, dtype)
