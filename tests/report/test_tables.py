import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from mlodsl.report import (
    response_table,
    result_table,
    short,
    step_dict,
    step_text,
    summary,
    verification_table,
    worth_a_line,
)
from mlodsl.solver import LevelCertificate, ResponseReport, Status, Step, Verification

STEP = Step(12, -0.0625, 1e-9, 0.5, (13, 40), (0, 80))


def plain_text(table, width=80):
    """What a terminal without colour shows."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(table)
    return console.file.getvalue()


def test_the_table_of_a_result_says_what_matters(solution):
    text = plain_text(result_table(solution, "game", ["maximize", "minimize"]))
    assert "game: converged after 12 steps, 1 s" in text
    assert "Level `leader` is at a local maximum." in text
    assert "x          0.5" in text
    assert "0.0625      maximized" in text
    assert "certificate: local" in text
    assert "\033" not in text


@pytest.mark.parametrize("width", [80, 50])
def test_the_table_of_a_result_fits_the_terminal(solution, width):
    text = plain_text(result_table(solution, "game", ["maximize", "minimize"]), width)
    assert max(map(len, text.splitlines())) <= width


def test_a_point_that_is_not_certified_says_so(solution):
    certificate = dataclasses.replace(solution.certificate, claim=None, checked_against=None)
    stalled = dataclasses.replace(solution, status=Status.STALLED, certificate=certificate)
    text = plain_text(result_table(stalled, "game", ["maximize", "minimize"]))
    assert "game: stalled" in text
    assert "certificate: none" in text


def test_a_flat_direction_is_named(solution):
    flat = LevelCertificate(0.0, 0.0, "y[1]", False, 0.0)
    certificate = dataclasses.replace(solution.certificate, levels={"follower": flat})
    found = dataclasses.replace(solution, certificate=certificate)
    assert "0 along y[1]" in plain_text(result_table(found, "game", ["maximize", "minimize"]))


def test_the_table_of_a_response_shows_findings():
    report = ResponseReport(
        variables={"y": np.array(0.25)},
        objectives={"leader": 1.0, "follower": 2.0},
        levels={"follower": LevelCertificate(0.0, 2.0, "y", True, 0.0)},
        findings=("level `follower` is flat",),
    )
    text = plain_text(response_table(report, ["minimize", "minimize"]))
    assert "y          0.25" in text
    assert "Level `follower` is flat." in text


@pytest.mark.parametrize(("error", "word"), [(1e-9, "agrees"), (1e-3, "disagrees")])
def test_the_table_of_a_verification_says_whether_they_agree(error, word):
    found = Verification("leader", "implicit", ("x",), (1.0,), (1.0 + error,), error, at="x = 0.25")
    text = " ".join(plain_text(verification_table(found)).split())
    assert text.startswith("At x = 0.25: along ")
    assert f"of level `leader` by `implicit` {word} with finite differences" in text


def test_a_small_array_is_shown_whole():
    assert summary(np.array([[1.0, 2.0], [3.0, 4.5]])) == "[[1, 2], [3, 4.5]]"


def test_a_large_array_is_shown_by_its_ends_shape_and_norm():
    found = summary(np.ones((40, 11)))
    assert found == "[1, 1, …, 1], shape [40, 11], norm 20.98"


def test_what_was_not_computed_is_a_dash():
    assert short(None) == "-"


@pytest.mark.parametrize(("sense", "shown"), [("maximize", "0.0625"), ("minimize", "-0.0625")])
def test_a_step_shows_the_objective_as_written(sense, shown):
    assert f"objective {shown} " in step_text(STEP, sense)
    assert step_dict(STEP, sense, ["a", "b"])["objective"] == float(shown)


def test_a_line_of_the_trace_holds_the_contract_s_keys():
    found = step_dict(STEP, "minimize", ["a", "b"])
    assert found == {
        "step": 12,
        "objective": -0.0625,
        "hypergradient_norm": 1e-9,
        "seconds": 0.5,
        "evaluations": {"a": 13, "b": 40},
        "products": {"a": 0, "b": 80},
    }


def test_of_a_thousand_steps_a_few_get_a_line():
    lines = [step for step in range(1001) if worth_a_line(step)]
    assert lines == [0, 1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500, 1000]
