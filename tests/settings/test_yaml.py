"""YAML files of `--config`."""

from pathlib import Path

import pytest

from mlodsl.diagnostics import ModelError, Source
from mlodsl.settings import (
    LevelSettings,
    OptimizerChoice,
    StrategyChoice,
    YamlConfig,
    read_settings,
    read_yaml,
)
from mlodsl.syntax import parse_expression

LEVELS = ("leader", "follower", "on")


def config(text):
    return read_yaml(Source("run.yaml", text))


def settings(text):
    read, diagnostics = read_settings([config(text).layer], LEVELS)
    assert diagnostics == ()
    return read


def problems(text):
    """Code and text at the span, of the file itself or of the settings in it."""
    try:
        _, diagnostics = read_settings([config(text).layer], LEVELS)
    except ModelError as error:
        diagnostics = error.diagnostics
    return [(item.code, item.span.text) for item in diagnostics]


def problem(text):
    [found] = problems(text)
    return found


def test_a_whole_file_is_read():
    text = """# a run
params:
  c: 10
  A: [[1, 2], [3, -4e-1]]
data:
  wine: "winequality-white.csv"
solve:
  strategy: implicit(linear_solver = cg)
  tolerance: 1e-6
  level:
    leader:
      optimizer: "adam(0.1, b1 = 0.5)"
      steps: 30
"""
    read = config(text)
    assert read.params["c"] == parse_expression(Source("", "10"))
    assert read.params["A"] == parse_expression(Source("", "[[1, 2], [3, -4e-1]]"))
    assert read.data["wine"][0] == "winequality-white.csv"
    assert settings(text).strategy == StrategyChoice("implicit", (("linear_solver", "cg"),))
    assert settings(text).level("leader") == LevelSettings(
        OptimizerChoice("adam", (("learning_rate", 0.1), ("b1", 0.5))), steps=30
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null", "solve:\n", "params: {}\n"])
def test_an_empty_file_says_nothing(text):
    assert config(text) == YamlConfig()


@pytest.mark.parametrize(
    ("written", "value"),
    [("1e-8", 1e-8), ("1.0e-8", 1e-8), ("'1e-8'", 1e-8), ("1/4", 0.25), ("2^-3", 0.125)],
)
def test_a_number_is_what_it_is_in_a_model(written, value):
    assert settings(f"solve: {{tolerance: {written}}}").tolerance == value


@pytest.mark.parametrize("written", ["inf", ".inf", ".Inf"])
def test_infinity_may_be_spelt_as_yaml_does(written):
    assert settings(f"solve:\n  timeout: {written}\n").timeout is None


@pytest.mark.parametrize("written", ["true", "True", "TRUE"])
def test_truth_may_be_spelt_as_yaml_does(written):
    optimizer = f"{{name: sgd, learning_rate: 1, nesterov: {written}}}"
    text = f"solve: {{level: {{leader: {{optimizer: {optimizer}}}}}}}"
    assert ("nesterov", True) in settings(text).level("leader").optimizer.arguments


def test_a_level_may_be_called_on():
    assert settings("solve: {level: {on: {steps: 3}}}").level("on").steps == 3


@pytest.mark.parametrize("written", ["yes", "on", "0x10", "1_000", "1:30"])
def test_what_only_yaml_1_1_takes_for_a_number_or_truth_is_refused(written):
    assert problems(f"solve: {{seed: {written}}}")


def test_a_strategy_may_be_a_mapping():
    read = settings("solve:\n  strategy: {name: implicit, linear_solver: cg, iterations: 3}\n")
    assert read.strategy == StrategyChoice("implicit", (("linear_solver", "cg"), ("iterations", 3)))


def test_an_optimizer_may_be_a_mapping():
    text = """
solve:
  level:
    leader:
      optimizer:
        name: adam
        learning_rate: 0.1
        schedule: exponential(0.99)
"""
    assert settings(text).level("leader").optimizer == OptimizerChoice(
        "adam", (("learning_rate", 0.1),), 0.99
    )


def test_a_value_may_be_a_block_scalar():
    text = "solve:\n  strategy: >\n    implicit(iterations =\n    3)\n"
    assert settings(text).strategy == StrategyChoice("implicit", (("iterations", 3),))


def test_data_paths_are_relative_to_the_folder():
    read = read_yaml(Source("runs/a.yaml", "data: {X: x.csv}"), Path("runs"))
    assert read.data["X"][0] == str(Path("runs") / "x.csv")


def test_an_absolute_data_path_stays(tmp_path):
    read = read_yaml(Source("a.yaml", f"data: {{X: {tmp_path}/x.csv}}"), Path("runs"))
    assert read.data["X"][0] == f"{tmp_path}/x.csv"


# ------------------------------------------------------------------ places


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [
        ("solve:\n  tolerence: 1\n", "E501", "tolerence"),
        ("solve:\n  seed: -1\n", "E504", "-1"),
        ("solve:\n  seed: '-1'\n", "E504", "-1"),
        ("solve:\n  precision: .nan\n", "E002", "."),
        ("solve: {strategy: implict}\n", "E502", "implict"),
        ("solve: {strategy: 'implicit(iteration = 3)'}\n", "E501", "iteration"),
        ("solve: {strategy: {name: implicit, iteration: 3}}\n", "E501", "iteration"),
        ("solve: {strategy: {name: implicit, iterations: 1, iterations: 2}}", "E506", "iterations"),
        ("solve: {strategy: {iterations: 3}}\n", "E702", "{iterations: 3}"),
        ("solve: {level: {nobody: {steps: 3}}}\n", "E505", "nobody"),
        ("solve: {level: {leader: {step: 3}}}\n", "E501", "step"),
        ("solve: {level: {leader: 3}}\n", "E702", "3"),
        ("solve: {level: [leader]}\n", "E702", "[leader]"),
        ("solve: {seed: [1, 2]}\n", "E504", "[1, 2]"),
        ("solve: {seed: 1, seed: 2}\n", "E506", "seed"),
        ("params: {c: 1, c: 2}\n", "E506", "c"),
        ("data: {X: [1, 2]}\n", "E702", "[1, 2]"),
        ("params: [1, 2]\n", "E702", "[1, 2]"),
        ("solve: implicit\n", "E702", "implicit"),
        ("solver: {}\n", "E702", "solver"),
        ("strategy: auto\n", "E702", "strategy"),
        ("seed: 1\nsolve: {}\n", "E702", "seed"),
        ("solve: {}\nsolve: {seed: 1}\n", "E506", "solve"),
        ("- solve\n", "E701", "- solve"),
        ("just text\n", "E701", "just text"),
    ],
)
def test_a_mistake_is_marked_in_the_file(text, code, marked):
    assert problem(text) == (code, marked)


def test_a_value_that_does_not_parse_points_into_the_file():
    with pytest.raises(ModelError) as error:
        config("params:\n  c: 1 + * 2\n")
    assert str(error.value.diagnostics[0].span) == "run.yaml:2:10"


def test_an_option_at_the_top_says_where_it_belongs():
    with pytest.raises(ModelError) as error:
        config("tolerance: 1")
    assert error.value.diagnostics[0].hint == "write it below `solve:`"


@pytest.mark.parametrize("nothing", ["", "~", "null"])
def test_an_option_without_a_value_is_refused(nothing):
    assert problem(f"solve:\n  seed: {nothing}\n")[0] == "E702"


def test_all_errors_are_found_in_one_run():
    text = "params: {c: '*', d: 1, d: 2}\nsolver: {}\ndata: {X: }\n"
    assert [code for code, _ in problems(text)] == ["E002", "E506", "E702", "E702"]


# ------------------------------------------------------------------ hostile files


@pytest.mark.parametrize(
    "text",
    [
        "solve: {seed: 1",
        "solve:\n\tseed: 1\n",
        "a: b: c\n",
        "solve: 'open\n",
        "solve: @x\n",
        "solve: {seed: \x07}\n",
        'solve: {seed: "\\UFFFFFFFF"}\n',
        'solve: {seed: "\\uD800"}\n',
        "%YAML 3.0\n---\nsolve: {}\n",
        "solve: {}\n---\nsolve: {}\n",
        "solve: {}\n...\nmore: {}\n",
        "params: {c: &a 1, d: *a}\n",
        "params: {c: !!python/object/apply:os.system ['true']}\n",
        "params: {c: !!int 3}\n",
        "params: {<<: {c: 1}}\n",
        "? [a, b]\n: 1\n",
        "? {a: b}\n: 1\n",
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 50_000,
        "params: {c: " + "[" * 40 + "]" * 40 + "}",
    ],
    ids=range(21),
)
def test_a_hostile_file_is_a_diagnostic(text):
    assert [code for code, _ in problems(text)] == ["E701"]


def test_a_bomb_of_aliases_is_refused_at_the_first_alias():
    text = 'params:\n  a: &a ["x", "x"]\n  b: &b [*a, *a]\n  c: [*b, *b]\n'
    assert problem(text) == ("E701", "*a")
