"""Levels whose objectives are in very different units."""

import pytest

import mlodsl

MODEL = """
level a {{ var x : real minimize {} * ((x - 2)^2 + x * y + z^2) }}
level b {{ var y : real minimize {} * ((y - 3)^2 - x * y + exp(y)) }}
level c {{ var z : real minimize {} * (z^2 + x * z + log1p(exp(z * y))) }}
"""


@pytest.mark.parametrize(
    "units",
    [
        pytest.param((1e4, 1e-4, 1e-4), marks=pytest.mark.slow),
        (1e6, 1e-6, 1e6),
        pytest.param((1e-4, 1e4, 1), marks=pytest.mark.slow),
    ],
)
def test_the_units_of_the_objectives_do_not_matter(units: tuple[float, float, float]) -> None:
    plain = mlodsl.compile(MODEL.format(1, 1, 1)).solve()
    result = mlodsl.compile(MODEL.format(*units)).solve()
    assert result.status == "converged"
    for name in ("x", "y", "z"):
        assert float(result[name]) == pytest.approx(float(plain[name]), rel=1e-6)
