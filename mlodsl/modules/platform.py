"""Where JAX computes."""

from __future__ import annotations

import jax


def default_platform() -> str:
    """The kind of device that JAX computes on where arrays don't say, `cpu` or `gpu`."""
    chosen = jax.config.jax_default_device  # type: ignore[attr-defined]
    if chosen is None:
        return jax.default_backend()
    return str(getattr(chosen, "platform", chosen))
