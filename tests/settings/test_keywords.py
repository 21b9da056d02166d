"""Keywords of `model.solve(…)`."""

import numpy as np
import pytest

from mlodsl.diagnostics import ModelError
from mlodsl.settings import (
    LevelSettings,
    OptimizerChoice,
    Settings,
    StrategyChoice,
    layer_of_keywords,
    read_settings,
)

LEVELS = ("leader", "learner")


def settings(**keywords):
    read, diagnostics = read_settings([layer_of_keywords(keywords)], LEVELS)
    assert diagnostics == ()
    return read


def problem(**keywords):
    try:
        _, [diagnostic] = read_settings([layer_of_keywords(keywords)], LEVELS)
    except ModelError as error:
        [diagnostic] = error.diagnostics
    return diagnostic.code, diagnostic.span.text


def test_no_keywords_give_the_defaults():
    assert settings() == Settings()


def test_numbers_texts_and_levels_are_read():
    read = settings(strategy="auto", tolerance=1e-8, level={"learner": {"steps": 3}})
    assert read == Settings(tolerance=1e-8, levels=(("learner", LevelSettings(steps=3)),))


def test_a_text_is_read_as_in_a_model():
    read = settings(level={"leader": {"optimizer": "adam(0.1, schedule = exponential(0.9))"}})
    assert read.level("leader").optimizer == OptimizerChoice("adam", (("learning_rate", 0.1),), 0.9)


def test_a_strategy_may_be_a_dict():
    read = settings(strategy={"name": "implicit", "linear_solver": "cg", "iterations": 2})
    assert read.strategy == StrategyChoice("implicit", (("linear_solver", "cg"), ("iterations", 2)))


def test_none_is_not_given():
    assert settings(timeout=None, seed=3) == Settings(seed=3)


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float32(3), "3", "1e0 + 2"])
def test_a_whole_number_may_be_of_any_numeric_type(value):
    read = settings(seed=value).seed
    assert read == 3 and type(read) is int


@pytest.mark.parametrize("value", [float("inf"), np.inf, "inf"])
def test_infinity_is_read(value):
    assert settings(timeout=value).timeout is None


@pytest.mark.parametrize(
    ("keywords", "code", "marked"),
    [
        ({"tolerance": -1}, "E504", "-1"),
        ({"tolerance": -np.inf}, "E504", "-inf"),
        ({"tolerance": float("nan")}, "E504", "nan"),
        ({"seed": True}, "E504", "True"),
        ({"tolerence": 1}, "E501", "tolerence"),
        ({"strategy": "implict"}, "E502", "implict"),
        ({"strategy": "implicit(iteration = 3)"}, "E501", "iteration"),
        ({"strategy": {"name": "implicit", "iteration": 3}}, "E501", "iteration"),
        ({"strategy": {"iterations": 3}}, "E504", '{"iterations": 3}'),
        ({"strategy": "implicit("}, "E002", ""),
        ({"seed": [1]}, "E504", "<list>"),
        ({"seed": object()}, "E504", "<object>"),
        ({"level": {"nobody": {"steps": 3}}}, "E505", "nobody"),
        ({"level": {"leader": {"step": 3}}}, "E501", "step"),
        ({"level": {"leader": 3}}, "E504", "3"),
        ({"level": 3}, "E501", "level"),
    ],
)
def test_a_mistake_is_marked_in_the_call(keywords, code, marked):
    assert problem(**keywords) == (code, marked)


def test_the_call_is_shown():
    _, [diagnostic] = read_settings([layer_of_keywords({"strategy": "auto", "seed": -1})], LEVELS)
    assert diagnostic.span.source.name == "solve(…)"
    assert diagnostic.span.source.text == 'strategy="auto", seed=-1'
