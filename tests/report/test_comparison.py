import dataclasses
import json

import numpy as np
import pytest

from mlodsl.diagnostics import Diagnostic
from mlodsl.report import Comparison, Contender, comparison_dict, comparison_table
from mlodsl.report.comparison import distance

from .test_tables import plain_text


def contender(solution, label, objective, *, norm=1e-9, claim="local", shift=0.0):
    """A run with another top objective; its variable `x` moved."""
    certificate = dataclasses.replace(solution.certificate, hypergradient_norm=norm, claim=claim)
    variables = {"x": np.array(0.5 + shift), "z": solution.variables["z"]}
    objectives = {"leader": objective, "follower": 0.0}
    found = dataclasses.replace(
        solution, certificate=certificate, variables=variables, objectives=objectives
    )
    return Contender(label, found)


REFUSED = Contender("hoag", None, (Diagnostic("E507", "it needs two levels", None, "use `auto`"),))


def test_the_best_is_certified_even_where_another_claims_more(solution):
    found = Comparison(
        "game",
        "minimize",
        (
            REFUSED,
            contender(solution, "bold", -10.0, claim=None),
            contender(solution, "right", -1.0),
            contender(solution, "worse", 0.0),
        ),
    )
    assert found.best.label == "right"


@pytest.mark.parametrize(("sense", "best"), [("minimize", "low"), ("maximize", "high")])
def test_the_best_is_so_in_the_sense_written(solution, sense, best):
    both = (contender(solution, "low", 1.0), contender(solution, "high", 2.0))
    assert Comparison("game", sense, both).best.label == best


def test_of_equals_the_best_has_the_smallest_gradient(solution):
    runs = (
        contender(solution, "rough", 1.0, norm=1e-6),
        contender(solution, "fine", 1.0 + 1e-12, norm=1e-12),
    )
    assert Comparison("game", "minimize", runs).best.label == "fine"


def test_where_none_is_certified_the_best_is_that_of_all(solution):
    runs = (
        contender(solution, "a", float("nan"), claim=None),
        contender(solution, "b", 2.0, claim=None),
    )
    assert Comparison("game", "minimize", runs).best.label == "b"


def test_where_nothing_ran_there_is_no_best():
    assert Comparison("game", "minimize", (REFUSED,)).best is None


def test_the_distance_is_relative_to_one_and_the_size(solution):
    here = contender(solution, "a", 0.0).solution
    there = contender(solution, "b", 0.0, shift=1.0).solution
    size = np.linalg.norm(np.concatenate([[1.5], solution.variables["z"]]))
    assert distance(here, there) == pytest.approx(1 / (1 + size))


def test_the_file_is_json_with_an_entry_for_each(solution):
    runs = (contender(solution, "implicit", 1.0, norm=float("nan")), REFUSED)
    found = json.loads(json.dumps(comparison_dict(Comparison("game", "minimize", runs))))
    assert found["best"] == "implicit"
    first, second = found["comparison"]
    assert first["hypergradient_norm"] == "nan"
    assert second["status"] == "refused"
    assert (found["results"][1], found["traces"][1]) == (None, None)


@pytest.mark.parametrize("width", [80, 60])
def test_the_tables_fit_the_terminal(solution, width):
    label = "implicit(linear_solver=cg, iterations=100)"
    runs = (contender(solution, label, -1.23456789e-123), contender(solution, "b", 0.0), REFUSED)
    text = plain_text(comparison_table(Comparison("game", "minimize", runs)), width)
    assert max(map(len, text.splitlines())) <= width
    assert "hoag: Refused: it needs two levels." in text
