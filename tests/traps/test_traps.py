"""No trap is called solved where it isn't, under any strategy; what isn't a trap is solved."""

import functools

import numpy as np
import pytest

import mlodsl
from mlodsl.strategies import STRATEGIES

from .truths import ANSWERS, FINE, FOLDER, NAMES, SMALL

# Run with all strategies at each commit; the others with `-m slow`.
EVERY_TIME = ["fine_anticipation", "worse_well"]
OTHERS = sorted(set(STRATEGIES) - {"implicit"})


@functools.cache
def solved(name: str, strategy: str) -> mlodsl.Result:
    model = mlodsl.compile(FOLDER / f"{name}.mlo")
    try:
        return model.solve(strategy=strategy)
    except mlodsl.ModelError as refused:
        pytest.skip(f"{strategy} doesn't take it: {refused}")


def is_answer(name: str, result: mlodsl.Result) -> bool:
    """Whether the returned point is one of the answers to 1e-5."""

    def near(variable: str, value: float | list[float]) -> bool:
        found, size = np.asarray(result[variable]), np.abs(np.asarray(value))
        tolerance = SMALL.get(name, 1e-5) * (1 if name in SMALL else np.maximum(1, size))
        return bool(np.all(np.abs(found - np.asarray(value)) <= tolerance))

    return any(
        all(near(variable, value) for variable, value in answer.items())
        for answer in ANSWERS.get(name, [])
    )


def verify_claim(name: str, strategy: str) -> None:
    result = solved(name, strategy)
    if result.status == "converged":
        assert is_answer(name, result), (result.to_dict()["variables"], result.message)
    else:
        assert result.certificate["claim"] is None or result.status in ("max_steps", "timeout")


def test_there_are_enough_traps() -> None:
    assert len(NAMES) - len(FINE) >= 40


def test_every_truth_has_its_trap() -> None:
    assert set(ANSWERS) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_converged_is_true(name: str) -> None:
    verify_claim(name, "auto")


@pytest.mark.parametrize("name", FINE)
def test_what_looks_like_a_trap_converges(name: str) -> None:
    assert solved(name, "auto").status == "converged", solved(name, "auto").message


@pytest.mark.parametrize("strategy", OTHERS)
@pytest.mark.parametrize("name", EVERY_TIME)
def test_converged_is_true_under_each_strategy(name: str, strategy: str) -> None:
    verify_claim(name, strategy)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", OTHERS)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in EVERY_TIME])
def test_converged_is_true_of_every_trap_under_each_strategy(name: str, strategy: str) -> None:
    verify_claim(name, strategy)
