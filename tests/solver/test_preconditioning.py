"""Solves of a large level below, preconditioned with its Hessian at an earlier point."""

import dataclasses
import functools
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pytest

import mlodsl
from mlodsl.calculus import Preconditioner, point_of
from mlodsl.modules import mesh_of
from mlodsl.settings import Settings
from mlodsl.solver import preconditioning
from mlodsl.solver.choose import choose_strategy
from mlodsl.solver.kept import Kept
from mlodsl.solver.plan import plan_nest
from mlodsl.solver.preconditioning import Preconditioning, no_preconditioner
from mlodsl.solver.rules import EXACT
from mlodsl.solver.state import first_state

MODEL = """
data A : real[m, n]
data b : real[m]
level leader {
  var x : real[8] = -3
  minimize mean((A @ y - b)^2) + 0.01 * sumsq(x + 3)
}
level follower {
  var y : real[n]
  minimize sum(sqrt(1 + (A @ y - b)^2)) / m + dot(exp(x), sum(reshape(y, 8, 33)^2, axis = 1)) / 2
}
"""


@functools.cache
def model() -> mlodsl.Model:
    random = np.random.default_rng(0)
    features = random.standard_normal((400, 264)) * np.geomspace(1, 0.03, 264)
    target = features @ random.standard_normal(264) + random.standard_normal(400)
    return mlodsl.compile(MODEL, data={"A": features, "b": target})


@pytest.fixture
def formed(monkeypatch: pytest.MonkeyPatch) -> list[Preconditioner]:
    """The preconditioners that runs have made."""
    found = []
    plain = preconditioning._inverse_below

    def noted(*arguments: Any) -> Preconditioner:
        found.append(plain(*arguments))
        return found[-1]

    monkeypatch.setattr(preconditioning, "_inverse_below", noted)
    return found


class NoCost(Kept[float]):
    """It takes no time to form the matrix, so that measured times decide nothing."""

    def find(self, owner: Any, key: Any = None) -> float:
        return 0.0


def test_the_same_solution_in_a_third_of_the_products(
    monkeypatch: pytest.MonkeyPatch, formed: list[Preconditioner]
) -> None:
    monkeypatch.setattr(preconditioning, "_forming", NoCost())
    plain = model().solve(strategy="implicit(linear_solver = cg)")
    # For the certificate alone, which goes by `auto`.
    assert len(formed) == 1
    formed.clear()
    found = model().solve(strategy="implicit")
    # In the run too.
    assert len(formed) >= 2 and all(bool(one.known) for one in formed)
    assert plain.certificate["claim"] == found.certificate["claim"] == "local"
    assert (plain.status, found.status) == ("converged", "converged")
    np.testing.assert_allclose(found["x"], plain["x"], atol=1e-6)
    np.testing.assert_allclose(found["y"], plain["y"], atol=1e-6)
    assert 3 * found.to_dict()["products"]["follower"] <= plain.to_dict()["products"]["follower"]


@pytest.mark.usefixtures("float64")
def test_what_times_decide_is_left_out_where_several_devices_have_to_decide_alike() -> None:
    problem = model().problem.fold()
    assert plan_nest(problem, Settings(), EXACT).preconditioner is not None
    structure = dataclasses.replace(problem.structure, mesh=mesh_of(jax.devices()))
    shared = problem.replaced(structure=structure)
    assert plan_nest(shared, Settings(), EXACT).preconditioner is None


class Bookkeeping:
    """A run's turns, in which each product takes a second.

    Arguments:
        cost: what it takes to form the matrix; None where that isn't known yet.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cost: float | None) -> None:
        monkeypatch.setattr(preconditioning, "_inverse_below", lambda *_: no_preconditioner(264))
        problem = model().problem.fold()
        chosen = choose_strategy(problem, Settings())
        self.nest = plan_nest(problem, Settings(), chosen.built)
        assert self.nest.preconditioner is not None
        self.cost = cost
        if cost is not None:
            preconditioning._forming.keep(problem.structure, cost)
        start = problem.start(jax.random.PRNGKey(0))
        self.point = first_state(self.nest, 0, point_of(problem.sizes, 0, start)).point
        self.watched = Preconditioning()

    def turn(self, products: int) -> bool:
        """Whether the matrix is formed after a turn of so many products."""
        point = self.point
        counts = (point.evaluations.at[1].add(1), point.products.at[1].add(products))
        self.point = eqx.tree_at(lambda p: (p.evaluations, p.products), point, counts)
        before = self.watched.turns
        self.watched.after(self.nest, self.point, float(products))
        if self.cost is not None:
            preconditioning._forming.keep(self.nest.game.structure, self.cost)
        return self.watched.turns <= before


@pytest.mark.usefixtures("float64")
def test_it_is_formed_once_the_excess_has_cost_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    book = Bookkeeping(monkeypatch, cost=100.0)
    # Three products an evaluation are none too many.
    assert [book.turn(43) for _ in range(8)] == 4 * [False] + [True, False, False, True]
    assert not any(book.turn(3) for _ in range(100))


@pytest.mark.usefixtures("float64")
def test_before_it_was_compiled_the_excess_of_all_runs_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preconditioning, "_COMPILING", 100.0)
    monkeypatch.setattr(preconditioning, "_forming", Kept[float]())
    monkeypatch.setattr(preconditioning, "_lost_seconds", Kept[float]())
    book = Bookkeeping(monkeypatch, cost=None)
    formed = []
    for _ in range(2):
        book.watched = Preconditioning(seen=book.watched.seen)
        formed.append([book.turn(43) for _ in range(3)])
    # 40 of 43 products a turn are too many, and at first twice the cost is waited for.
    assert formed == [3 * [False], [False, True, False]]


@pytest.mark.usefixtures("float64")
def test_what_helps_little_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    book = Bookkeeping(monkeypatch, cost=100.0)
    gaps, last = [], 0
    for number in range(1, 70):
        if book.turn(53):
            gaps.append(number - last)
            last = number
    assert gaps == [4, 2, 4, 8, 16, 32]
    # Once it helps, no longer than it costs.
    helped = Bookkeeping(monkeypatch, cost=100.0)
    turns = [helped.turn(53) for _ in range(4)] + [helped.turn(13) for _ in range(20)]
    assert [number for number, formed in enumerate(turns) if formed] == [3, 13, 23]
