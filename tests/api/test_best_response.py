"""Which levels answer to which choices."""

import numpy as np
import pytest

import mlodsl

X = np.array([0.3, 0.7])


def test_given_the_first_level_the_two_below_answer(curved: mlodsl.Model) -> None:
    """y = (x_0², x_1) and z = y_0, at a = 1."""
    found = curved.best_response({"x": X})
    np.testing.assert_allclose(found["y"], [X[0] ** 2, X[1]], atol=1e-9)
    np.testing.assert_allclose(found["z"], X[0] ** 2, atol=1e-9)


def test_given_the_first_two_levels_the_third_answers(curved: mlodsl.Model) -> None:
    found = curved.best_response({"x": X, "y": [0.4, -1.0]})
    assert found.keys() == {"z"}
    np.testing.assert_allclose(found["z"], 0.4, atol=1e-9)


def test_the_response_to_all_levels_is_empty(curved: mlodsl.Model) -> None:
    assert curved.best_response({"x": X, "y": [0.0, 0.0], "z": 0.0}) == {}


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({}, "`x`"),
        ({"w": 1.0, "x": X}, "no variable `w`"),
        ({"x": [1.0, 2.0, 3.0]}, "shape"),
        ({"y": [0.0, 0.0]}, "`x`"),
        ({"x": X, "z": 0.0}, "`y`"),
    ],
)
def test_wrong_choices_are_a_model_error(
    curved: mlodsl.Model, choices: dict[str, object], words: str
) -> None:
    with pytest.raises(mlodsl.ModelError, match=words):
        curved.best_response(choices)
