"""Every ready model is solved by plain `solve()` to the answer that `answers.py` derives."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mlodsl

from .answers import ANSWERS, Answer
from .wine import DATA, read_table, solve_wine

MODELS = Path(__file__).parents[2] / "models"
TOLERANCE = 1e-6  # the accuracy that the models promise

# Other params than the defaults, so that what the models call scalable is.
SCALED: list[Any] = [
    ("stackelberg3", {"goods": 5}),
    pytest.param("chain5", {"d": 3, "goal": np.array([1.0, -2.0, 0.5])}, marks=pytest.mark.slow),
    ("ridge_tuning", {"n": 20, "m": 15, "d": 12, "noise": 1.0}),
    ("supply_chain", {"cost": 1.0, "slope": 2.0}),
    ("matrix_steering", {"n": 4, "m": 3, "ridge": 1.0, "price": 0.2}),
    ("portfolio_regulator", {"aversion": 3.0, "rescue": 0.6}),
]

needs_wine = pytest.mark.skipif(not DATA.is_dir(), reason="the wine data is not here")


def solve(name: str, **arguments: Any) -> Any:
    result = mlodsl.compile(MODELS / f"{name}.mlo", **arguments).solve()
    assert result.status == "converged", result.message
    return result


def assert_answer(result: Any, answer: Answer) -> None:
    for variable, expected in answer.items():
        np.testing.assert_allclose(
            result[variable], expected, rtol=TOLERANCE, atol=TOLERANCE, err_msg=variable
        )


def test_every_ready_model_has_an_answer() -> None:
    assert {path.stem for path in MODELS.glob("*.mlo")} == {*ANSWERS, "wine_poisoning"}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_ready_model_is_solved_to_its_answer(name: str) -> None:
    assert_answer(solve(name), ANSWERS[name]())


@pytest.mark.parametrize(
    ("name", "params"), SCALED, ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_ready_model_is_solved_at_another_size(name: str, params: dict[str, Any]) -> None:
    assert_answer(solve(name, params=params), ANSWERS[name](**params))


@needs_wine
@pytest.mark.parametrize("colour", ["red", pytest.param("white", marks=pytest.mark.slow)])
def test_the_wine_model_is_solved_to_its_answer(colour: str) -> None:
    table = read_table(colour)
    assert_answer(solve("wine_poisoning", data={"wine": table}), solve_wine(table))


def written_answers(text: str) -> dict[str, Any]:
    """What a model's comment says: `# Answer: x = 0.5, y = [0.25, 0]`."""
    line = re.search(r"^# Answer: (.*)$", text, flags=re.MULTILINE)
    if line is None:
        return {}
    found = re.findall(r"(\w+) = (-?\d+(?:\.\d+)?|\[[^]]*\])", line[1])
    return {name: json.loads(number) for name, number in found}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_in_a_models_comment_is_the_derived_one(name: str) -> None:
    derived = ANSWERS[name]()
    for variable, number in written_answers((MODELS / f"{name}.mlo").read_text()).items():
        np.testing.assert_allclose(derived[variable], number, atol=1e-8, err_msg=variable)


@needs_wine
def test_the_answer_in_the_wine_models_comment_is_the_derived_one() -> None:
    written = written_answers((MODELS / "wine_poisoning.mlo").read_text())
    assert written == pytest.approx({"lam": float(solve_wine(read_table("red"))["lam"])}, abs=1e-8)


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.mlo")), ids=lambda path: path.stem)
def test_a_ready_model_states_its_name_its_source_and_its_answer(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f'model {path.stem} "')
    assert "\n# Source: " in text
    # `matrix_steering` says where its answer comes from: it is two matrices.
    assert written_answers(text) or "the answer follows" in text
