"""What several lanes ask for together: each gets its own answer, whatever the others ask."""

import jax
import numpy as np
import pytest

import mlodsl
from mlodsl.modules import Problem
from mlodsl.solver.compiling import effort_of
from mlodsl.solver.lanes import Each, clock, in_lane, in_tuple, joined
from mlodsl.solver.side_by_side import Stack, run_lanes

COSTS = np.array([1.0, 2.0, 5.0, 7.0])
WIDTH = 4


@joined
def scaled(problem: Problem, vectors: tuple[jax.Array, ...], factor: str) -> jax.Array:
    total = sum(vector.sum() for vector in vectors)
    return problem.params["c"] * total * (2 if factor == "twice" else 1)


@joined
def product(problem: Problem, own: jax.Array, other: jax.Array) -> jax.Array:
    return problem.params["c"] * own @ other


def problem_of_lanes() -> Stack:
    text = "param c = 2.0 level only { var x : real minimize (x - c)^2 }"
    problem = mlodsl.compile(text).problem
    leaves = jax.tree.leaves(problem)
    (number,) = (n for n, leaf in enumerate(leaves) if np.ndim(leaf) == 0 and leaf == 2.0)
    return Stack(problem, {number: jax.numpy.asarray(COSTS)})


def index_of(problem: Problem) -> int:
    return int(np.searchsorted(COSTS, float(problem.params["c"])))


@pytest.fixture(autouse=True)
def in_float64():
    with jax.enable_x64(True):
        yield


def test_lanes_that_ask_for_different_things_get_each_their_own() -> None:
    # Of other shapes, of other types, of another word, of other lengths.
    vectors = [
        (np.ones(2),),
        (np.ones(3),),
        (np.ones(2, np.float32), np.ones(1)),
        (jax.numpy.ones(2),),
    ]
    words = ["once", "twice", "once", "twice"]

    def program(problem: Problem) -> float:
        assert in_lane() and clock() >= 0
        lane = index_of(problem)
        return float(scaled(problem, vectors[lane], words[lane]))

    found = run_lanes(problem_of_lanes(), WIDTH, program, WIDTH)
    assert found == [1.0 * 2, 2.0 * 3 * 2, 5.0 * 3, 7.0 * 2 * 2]


def test_rows_and_what_all_rows_share_are_told_apart() -> None:
    def program(problem: Problem) -> np.ndarray:
        lane = index_of(problem)
        # As many rows as the lane's number and one more; each on one side or the other.
        rows = Each(np.arange(2.0 * (lane + 1)).reshape(-1, 2))
        shared = np.array([1.0, 10.0])
        asked = (rows, shared) if lane % 2 else (shared, rows)
        return product.of_many(in_tuple, problem, *asked)[0]

    found = run_lanes(problem_of_lanes(), WIDTH, program, WIDTH)
    for lane, values in enumerate(found):
        rows = np.arange(2.0 * (lane + 1)).reshape(-1, 2)
        np.testing.assert_allclose(values, COSTS[lane] * rows @ [1.0, 10.0])


@pytest.mark.parametrize(
    ("sizes", "seldom", "effort"),
    [
        ((3,) * 3, True, None),
        ((3,) * 4, True, 1),
        ((3,) * 6, True, 0),
        ((3,) * 6, False, 1),
        ((100,) * 5, True, 1),
    ],
)
def test_only_small_deep_nests_that_run_seldom_are_compiled_in_haste(
    sizes: tuple[int, ...], seldom: bool, effort: int | None
) -> None:
    assert effort_of(sizes, seldom) == effort
