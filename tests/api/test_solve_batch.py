"""`model.solve_batch`: many instances at once, each as if it were solved alone."""

import jax
import numpy as np
import pytest

import mlodsl

# c > 0: a minimum; c = 0: the follower falls in a straight line; c < 0: he falls faster and faster.
MODEL = """
param c = 1.0
param pull = 0.5 * c
level leader { var x : real = 0.3  minimize c * (x - 1)^2 + (y - 1)^2 }
level follower { var y : real  minimize pull * (y - x)^2 + 0.1 * c * y^4 + y }
"""
VALUES = [1.0, -1.0, 0.0, 2.0, 0.001]


@pytest.fixture(scope="module")
def model() -> mlodsl.Model:
    return mlodsl.compile(MODEL)


@pytest.fixture(scope="module")
def batch(model: mlodsl.Model) -> mlodsl.BatchResult:
    return model.solve_batch({"c": VALUES})


@pytest.fixture(scope="module")
def alone() -> list[mlodsl.Result]:
    return [mlodsl.compile(MODEL, params={"c": value}).solve() for value in VALUES]


def test_a_mixed_batch_has_instances_of_several_statuses(batch: mlodsl.BatchResult) -> None:
    assert batch.counts == {"converged": 3, "diverged": 2}


def test_each_instance_has_the_status_and_message_of_a_solve_alone(
    batch: mlodsl.BatchResult, alone: list[mlodsl.Result]
) -> None:
    assert [(one.status, one.message) for one in batch] == [
        (one.status, one.message) for one in alone
    ]


def test_each_instance_has_the_variables_of_a_solve_alone(
    batch: mlodsl.BatchResult, alone: list[mlodsl.Result]
) -> None:
    for one, other in zip(batch, alone, strict=True):
        for name in ("x", "y"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-10, atol=1e-10)


def test_each_instance_has_the_certificate_of_a_solve_alone(
    batch: mlodsl.BatchResult, alone: list[mlodsl.Result]
) -> None:
    for one, other in zip(batch, alone, strict=True):
        ours, its = one.certificate, other.certificate
        assert {key: ours[key] for key in ("claim", "starts", "findings")} == {
            key: its[key] for key in ("claim", "starts", "findings")
        }
        for level in its["levels"]:
            figures = (ours["levels"][level], its["levels"][level])
            assert figures[0]["unique"] == figures[1]["unique"]
            if its["claim"] is not None:
                curvatures = [float(figure["min_curvature"]) for figure in figures]
                # Second derivatives by differences are exact to eps^(2/3) or so.
                np.testing.assert_allclose(curvatures[0], curvatures[1], rtol=1e-9)


def test_an_instance_counts_the_work_of_a_solve_alone(
    batch: mlodsl.BatchResult, alone: list[mlodsl.Result]
) -> None:
    for one, other in zip(batch, alone, strict=True):
        assert one.steps == other.steps
        assert one.to_dict()["evaluations"] == other.to_dict()["evaluations"]


def test_a_result_holds_its_own_params_and_those_that_follow(batch: mlodsl.BatchResult) -> None:
    assert batch[3].to_dict()["params"] == {"c": 2.0, "pull": 1.0}


def test_variables_are_stacked_as_float64(batch: mlodsl.BatchResult) -> None:
    assert batch["x"].shape == (len(VALUES),)
    assert batch["x"].dtype == np.float64
    assert float(batch["x"][3]) == float(batch[3]["x"])


def test_converged_is_a_mask(batch: mlodsl.BatchResult) -> None:
    assert batch.converged.tolist() == [True, False, False, True, True]


def test_objectives_are_stacked_by_level(batch: mlodsl.BatchResult) -> None:
    assert set(batch.objectives) == {"leader", "follower"}
    assert float(batch.objectives["leader"][0]) == batch[0].objectives["leader"]


def test_the_table_fits_into_eighty_columns(batch: mlodsl.BatchResult) -> None:
    lines = batch.table().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert sum("converged" in line for line in lines) == 4


def test_an_unknown_variable_is_a_key_error_that_names_those_there_are(
    batch: mlodsl.BatchResult,
) -> None:
    with pytest.raises(KeyError, match="it has x, y"):
        batch["z"]


def test_another_value_is_that_of_all_instances() -> None:
    text = """
    param c = 1.0
    param target : real[2] = [0.0, 0.0]
    level leader { var x : real[2]  minimize sumsq(x - target) + c }
    """
    found = mlodsl.compile(text).solve_batch({"c": [1.0, 2.0, 3.0], "target": [5.0, 6.0]})
    np.testing.assert_allclose(found["x"], np.tile([5.0, 6.0], (3, 1)), atol=1e-8)
    np.testing.assert_allclose(found.objectives["leader"], [1, 2, 3], atol=1e-8)


def test_a_vector_param_varies_along_its_first_axis() -> None:
    text = """
    param target : real[2] = [0.0, 0.0]
    level leader { var x : real[2]  minimize sumsq(x - target) }
    """
    targets = np.arange(6.0).reshape(3, 2)
    found = mlodsl.compile(text).solve_batch({"target": targets})
    np.testing.assert_allclose(found["x"], targets, atol=1e-8)


def test_the_callers_settings_of_jax_are_left_alone(model: mlodsl.Model) -> None:
    before = jax.config.jax_enable_x64
    with pytest.raises(mlodsl.ModelError):
        model.solve_batch({"c": []})
    assert jax.config.jax_enable_x64 == before


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"k": [1.0]}, "no param `k`"),
        ({"c": 1.0}, "no param has an axis of instances"),
        ({"c": []}, "there are no instances"),
        ({"c": [1.0, 2.0], "pull": [1.0]}, "differ in how many instances"),
        ({"c": [1.0, float("nan")]}, "not a number (nan) in instance 1"),
        ({"c": ["a", "b"]}, "are not numbers"),
        ({"c": [[1.0], [1.0, 2.0]]}, "are not numbers"),
    ],
)
def test_a_mistake_in_params_is_a_diagnostic(
    model: mlodsl.Model, params: dict[str, object], words: str
) -> None:
    with pytest.raises(mlodsl.ModelError) as caught:
        model.solve_batch(params)
    assert words in str(caught.value)


def test_a_whole_number_param_is_refused_with_the_way_out() -> None:
    model = mlodsl.compile("param n : int = 2  level a { var x : real[n]  minimize sumsq(x) }")
    with pytest.raises(mlodsl.ModelError) as caught:
        model.solve_batch({"n": [2, 3]})
    assert "loop over its values" in str(caught.value)


def test_an_instance_with_an_empty_domain_is_refused() -> None:
    model = mlodsl.compile(
        "param high = 1.0  level a { var x : real in [0, high]  minimize (x - 2)^2 }"
    )
    with pytest.raises(mlodsl.ModelError) as caught:
        model.solve_batch({"high": [1.0, 0.5, -1.0]})
    assert "its least value 0 isn't at most its largest, -1" in str(caught.value)


def test_constrained_instances_are_solved_too() -> None:
    text = """
    param c = 1.0
    level leader { var x : real in [0, 10]  minimize (x - 3)^2 + y^2 }
    level follower { var y : real  minimize (y - x)^2  subject to y <= c }
    """
    found = mlodsl.compile(text).solve_batch({"c": [1.0, 2.0]})
    # The leader does best where y = c binds, with x = 3 (with y = x = 1.5 he loses 4.5).
    assert found.status == ("converged", "converged")
    np.testing.assert_allclose(found["y"], [1.0, 2.0], atol=1e-6)
