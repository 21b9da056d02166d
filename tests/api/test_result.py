"""What `solve` returns."""

import json

import jax
import numpy as np
import pytest

import mlodsl

from . import curved as known

# `interface.md`, "The result".
KEYS = {
    "format",
    "model",
    "status",
    "message",
    "strategy",
    "variables",
    "objectives",
    "certificate",
    "steps",
    "seconds",
    "seed",
    "versions",
    "device",
}
CERTIFICATE_KEYS = {
    "claim",
    "hypergradient_norm",
    "levels",
    "constraint_violation",
    "checked_against",
    "relative_error",
}


def test_the_solution_is_found(curved_result: mlodsl.Result) -> None:
    assert curved_result.status == "converged", curved_result.message
    for name, value in {**known.solution(), "z": np.array(1 / 4)}.items():
        np.testing.assert_allclose(curved_result[name], value, atol=1e-7)


def test_a_variable_is_a_float64_jax_array(curved_result: mlodsl.Result) -> None:
    x = curved_result["x"]
    assert isinstance(x, jax.Array)
    assert (x.shape, str(x.dtype)) == ((2,), "float64")


def test_the_strategy_is_that_of_the_file(curved_result: mlodsl.Result) -> None:
    assert curved_result.strategy == curved_result.to_dict()["strategy"]
    assert (curved_result.strategy["name"], curved_result.strategy["chosen_by"]) == (
        "implicit",
        "auto",
    )


def test_an_unknown_variable_is_a_key_error_that_names_those_there_are(
    curved_result: mlodsl.Result,
) -> None:
    with pytest.raises(KeyError, match="no variable `w`; it has x, y, z"):
        curved_result["w"]


def test_objectives_are_in_the_sense_written(curved_result: mlodsl.Result) -> None:
    """The third level maximises e^{y_0} z - e^z, at z = y_0 = 1/4."""
    profit = curved_result.objectives["third"]
    assert profit == pytest.approx(np.exp(0.25) * (0.25 - 1), abs=1e-7)


def test_the_json_has_the_keys_of_the_contract(curved_result: mlodsl.Result) -> None:
    file = json.loads(curved_result.to_json())
    assert file.keys() >= KEYS
    assert file["certificate"].keys() >= CERTIFICATE_KEYS
    assert {"compile", "solve", "certificate", "total"} <= file["seconds"].keys()
    assert {"mlodsl", "jax"} <= file["versions"].keys()
    assert {"name", "chosen_by", "reason", "options"} <= file["strategy"].keys()


def test_the_json_reads_back_as_the_dict(curved_result: mlodsl.Result) -> None:
    assert json.loads(curved_result.to_json()) == curved_result.to_dict()


def test_the_json_holds_the_variables_bit_for_bit(curved_result: mlodsl.Result) -> None:
    variables = json.loads(curved_result.to_json())["variables"]
    assert variables == {name: np.asarray(curved_result[name]).tolist() for name in "xyz"}


def test_numbers_that_are_not_finite_are_text_in_the_json() -> None:
    text = "level a { var x : real minimize x^2 } level b { var y : real = -1 minimize log(y) }"
    objectives = json.loads(mlodsl.compile(text).solve().to_json())["objectives"]
    assert objectives == {"a": 0.0, "b": "nan"}


def test_a_certificate_holds_each_levels_own(curved_result: mlodsl.Result) -> None:
    levels = curved_result.certificate["levels"]
    assert {"second", "third"} <= levels.keys()
    # The third level's curvature, as a minimisation, is e^z at z = 1/4.
    assert levels["third"]["min_curvature"] == pytest.approx(np.exp(0.25), rel=1e-6)


def test_who_chose_the_strategy_is_told(curved_result: mlodsl.Result) -> None:
    strategy = curved_result.to_dict()["strategy"]
    assert (strategy["name"], strategy["chosen_by"]) == ("implicit", "auto")


def test_an_unknown_option_is_a_model_error(curved: mlodsl.Model) -> None:
    with pytest.raises(mlodsl.ModelError, match="tolerence"):
        curved.solve(tolerence=1e-8)


def test_options_of_the_text_count_and_keywords_win() -> None:
    text = "level only { var x : real = 9 minimize (x - 1)^4 + x^2 } solve { max_steps = 1 }"
    model = mlodsl.compile(text)
    assert model.solve().status == "max_steps"
    assert model.solve(max_steps=100).status == "converged"
