from pathlib import Path

from mlodsl.loading import ready_models
from mlodsl.settings import STRATEGIES


def test_models_are_listed_with_their_titles(shell):
    code, out, err = shell("models")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(ready_models())
    assert "Generalised Stackelberg game of three firms" in out


def test_a_model_in_full_is_its_text_and_its_path_is_beside_it(shell):
    code, out, err = shell("models", "stackelberg3")
    path = Path(err.strip())
    assert code == 0
    assert out == path.read_text(encoding="utf-8")


def test_an_unknown_model_gets_the_nearest_one_suggested(shell):
    code, out, err = shell("models", "stackelburg3")
    assert (code, out) == (2, "")
    assert "did you mean `stackelberg3`?" in err


def test_strategies_are_listed_with_a_line_each(shell):
    code, out, _ = shell("strategies")
    assert code == 0
    for name, strategy in STRATEGIES.items():
        assert f"{name} " in out
        assert strategy.summary in out


def test_a_strategy_in_full_has_its_options(shell):
    code, out, _ = shell("strategies", "implicit")
    assert code == 0
    for option in STRATEGIES["implicit"].options:
        assert f"\n{option.name} = " in out


def test_an_unknown_strategy_gets_the_nearest_one_suggested(shell):
    code, _, err = shell("strategies", "implicid")
    assert code == 2
    assert "did you mean `implicit`?" in err
