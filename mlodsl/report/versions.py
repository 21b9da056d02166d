"""The versions that a result was computed with."""

from __future__ import annotations

import functools
from importlib.metadata import PackageNotFoundError, version

import mlodsl


@functools.cache
def versions() -> dict[str, str]:
    """Versions of mlodsl and of what its numbers depend on."""
    found = {"mlodsl": mlodsl.__version__}
    for package in ("jax", "jaxlib", "equinox", "lineax", "optax", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            # A package may be there without metadata, e.g. from a checkout on the path.
            found[package] = "unknown"
    return found
