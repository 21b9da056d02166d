"""Contenders agree with each other, and a suite's command ends whatever they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest

pytest.importorskip("matplotlib")

from benchmarks import contenders
from benchmarks.contenders.outer import bfgs
from benchmarks.problems.games import quadratic_game, smooth_game
from benchmarks.problems.reference import Reference
from benchmarks.run import main
from benchmarks.suites.comparing import prepared, ratio_of, timed
from benchmarks.suites.suite import Job, Row


@pytest.fixture(autouse=True)
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def test_the_reference_is_the_slope_of_the_values_at_the_answers() -> None:
    problem = smooth_game(3, 2)
    reference = Reference(problem)

    def value(point: np.ndarray) -> float:
        below, _ = reference.at(point)
        return float(problem.objectives[0](dict(problem.data), point, *below))

    _, gradient = reference.at(problem.start)
    # Central differences: a truncation of h² and a rounding of 1e-16 / h are both below 1e-7.
    moves = np.eye(2) * 1e-5
    slopes = [(value(problem.start + move) - value(problem.start - move)) / 2e-5 for move in moves]
    assert gradient == pytest.approx(slopes, rel=1e-7)


def test_the_middle_of_the_reference_answers_best_given_the_bottom_follows() -> None:
    problem = smooth_game(3, 2)
    (middle, bottom), _ = Reference(problem).at(problem.start)
    data = dict(problem.data)

    def follow(choice: np.ndarray) -> np.ndarray:
        found = bfgs(
            lambda z, last: tuple(
                map(
                    np.asarray,
                    jax.value_and_grad(problem.objectives[2], 3)(data, problem.start, choice, z),
                )
            ),
            bottom,
            1e-10,
        )
        return found.point

    def value(choice: np.ndarray) -> float:
        return float(problem.objectives[1](data, problem.start, choice, follow(choice)))

    assert follow(middle) == pytest.approx(bottom, abs=1e-8)
    slopes = [(value(middle + move) - value(middle - move)) / 2e-3 for move in np.eye(2) * 1e-3]
    # The differences' truncation is a sixth of h² times the third derivative, some units.
    assert slopes == pytest.approx([0.0, 0.0], abs=3e-6)


@pytest.mark.parametrize(
    ("name", "kind", "levels"),
    [
        ("mlodsl", "given", 2),
        ("mlodsl", "cold", 2),
        ("jax", "given", 2),
        ("jax", "cold", 2),
        ("jax", "cold", 3),
        pytest.param("mlodsl", "given", 3, marks=pytest.mark.slow),
        pytest.param("mlodsl", "cold", 3, marks=pytest.mark.slow),
    ],
)
def test_a_contender_computes_the_reference(name: str, kind: contenders.Kind, levels: int) -> None:
    problem = quadratic_game(levels, 2)
    below, exact = Reference(problem).at(problem.start)
    found = contenders.load(name).hypergradient(problem, kind, below)()
    assert found == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize("name", ["jaxopt", "optimistix"])
def test_a_peer_computes_the_reference(name: str) -> None:
    pytest.importorskip(name)
    problem = quadratic_game(2, 2)
    below, exact = Reference(problem).at(problem.start)
    found = contenders.load(name).hypergradient(problem, "given", below)()
    assert found == pytest.approx(exact, rel=1e-7)


def test_betty_computes_the_reference_in_the_one_step_that_a_single_variable_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("betty")
    from benchmarks.contenders import peer_betty

    monkeypatch.setattr(peer_betty, "_ITERATIONS", 1)
    problem = quadratic_game(2, 1)
    below, exact = Reference(problem).at(problem.start)
    found = peer_betty.CONTENDER.hypergradient(problem, "given", below)()
    assert found == pytest.approx(exact, rel=1e-12)


def test_a_quick_suite_runs_end_to_end(tmp_path: Path) -> None:
    figures, picture = tmp_path / "figures.json", tmp_path / "picture.png"
    words = ["hypergradient", "--only", "3x10/given", "--contenders", "jax,betty", "--repeats", "2"]
    assert main([*words, "--json", str(figures), "--picture", str(picture)]) == 0
    rows = {row["contender"]: row for row in json.loads(figures.read_text())["rows"]}
    assert rows["jax"]["seconds"] > 0 and rows["jax"]["error"] < 1e-7
    # Betty's conjugate gradients are for two levels, and it may not be installed.
    assert "Error" in rows["betty"]["failure"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_a_contender_raises_is_its_row() -> None:
    def make(name: str) -> object:
        if name == "broken":
            raise ValueError("no\n such case")
        return lambda: 1.0

    job = Job("case", ("mlodsl", "broken"), repeats=3)

    def measure() -> Iterator[Row]:
        ready = yield from prepared(job, make)  # type: ignore[arg-type]
        yield from timed(job, ready, lambda name, answer: {"answer": answer})

    failed, *rows = measure()
    assert failed == Row("case", "broken", failure="ValueError: no such case")
    assert rows[0].figures["answer"] == 1.0 and rows[0].figures["ratio"] == 1.0


def test_a_ratio_is_to_the_fastest_of_the_others() -> None:
    rows = [
        Row("c", name, {"seconds": value})
        for name, value in zip("abc", (3.0, 2.0, 6.0), strict=True)
    ]
    assert ratio_of(rows, "c", "a", ("b", "c")) == 1.5
    assert ratio_of(rows, "c", "a", ("d",)) is None
