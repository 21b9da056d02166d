"""`solve` blocks as settings, and what is wrong with them."""

import pytest

from mlodsl.diagnostics import Source
from mlodsl.settings import (
    LevelSettings,
    OptimizerChoice,
    Settings,
    StrategyChoice,
    read_settings,
)
from mlodsl.syntax import parse_program

LEVELS = ("leader", "follower")


def layer(text):
    program, diagnostics = parse_program(Source("run.mlo", f"solve {{ {text} }}"))
    assert program is not None, diagnostics
    return program.statements[0].options


def settings(*texts):
    read, diagnostics = read_settings([layer(text) for text in texts], LEVELS)
    assert diagnostics == ()
    return read


def problems(*texts):
    """Code, text at the span, and hint of each diagnostic."""
    _, diagnostics = read_settings([layer(text) for text in texts], LEVELS)
    return [(item.code, item.span.text, item.hint) for item in diagnostics]


def problem(*texts):
    [(code, text, _)] = problems(*texts)
    return code, text


def test_no_layer_gives_the_defaults():
    assert read_settings([], LEVELS) == (Settings(), ())


def test_every_option_of_solve_is_read():
    text = """tolerance = 1e-6, max_steps = 20; timeout = 1.5 seed = 3 precision = float32
              batch_size = 32 starts = 4 strategy = implicit"""
    assert settings(text) == Settings(
        strategy=StrategyChoice("implicit"),
        tolerance=1e-6,
        max_steps=20,
        timeout=1.5,
        seed=3,
        precision="float32",
        batch_size=32,
        starts=4,
    )


def test_every_option_of_a_level_is_read():
    text = "level follower { optimizer = sgd(0.01) steps = 3 tolerance = 1e-3 }"
    assert settings(text).level("follower") == LevelSettings(
        OptimizerChoice("sgd", (("learning_rate", 0.01),)), steps=3, tolerance=1e-3
    )


def test_a_level_without_options_has_the_defaults():
    assert settings("level follower { steps = 3 }").level("leader") == LevelSettings()


def test_levels_stand_in_the_order_of_the_model():
    text = "level follower { steps = 3 } level leader { steps = 2 }"
    assert [name for name, _ in settings(text).levels] == ["leader", "follower"]


def test_settings_are_hashable():
    text = "strategy = implicit(iterations = 3) level follower { optimizer = adam(0.1) }"
    assert hash(settings(text)) == hash(settings(text))


# ------------------------------------------------------------------ values


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1/4", 0.25),
        ("2^-3", 0.125),
        ("2**-3", 0.125),
        ("10^-8", 1e-8),
        ("(1 + 2) * 3 - 4", 5.0),
        ("--1", 1.0),
        ("pi", 3.141592653589793),
        ("1", 1.0),
    ],
)
def test_a_number_may_be_constant_arithmetic(written, value):
    assert settings(f"tolerance = {written}").tolerance == value


@pytest.mark.parametrize("written", ["1e3", "1000.0", "10^3", "2 * 500"])
def test_a_whole_number_may_be_written_with_a_point_or_an_exponent(written):
    read = settings(f"max_steps = {written}").max_steps
    assert read == 1000 and type(read) is int


def test_auto_stands_for_the_default_tolerance():
    assert settings("tolerance = 1e-3", "tolerance = auto").tolerance is None


def test_an_infinite_timeout_is_none():
    assert settings("timeout = 3", "timeout = inf").timeout is None


@pytest.mark.parametrize(
    "text",
    [
        "tolerance = 0",
        "tolerance = -1",
        "tolerance = inf",
        "tolerance = small",
        "tolerance = true",
        "tolerance = [1]",
        "tolerance = sqrt(2)",
        "tolerance = 1 / 0",
        "tolerance = 0^-1",
        "tolerance = (-1)^0.5",
        "tolerance = inf - inf",
        "tolerance = 10.0^400",
        "tolerance = 9^9^9^9",
        "tolerance = -auto",
        "max_steps = 0",
        "max_steps = 1.5",
        "max_steps = auto",
        "max_steps = inf",
        "max_steps = 1e30",
        "timeout = 0",
        "seed = -1",
        "seed = 0.5",
        "precision = float16",
        "precision = 64",
        "batch_size = 0",
        "starts = 0",
        "starts = many",
        "strategy = 3",
        "strategy = true",
        "level follower { steps = 0 }",
        "level follower { tolerance = -1 }",
        "level follower { optimizer = 3 }",
    ],
)
def test_a_wrong_value_is_marked(text):
    written = text.removeprefix("level follower { ").removesuffix(" }").partition(" = ")[2]
    assert problem(text) == ("E504", written)


def test_a_wrong_value_says_what_was_expected_and_found():
    _, [diagnostic] = read_settings([layer("max_steps = -3")], LEVELS)
    assert diagnostic.message == ("`max_steps` must be a whole number of at least 1, found `-3`")


def test_a_misspelt_word_gets_a_suggestion():
    assert problems("precision = float46")[0][2] == "did you mean `float64`?"


# ------------------------------------------------------------------ keys


def test_an_unknown_option_is_marked_with_the_likely_one():
    assert problems("tolerence = 1") == [("E501", "tolerence", "did you mean `tolerance`?")]


def test_an_unknown_option_of_a_level_is_marked():
    assert problems("level leader { step = 1 }") == [("E501", "step", "did you mean `steps`?")]


def test_an_option_of_a_level_outside_of_one_says_where_it_belongs():
    assert problems("optimizer = adam(0.1)") == [
        ("E501", "optimizer", "write `level NAME { optimizer = … }`")
    ]


def test_an_option_of_solve_inside_a_level_says_where_it_belongs():
    assert problems("level leader { max_steps = 3 }") == [
        ("E501", "max_steps", "write `max_steps` outside of the level's braces")
    ]


def test_an_unknown_level_is_marked_with_the_likely_one():
    assert problems("level folower { steps = 1 }") == [
        ("E505", "folower", "did you mean `follower`?")
    ]


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("seed = 1 seed = 2", "seed"),
        ("level leader { steps = 1 steps = 2 }", "steps"),
        ("level leader { steps = 1 } level leader { tolerance = 2 }", "leader"),
        ("strategy = implicit(iterations = 1, iterations = 2)", "iterations"),
        ("level leader { optimizer = sgd(1, momentum = 0, momentum = 1) }", "momentum"),
        ("level leader { optimizer = sgd(1, learning_rate = 1) }", "learning_rate"),
    ],
)
def test_a_key_given_twice_is_marked_at_the_second(text, second):
    _, [diagnostic] = read_settings([layer(text)], LEVELS)
    assert diagnostic.code == "E506"
    assert diagnostic.span.start == diagnostic.span.source.text.rindex(second)


def test_all_errors_are_found_in_one_run():
    text = "tolerence = 1 seed = -1 strategy = ktk level nobody { optimizer = adm(1) steps = 0 }"
    codes = [code for code, _, _ in problems(text)]
    assert sorted(codes) == ["E501", "E502", "E503", "E504", "E504", "E505"]


# ------------------------------------------------------------------ layers


def test_a_later_layer_wins():
    assert settings("seed = 1 max_steps = 5", "seed = 2").seed == 2


def test_a_later_layer_leaves_other_options_alone():
    assert settings("seed = 1 max_steps = 5", "seed = 2").max_steps == 5


def test_layers_mix_the_options_of_a_level():
    read = settings("level leader { steps = 5 }", "level leader { optimizer = newton }")
    assert read.level("leader") == LevelSettings(OptimizerChoice("newton"), steps=5)


def test_a_later_strategy_replaces_the_earlier_one_whole():
    read = settings("strategy = implicit(iterations = 3)", "strategy = implicit")
    assert read.strategy == StrategyChoice("implicit")


def test_a_wrong_value_is_reported_though_a_later_layer_is_right():
    assert problem("seed = -1", "seed = 1") == ("E504", "-1")


# ------------------------------------------------------------------ strategies


def test_a_strategy_holds_the_given_options_alone_in_the_order_of_the_table():
    read = settings("strategy = implicit(tolerance = 1e-6, linear_solver = cg)").strategy
    assert read == StrategyChoice("implicit", (("linear_solver", "cg"), ("tolerance", 1e-6)))


@pytest.mark.parametrize("text", ["auto", "auto()", "implicit()"])
def test_a_strategy_may_stand_with_and_without_parentheses(text):
    assert settings(f"strategy = {text}").strategy == StrategyChoice(text.removesuffix("()"))


def test_an_unknown_strategy_is_marked_with_the_likely_one():
    assert problems("strategy = implict(iterations = 3)") == [
        ("E502", "implict", "did you mean `implicit`?")
    ]


def test_an_unknown_option_of_a_strategy_is_marked():
    assert problems("strategy = implicit(iteration = 3)") == [
        ("E501", "iteration", "did you mean `iterations`?")
    ]


def test_an_option_of_a_strategy_by_position_is_refused():
    assert problem("strategy = implicit(cg)") == ("E202", "cg")


def test_auto_takes_no_options():
    assert problem("strategy = auto(iterations = 3)") == ("E501", "iterations")


@pytest.mark.parametrize("value", ["qr", "exact", "1"])
def test_an_unknown_linear_solver_lists_those_there_are(value):
    _, [diagnostic] = read_settings([layer(f"strategy = implicit(linear_solver = {value})")], ())
    assert diagnostic.code == "E504"
    assert (
        "`auto`, `cg`, `dense`, `minres` or `neumann`" in diagnostic.message
        and diagnostic.span.text == value
    )


@pytest.mark.parametrize("text", ["iterations = -1", "iterations = 0.5", "tolerance = 0"])
def test_a_value_out_of_range_in_a_strategy_is_marked(text):
    assert problem(f"strategy = implicit({text})") == ("E504", text.partition(" = ")[2])


# ------------------------------------------------------------------ optimisers


def optimizer(text):
    return settings(f"level leader {{ optimizer = {text} }}").level("leader").optimizer


def wrong_optimizer(text):
    return problem(f"level leader {{ optimizer = {text} }}")


def test_positional_arguments_are_named():
    assert optimizer("adam(0.1, 0.5)").arguments == (("learning_rate", 0.1), ("b1", 0.5))


def test_arguments_stand_in_the_order_of_the_table():
    assert optimizer("sgd(nesterov = true, learning_rate = 1)").arguments == (
        ("learning_rate", 1.0),
        ("nesterov", True),
    )


def test_a_schedule_is_the_decay_of_the_learning_rate():
    assert optimizer("adam(0.1, b1 = 0.5, schedule = exponential(0.99))") == OptimizerChoice(
        "adam", (("learning_rate", 0.1), ("b1", 0.5)), 0.99
    )


@pytest.mark.parametrize("name", ["auto", "newton", "lbfgs"])
def test_our_own_optimizers_need_no_arguments(name):
    assert optimizer(name) == OptimizerChoice(name)


def test_lbfgs_has_a_memory():
    assert optimizer("lbfgs(memory = 5)").arguments == (("memory", 5),)


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [
        ("adam", "E202", "adam"),
        ("adam()", "E202", "adam()"),
        ("adam(b1 = 0.5)", "E202", "adam(b1 = 0.5)"),
        ("sgd(1, 0.9, true, 4)", "E202", "4"),
        ("newton(3)", "E202", "3"),
        ("lbfgs(5)", "E202", "5"),
        ("adam(0.1, beta = 0.5)", "E203", "beta"),
        ("adam(0.1, mu_dtype = 0.5)", "E203", "mu_dtype"),
        ("newton(memory = 5)", "E203", "memory"),
        ("newton(schedule = exponential(0.9))", "E203", "schedule"),
        ("rprop(0.1, schedule = exponential(0.9))", "E203", "schedule"),
        ("sm3(0.1, schedule = exponential(0.9))", "E203", "schedule"),
        ("adadelta(schedule = exponential(0.9))", "E202", "schedule = exponential(0.9)"),
        ("adam(0)", "E504", "0"),
        ("adam(-0.1)", "E504", "-0.1"),
        ("adam(rate)", "E504", "rate"),
        ("adam(0.1, b1 = true)", "E504", "true"),
        ("sgd(0.1, nesterov = 1)", "E504", "1"),
        ("lbfgs(memory = 0)", "E504", "0"),
        ("adam(0.1, schedule = 0.99)", "E504", "0.99"),
        ("adam(0.1, schedule = linear(0.99))", "E504", "linear(0.99)"),
        ("adam(0.1, schedule = exponential(0))", "E504", "0"),
        ("adam(0.1, schedule = exponential())", "E504", "exponential()"),
        ("adm(0.1)", "E503", "adm"),
        ("polyak_sgd(0.1)", "E503", "polyak_sgd"),
    ],
)
def test_a_wrong_optimizer_is_marked(text, code, marked):
    assert wrong_optimizer(text) == (code, marked)


def test_a_missing_learning_rate_shows_the_signature():
    _, [diagnostic] = read_settings([layer("level leader { optimizer = sgd }")], LEVELS)
    assert "`sgd(learning_rate, momentum = none, nesterov = false)`" in diagnostic.message
