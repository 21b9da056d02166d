"""Who is compared, each a module with a `CONTENDER`; it imports its packages when it is used."""

from __future__ import annotations

import importlib

from .contender import Contender as Contender, Kind as Kind

NAMES = {
    "mlodsl": "mlodsl_model",
    "mlodsl-call": "mlodsl_call",
    "jax": "hand_jax",
    "itd-x10": "paper_itd",
    "jaxopt": "peer_jaxopt",
    "jaxopt-plain": "peer_jaxopt_plain",
    "blvpy": "blvpy_model",
    "betty": "peer_betty",
    "optimistix": "peer_optimistix",
    "optimistix-plain": "peer_optimistix_plain",
}
"""Names as shown, and modules; mlodsl is the unit, those that compile longest come last."""


def load(name: str) -> Contender:
    """The contender of that name.

    Raises:
        ImportError: a package that it needs isn't installed.
    """
    found: Contender = importlib.import_module(f"{__package__}.{NAMES[name]}").CONTENDER
    return found
