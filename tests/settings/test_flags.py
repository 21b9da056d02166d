"""`--set`, `--strategy` and `--data`."""

import pytest

from mlodsl.diagnostics import Source
from mlodsl.settings import (
    LevelSettings,
    StrategyChoice,
    layer_of_flags,
    layer_of_strategy,
    paths_of_flags,
    read_settings,
)
from mlodsl.syntax import parse_expression


def settings(*flags):
    layer, params, diagnostics = layer_of_flags(flags)
    assert (params, diagnostics) == ({}, ())
    read, diagnostics = read_settings([layer], ("leader", "follower"))
    assert diagnostics == ()
    return read


def problem(*flags):
    _, _, [diagnostic] = layer_of_flags(flags)
    return diagnostic


def test_a_param_is_read_as_an_expression():
    _, params, _ = layer_of_flags(["c=[1, 2]"])
    assert params == {"c": parse_expression(Source("", "[1, 2]"))}


def test_the_value_may_hold_an_equals_sign():
    read = settings("solve.strategy=implicit(iterations = 3)")
    assert read.strategy == StrategyChoice("implicit", (("iterations", 3),))


def test_an_option_is_set():
    assert settings("solve.max_steps=5").max_steps == 5


def test_options_of_one_level_from_several_flags_come_together():
    read = settings("solve.level.follower.steps=5", "solve.level.follower.tolerance=1e-3")
    assert read.level("follower") == LevelSettings(steps=5, tolerance=1e-3)


def test_white_space_around_key_and_value_is_ignored():
    assert settings(" solve . max_steps = 5 ").max_steps == 5


def test_a_wrong_value_points_into_the_flag():
    layer, _, _ = layer_of_flags(["solve.max_steps=0"])
    _, [diagnostic] = read_settings([layer], ())
    assert str(diagnostic.span) == "--set:1:17" and diagnostic.span.text == "0"


def test_an_unknown_option_points_into_the_flag():
    layer, _, _ = layer_of_flags(["solve.max_step=1"])
    _, [diagnostic] = read_settings([layer], ())
    assert (diagnostic.code, diagnostic.span.text) == ("E501", "max_step")


def test_an_unknown_level_points_into_the_flag():
    layer, _, _ = layer_of_flags(["solve.level.nobody.steps=1"])
    _, [diagnostic] = read_settings([layer], ("leader",))
    assert (diagnostic.code, diagnostic.span.text) == ("E505", "nobody")


def test_a_value_that_does_not_parse_points_into_the_flag():
    diagnostic = problem("c=1 + * 2")
    assert diagnostic.span.source.text == "c=1 + * 2" and diagnostic.span.text == "*"


@pytest.mark.parametrize(
    "flag",
    [
        "c",
        "",
        "=1",
        "c=",
        "c= ",
        "1c=2",
        "a b=1",
        "a.b=1",
        "solve=1",
        "solve.=1",
        "solve.level=1",
        "solve.level.leader=1",
        "solve.level.leader.steps.more=1",
        "solve.strategy.iterations=1",
        "level.leader.steps=1",
    ],
)
def test_what_is_no_flag_is_refused(flag):
    assert problem(flag).code == "E702"


def test_a_param_given_twice_is_marked():
    diagnostic = problem("c=1", "c=2")
    assert diagnostic.code == "E506" and diagnostic.span.source.text == "c=2"


def test_an_option_given_twice_is_marked():
    layer, _, _ = layer_of_flags(["solve.seed=1", "solve.seed=2"])
    _, [diagnostic] = read_settings([layer], ())
    assert diagnostic.code == "E506" and diagnostic.span.source.text == "solve.seed=2"


def test_one_bad_flag_does_not_hide_the_others():
    _, params, diagnostics = layer_of_flags(["c", "d=1", "e=*"])
    assert list(params) == ["d"] and len(diagnostics) == 2


# ------------------------------------------------------------------ --strategy, --data


def test_a_strategy_flag_may_have_arguments():
    layer, _ = layer_of_strategy("implicit(linear_solver = cg)")
    read, _ = read_settings([layer], ())
    assert read.strategy == StrategyChoice("implicit", (("linear_solver", "cg"),))


def test_an_unknown_strategy_points_into_its_flag():
    layer, _ = layer_of_strategy("implict")
    _, [diagnostic] = read_settings([layer], ())
    assert diagnostic.code == "E502" and str(diagnostic.span) == "--strategy:1:1"


def test_a_strategy_that_does_not_parse_is_reported():
    layer, diagnostics = layer_of_strategy("implicit(")
    assert layer == () and diagnostics


def test_a_data_flag_is_a_path():
    paths, _ = paths_of_flags(["X=some dir/x=1.csv"])
    assert paths["X"][0] == "some dir/x=1.csv"


@pytest.mark.parametrize("flag", ["X", "X=", "=x.csv", "a b=x.csv"])
def test_what_is_no_data_flag_is_refused(flag):
    _, [diagnostic] = paths_of_flags([flag])
    assert diagnostic.code == "E702"


def test_data_given_twice_is_refused():
    _, [diagnostic] = paths_of_flags(["X=a.csv", "X=b.csv"])
    assert diagnostic.code == "E506"
