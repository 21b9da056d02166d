"""Starts drawn under the run's seed."""

import functools

import numpy as np

import mlodsl

MODEL = """
level top { var x : real[3] ~ normal(0, 1)  minimize sumsq(x - y) + sumsq(x)^2 + sum(x) }
level bottom { var y : real[3] ~ uniform(-1, 1)  minimize sumsq(y - x^2) }
"""


@functools.cache
def solved(seed: int, number: int = 0) -> mlodsl.Result:
    """`number` tells runs of the same seed apart."""
    return mlodsl.compile(MODEL).solve(seed=seed)


def start(seed: int) -> np.ndarray:
    """What a run stopped at once returns: its start."""
    result = mlodsl.compile(MODEL).solve(seed=seed, timeout=1e-9)
    return np.asarray(result["x"])


def test_the_same_seed_gives_the_same_bits() -> None:
    assert np.array_equal(solved(3)["x"], solved(3, number=1)["x"])


def test_another_seed_starts_elsewhere() -> None:
    assert not np.allclose(start(0), start(1))


def test_another_seed_leads_to_the_same_minimum() -> None:
    for seed in range(4):
        assert solved(seed).status == "converged", solved(seed).message
    np.testing.assert_allclose(solved(1)["x"], solved(0)["x"], atol=1e-7)


def test_the_result_names_its_seed() -> None:
    assert solved(3).to_dict()["seed"] == 3
