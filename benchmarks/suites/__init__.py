"""The suites, each a module of this package that holds a `SUITE`."""

from __future__ import annotations

import importlib

from .suite import Suite

NAMES = ("hypergradient", "solve", "overhead", "growth", "batch", "ways")


def load(name: str) -> Suite:
    """The suite of that name."""
    found = importlib.import_module(f"{__package__}.{name}").SUITE
    assert isinstance(found, Suite)
    return found
