"""Levels, players, constraints, domains, starts, and what a solver may refuse."""

import pytest

from mlodsl.settings import LevelSettings, Settings
from mlodsl.syntax import nodes

from .checking import checked, errors


def test_a_model_is_its_levels_from_the_top() -> None:
    model = checked(
        'model game "A game"\nlevel top "leads" { var x : real[2] maximize -sumsq(x - y) }\n'
        "level bottom { var y : real minimize (y - x[0])^2 }"
    )
    assert (model.name, model.title) == ("game", "A game")
    assert [(level.name, level.title) for level in model.levels] == [
        ("top", "leads"),
        ("bottom", ""),
    ]
    assert [level.players[0].sense for level in model.levels] == ["maximize", "minimize"]
    assert [v.shape for level in model.levels for v in level.variables] == [(2,), ()]


def test_without_a_header_the_stem_of_the_file_names_the_model() -> None:
    assert checked("level l { var x : real minimize x^2 }").name == "test"


def test_players_are_listed_in_their_level() -> None:
    model = checked(
        "level market { let price = 10 - a - b\n"
        "player one { var a : real maximize price * a }\n"
        "player two { var b : real maximize price * b } }"
    )
    (level,) = model.levels
    assert level.has_players and [player.name for player in level.players] == ["one", "two"]


def test_the_settings_are_those_of_the_solve_block() -> None:
    model = checked(
        "level l { var x : real minimize x^2 }\nsolve { seed = 3 level l { steps = 5 } }"
    )
    assert model.settings == Settings(seed=3, levels=(("l", LevelSettings(steps=5)),))


@pytest.mark.parametrize(
    ("text", "code", "kind"),
    [
        ("level l { var f : mlp(2, 1) minimize sumsq(f) }", "E803", nodes.Var),
        ("level l { var x : real minimize x^2 } solve { batch_size = 8 }", "E804", nodes.Option),
    ],
)
def test_what_a_solver_may_refuse_is_listed(text: str, code: str, kind: type) -> None:
    ((found, node),) = checked(text).features
    assert found == code and isinstance(node, kind)


def test_whether_a_model_names_multipliers_is_known() -> None:
    text = (
        "level u {{ var x : real in [0, 1] minimize x^2 + {term} }}\n"
        "level l {{ var y : real minimize (y - x)^2 subject to c : y <= 1 }}"
    )
    assert checked(text.format(term="dual(c)")).uses_duals
    assert not checked(text.format(term="y")).uses_duals


@pytest.mark.parametrize(
    "level",
    [
        "var x : real[3] in [0, inf] minimize sum(x)",
        "var x : real[3] in [[0, 0, 0], [1, 2, 3]] minimize sum(x)",
        "var x : real[2, 3] in simplex = 1 / 3 minimize sum(x)",
        "var x : real[3] in ball(2.5) ~ uniform(-1, 1) minimize sum(x)",
        "var x : real[3] ~ normal([1, 2, 3], 0.1) minimize sum(x)",
        "var x : real[2, 3] = [1, 2, 3] minimize sum(x)",
    ],
)
def test_right_domains_and_starts_are_accepted(level: str) -> None:
    assert errors(f"level l {{ {level} }}") == []


def test_a_domain_may_use_variables_of_the_levels_above() -> None:
    text = "let b = 2 * x\nlevel u { var x : real minimize x^2 }\n"
    assert errors(text + "level l { var y : real in [x, b] minimize y^2 }") == []


def test_a_domain_may_not_use_variables_of_its_own_level() -> None:
    text = "level l { var x : real var y : real in [0, x] minimize x * y }"
    assert errors(text) == [("E106", "x")]


def test_a_start_may_not_use_a_variable_through_a_let() -> None:
    text = "let b = 2 * x\nlevel u { var x : real var y : real = b minimize x^2 + y }"
    assert errors(text) == [("E106", "b")]


def test_a_draw_may_not_be_larger_than_its_variable() -> None:
    text = "level l { var x : real ~ normal([1, 2], 1) minimize x^2 }"
    assert errors(text) == [("E201", "[1, 2]")]


def test_a_constraint_binds_elementwise_and_for_each_index() -> None:
    text = "level u { var x : real minimize x^2 + sum(dual(c)) * sum(dual(d) @ ones(4)) }\n"
    text += "level l { var y : real[3, 4] minimize sumsq(y) "
    text += "subject to c : y <= x, d : y[i] >= x for i in range(3), 0 <= sum(y) <= 5, x == x }"
    assert errors(text) == []


def test_a_multiplier_has_the_shape_of_its_constraint() -> None:
    text = "level u { var x : real minimize x^2 + dual(c) }\n"
    text += "level l { var y : real[3] minimize sumsq(y) subject to c : y <= x }"
    assert [code for code, _ in errors(text)] == ["E205"]


def test_a_strict_inequality_points_at_its_sign() -> None:
    text = "level l { var x : real minimize x^2 subject to (x) # <\n < 3 }"
    assert errors(text) == [("E006", "<")]


def test_a_missing_objective_is_at_its_level_and_a_second_one_at_its_keyword() -> None:
    text = "level a { var x : real }\nlevel b { var y : real minimize y^2 maximize y }"
    assert errors(text) == [("E302", "a"), ("E303", "maximize")]


def test_a_vector_is_no_objective() -> None:
    assert errors("level l { var x : real[2] minimize 2 * x }") == [("E205", "2 * x")]


def test_an_objective_whose_error_was_reported_is_not_reported_again() -> None:
    text = "level l { var x : real[2] minimize x + [1, 2, 3] }"
    assert errors(text) == [("E201", "x + [1, 2, 3]")]
