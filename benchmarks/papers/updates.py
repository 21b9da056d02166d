"""One update of a model, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

import mlodsl
from mlodsl.calculus import point_of
from mlodsl.solver.oracle import evaluate_top
from mlodsl.strategies import Point

from .running import NEVER, planned


def compiled_update(model: mlodsl.Model, **options: Any) -> Callable[[], Point]:
    """One evaluation of the top level's total gradient at the model's start, compiled.

    It solves the lower levels as the options say, and differentiates. All that Python does is
    one call of the compiled program; the first call compiles it.
    """
    problem, settings, nest = planned(model, **options)
    with jax.enable_x64(True):
        start = problem.start(jax.random.PRNGKey(settings.seed))
        arguments = (
            eqx.filter(nest, eqx.is_array),
            start[0],
            point_of(problem.sizes, 1, start[1:]),
            jnp.asarray(NEVER),
        )
        static = eqx.filter(nest, eqx.is_array, inverse=True)

        def update(arrays: Any, own: Any, guess: Any, tolerance: Any) -> Any:
            point = evaluate_top(eqx.combine(arrays, static), own, guess, tolerance)
            return eqx.filter(point, eqx.is_array)

        compiled = jax.jit(update)

    def once() -> Point:
        with jax.enable_x64(True):
            return jax.block_until_ready(compiled(*arguments))

    return once
