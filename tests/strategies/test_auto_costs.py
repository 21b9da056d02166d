"""What `auto` costs beyond the strategy it chooses."""

import logging

import jax
import pytest

import mlodsl

# Curvatures of this model's own, so that nothing is left compiled by other tests.
MODEL = """
level leader { var x : real = 1.0; minimize (x - y[0])^2 + sum(y^2) + 0.3*x }
level follower { var y : real[2]; minimize sum((y - x)^2) + 0.7*exp(y[0] - y[1]) }
"""


def compilations(strategy: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    jax.clear_caches()
    caplog.clear()
    with caplog.at_level(logging.WARNING), jax.log_compiles():
        assert mlodsl.compile(MODEL).solve(strategy=strategy).status == "converged"
    return [
        record.getMessage().split(" in ")[0]
        for record in caplog.records
        if record.getMessage().startswith("Finished XLA compilation")
    ]


@pytest.mark.slow
def test_what_auto_probes_with_serves_its_run(caplog: pytest.LogCaptureFixture) -> None:
    named = compilations("implicit", caplog)
    assert len(named) > 5
    assert sorted(compilations("auto", caplog)) == sorted(named)
