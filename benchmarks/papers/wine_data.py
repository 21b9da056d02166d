"""The wine-quality tables, read where they lie; they don't come with mlodsl."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import mlodsl

from .experiment import DataMissing
from .schemes import PAPER_ADAM, few_steps

FOLDER = Path(__file__).parents[3] / "shared" / "data"
SCHEME = few_steps(("tuner", "attacker", "learner"), top=PAPER_ADAM)
SCHEME_IN_WORDS = (
    "Adam (rate 0.1 · 0.99^t, β₁ = 0.5) on λ, 30 steps of sgd(0.01) of the attacker for each, 3 of "
    "the learner for each of those, 3 iterations of conjugate gradients"
)


def wine_model(colour: str) -> mlodsl.Model:
    """`models/wine_poisoning.mlo` for the `red` or `white` wines.

    Raises:
        DataMissing: the table isn't there.
    """
    return mlodsl.compile(Path("wine_poisoning"), data={"wine": wine_table(colour)})


def wine_table(colour: str) -> np.ndarray:
    """A row for each of the `red` or `white` wines: 11 features, and the quality.

    Raises:
        DataMissing: the table isn't there.
    """
    path = FOLDER / f"winequality-{colour}.csv"
    if not path.exists():
        raise DataMissing(
            f"{path.name} (UCI Wine Quality) is not in the folder {FOLDER.parent.name}/"
            f"{FOLDER.name} beside the repository"
        )
    return np.genfromtxt(path, delimiter=";", skip_header=1)
