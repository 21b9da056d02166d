"""A certificate's figures are those of the returned point, also where a level stopped early."""

import importlib

import numpy as np
import pytest
import scipy.optimize

import mlodsl

BEAM = """
level designer { var k : real = 1  minimize u^2 + 0.1*exp(k) }
level beam { var u : real  minimize 0.5*exp(k)*u^2 + 0.25*u^4 - u }
solve { level beam { optimizer = adam(0.1)  steps = 5 } }
"""


def test_a_level_that_stopped_early_is_shown_as_it_is_returned() -> None:
    result = mlodsl.compile(BEAM).solve()
    assert result.status != "converged"
    k, u = float(result["k"]), float(result["u"])

    def objective(u: float) -> float:
        return 0.5 * np.exp(k) * u**2 + 0.25 * u**4 - u

    slope = np.exp(k) * u + u**3 - 1
    best = scipy.optimize.minimize_scalar(objective, bounds=(0, 1), method="bounded").fun
    beam = result.certificate["levels"]["beam"]
    assert abs(slope) > 0.1
    assert beam["gradient_norm"] == pytest.approx(abs(slope), rel=1e-9)
    assert beam["gap"] == pytest.approx(objective(u) - best, rel=1e-6)


def test_the_device_is_where_it_was_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a machine whose other device JAX would take by itself.
    module = importlib.import_module("mlodsl.solver.solution")
    monkeypatch.setattr(module, "default_platform", lambda: "gpu")
    assert mlodsl.compile(BEAM).solve().to_dict()["device"] == "cpu"
