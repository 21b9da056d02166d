"""Every strategy on every ready model: at the answer as far as it claims, or not `converged`."""

import numpy as np
import pytest

import mlodsl
from mlodsl.settings import STRATEGIES

from .answers import ANSWERS
from .constrained_answers import CONSTRAINED_ANSWERS
from .test_models import MODELS, TOLERANCE

# What a strategy promises of the variables, relative to 1 + their size. The penalty methods aim
# at 1e-3 of the total gradient, which curvatures below 1 (a price chain's) turn into more.
PROMISES = {
    "auto": TOLERANCE,
    "implicit": TOLERANCE,
    "itd": TOLERANCE,
    "fd": TOLERANCE,
    "galet": TOLERANCE,
    "hoag": TOLERANCE,
    "f2ba": 1e-2,
    "prox_f2ba": 1e-2,
    "value_function": 1e-2,
}
# Where the follower is indifferent, the ways that differentiate one answer of his say nothing of
# which one it is, and gradient descent takes 1 / σ steps along the flat directions.
PROMISES_WHERE_FLAT = {"auto": TOLERANCE, "value_function": 1e-2}
FLAT = {"indifferent_firm"}
PROMISES_WITH_CONSTRAINTS = {"auto": TOLERANCE, "kkt": TOLERANCE}
CONSTRAINED = set(CONSTRAINED_ANSWERS)
QUICK = [("ridge_tuning", "f2ba"), ("ridge_tuning", "galet"), ("sato_simple", "vgd")]
QUICK += [("toll_road", "implicit"), ("toll_road", "kkt")]
PRODUCT = [
    pytest.param(model, name, marks=() if (model, name) in QUICK else pytest.mark.slow)
    for model in ANSWERS
    for name in STRATEGIES
]


def test_every_strategy_but_the_baselines_promises_something() -> None:
    assert set(STRATEGIES) - set(PROMISES) == {"vgd", "tikhonov", "kkt"}


@pytest.mark.parametrize(("model", "name"), PRODUCT)
def test_a_strategy_ends_where_it_promises(model: str, name: str) -> None:
    compiled = mlodsl.compile(MODELS / f"{model}.mlo")
    try:
        result = compiled.solve(strategy=name)
    except mlodsl.ModelError as refusal:
        assert {finding.code for finding in refusal.diagnostics} == {"E507"}
        promised = model in CONSTRAINED and name in PROMISES_WITH_CONSTRAINTS
        assert not promised and (model in CONSTRAINED or name in ("tikhonov", "kkt"))
        return
    errors = [
        np.max(np.abs(np.asarray(result[variable]) - expected) / (1 + np.abs(expected)))
        for variable, expected in ANSWERS[model]().items()
    ]
    if result.status == "converged":
        assert max(errors) <= TOLERANCE
    promises = PROMISES_WHERE_FLAT if model in FLAT else PROMISES
    if model in CONSTRAINED:
        promises = PROMISES_WITH_CONSTRAINTS
    if name in promises:
        assert max(errors) <= promises[name], result.message
