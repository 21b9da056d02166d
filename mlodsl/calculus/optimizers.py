"""The Optax optimisers that settings name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from mlodsl.settings import OPTIMIZERS, OptimizerChoice


def optax_optimizer(choice: OptimizerChoice, seed: int) -> optax.GradientTransformationExtraArgs:
    """The Optax optimiser that a checked choice names, with its schedule; one that draws, from
    `seed`."""
    arguments: dict[str, Any] = dict(choice.arguments)
    if OPTIMIZERS[choice.name].draws:
        arguments["key"] = seed
    if choice.decay is not None:
        arguments["learning_rate"] = _exponential(arguments["learning_rate"], choice.decay)
    return optax.with_extra_args_support(getattr(optax, choice.name)(**arguments))


def _exponential(rate: float, decay: float) -> Callable[[Int[Array, ""]], Float[Array, ""]]:
    """rate · decay^count. Optax's own `exponential_decay` computes it in 32 bits."""
    return lambda count: rate * jnp.power(jnp.asarray(decay, float), count)
