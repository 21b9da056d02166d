import numpy as np
import pytest

from mlodsl.solver import Certificate, LevelCertificate, Solution, Status
from mlodsl.solver.choose import ChosenStrategy
from mlodsl.solver.rules import Built
from mlodsl.strategies import Implicit


@pytest.fixture
def solution():
    """A solution as `solve` returns it, with one number that isn't finite."""
    level = LevelCertificate(1e-12, 2.0, "y", True, 1e-13)
    return Solution(
        status=Status.CONVERGED,
        message="level `leader` is at a local maximum",
        strategy=ChosenStrategy("implicit", "auto", "it fits", {}, Built(Implicit(), {})),
        params={},
        variables={
            "x": np.array(0.5),
            "y": np.array([[0.25, np.inf], [np.nan, -np.inf]]),
            "z": np.linspace(0, 1, 100),
        },
        objectives={"leader": 0.0625, "follower": float("-inf")},
        certificate=Certificate(
            claim="local",
            hypergradient_norm=1e-9,
            rounding=1e-16,
            levels={"follower": level},
            constraint_violation=0.0,
            checked_against="finite differences",
            relative_error=1e-8,
            response_error=0.0,
            starts=3,
            findings=(),
        ),
        steps=12,
        evaluations={"leader": 13, "follower": 40},
        products={"leader": 26, "follower": 80},
        seconds={"compile": 0.8, "solve": 0.1, "certificate": 0.1, "total": 1.0},
        seed=0,
        device="cpu",
        devices=1,
        trace=[],
    )
