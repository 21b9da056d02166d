"""The verified cases and the wine model: values and gradients of their objectives."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from .building import built

ROOT = Path(__file__).parents[2]
CASES = ROOT.parent / "shared" / "cases" / "multilevel"
WINE = ROOT.parent / "shared" / "data" / "winequality-red.csv"
KEY = jax.random.PRNGKey(0)

NAMES = ["tri_quad_scalar", "four_quad_vec2212", "three_generals_a", "generalized_stackelberg_n3"]
NAMES += ["generalized_stackelberg_n5", "tri_exp_costs", "supply_chain_exp"]


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases aren't beside the repository")
@pytest.mark.parametrize("name", NAMES)
def test_objectives_at_a_verified_answer_are_the_verified_ones(name: str) -> None:
    expected = json.loads((CASES / "expected.json").read_text())[name]
    problem = built((CASES / f"{name}.mlo").read_text())
    variables = {
        key: np.reshape(value, level.variables[position].shape)
        for level in problem.structure.levels
        for position, (key, value) in enumerate(
            (item.name, expected["variables"][item.name]) for item in level.variables
        )
    }
    found = problem.objectives(problem.pack(variables))
    written = [
        -value if sense == "maximize" else value
        for value, sense in zip(found, problem.senses, strict=True)
    ]
    # The answers have ten digits or more.
    np.testing.assert_allclose(written, list(expected["objectives"].values()), rtol=1e-9)


@pytest.fixture
def wine() -> np.ndarray:
    if not WINE.exists():
        pytest.skip("the wine data aren't beside the repository")
    return np.loadtxt(WINE, delimiter=";", skiprows=1)


@pytest.fixture
def wine_model() -> str:
    return (ROOT / "models" / "wine_poisoning.mlo").read_text()


def test_the_wine_objectives_are_those_of_numpy(wine: np.ndarray, wine_model: str) -> None:
    problem = built(wine_model, data={"wine": wine}).fold()
    rng = np.random.default_rng(0)
    P, theta, lam = rng.normal(size=(40, 11)), rng.normal(size=11), 0.3
    found = problem.objectives(problem.pack({"lam": lam, "P": P, "theta": theta}))
    table = (wine - wine.mean(0)) / wine.std(0)
    train, valid = table[:40], table[40:140]
    residual = (train[:, :-1] + P) @ theta - train[:, -1]
    expected = [
        np.mean((valid[:, :-1] @ theta - valid[:, -1]) ** 2),
        -np.mean(residual**2) + 100 / (40 * 11) * (P**2).sum(),
        np.mean(residual**2) + np.exp(lam) * np.sqrt(theta**2 + 0.01).sum() / 11,
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_wine_gradients_agree_with_differences(wine: np.ndarray, wine_model: str) -> None:
    problem = built(wine_model, data={"wine": wine}).fold()
    rng = np.random.default_rng(1)
    point = problem.pack({"lam": 0.2, "P": rng.normal(size=(40, 11)), "theta": rng.normal(size=11)})
    along = problem.pack({"lam": 1.0, "P": rng.normal(size=(40, 11)), "theta": rng.normal(size=11)})

    @jax.jit
    def values(step: jax.Array) -> jax.Array:
        moved = jax.tree.map(lambda x, d: x + step * d, point, along)
        return jax.numpy.stack(problem.objectives(moved))

    slopes = jax.jacfwd(values)(0.0)
    step = 1e-6
    # Central differences: step² from truncation, 1e-16 / step from rounding, of values near 10.
    np.testing.assert_allclose(
        slopes, (values(step) - values(-step)) / (2 * step), rtol=1e-8, atol=1e-8
    )


def test_the_wine_variables_start_at_zero(wine: np.ndarray, wine_model: str) -> None:
    problem = built(wine_model, data={"wine": wine})
    assert problem.sizes == (1, 440, 11)
    assert not any(vector.any() for vector in problem.start(KEY))
