import json

import numpy as np
import pytest

import mlodsl
from mlodsl.report import plain, result_dict, result_text


def test_a_result_has_the_contract_s_keys(solution):
    assert list(result_dict(solution, "game")) == [
        "format",
        "model",
        "status",
        "message",
        "strategy",
        "params",
        "variables",
        "objectives",
        "certificate",
        "local_solutions",
        "steps",
        "evaluations",
        "products",
        "seconds",
        "seed",
        "versions",
        "device",
        "devices",
    ]


def test_a_certificate_has_the_contract_s_keys(solution):
    certificate = result_dict(solution, "game")["certificate"]
    wanted = {
        "claim",
        "hypergradient_norm",
        "levels",
        "constraint_violation",
        "checked_against",
        "relative_error",
    }
    assert wanted <= certificate.keys()
    assert {"gradient_norm", "min_curvature", "unique"} <= certificate["levels"]["follower"].keys()


def test_scalars_are_numbers_and_arrays_nested_lists(solution):
    variables = result_dict(solution, "game")["variables"]
    assert variables["x"] == 0.5
    assert len(variables["z"]) == 100


def test_numbers_that_are_not_finite_are_words(solution):
    found = result_dict(solution, "game")
    assert found["variables"]["y"] == [[0.25, "inf"], ["nan", "-inf"]]
    assert found["objectives"]["follower"] == "-inf"


def test_versions_are_those_that_run(solution):
    versions = result_dict(solution, "game")["versions"]
    assert versions["mlodsl"] == mlodsl.__version__
    assert versions["jax"][0].isdigit()


@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_text_is_json_of_the_same_content(solution, ascii_only):
    found = result_dict(solution, "Spiel für zwei …")
    text = result_text(found, ascii_only=ascii_only)
    assert json.loads(text) == found
    assert text.isascii() == ascii_only


def test_an_array_stands_on_one_line(solution):
    lines = result_text(result_dict(solution, "game")).splitlines()
    assert len(lines) < 100  # `z` alone has 100 entries
    assert '    "y": [[0.25, "inf"], ["nan", "-inf"]],' in lines


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.zeros((2, 0)), [[], []]),
        ((1, None, "a"), [1, None, "a"]),
        ({"a": np.array([1.0])}, {"a": [1.0]}),
        (float("nan"), "nan"),
    ],
    ids=repr,
)
def test_plain_values_are_what_json_knows(value, expected):
    found = plain(value)
    assert found == expected
    json.dumps(found, allow_nan=False)
