"""Where the variables start: at a value, or at a draw."""

from __future__ import annotations

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PRNGKeyArray

from mlodsl.check import BUILTINS, bind_arguments
from mlodsl.syntax import nodes

from .evaluator import evaluate
from .scope import Scope
from .values import Numbers, as_array


def start_of(
    start: nodes.Expression | nodes.Draw | None,
    shape: tuple[int, ...],
    scope: Scope,
    drawn: Numbers | None,
) -> Numbers:
    """The start of a variable, broadcast to its shape; 0 where the model says nothing.

    Arguments:
        drawn: for a start that is a draw, `standard_draw` of the variable's shape.
    """
    if start is None:
        return jnp.zeros(shape, scope.dtype)
    if not isinstance(start, nodes.Draw):
        return jnp.broadcast_to(as_array(evaluate(start, scope), scope.dtype), shape)
    assert drawn is not None
    name = start.distribution.function.name
    bound = bind_arguments(name, BUILTINS[name].parameters, start.distribution)
    first, second = (
        as_array(evaluate(expression, scope), scope.dtype)  # type: ignore[arg-type]
        for expression in (bound[parameter.name] for parameter in BUILTINS[name].parameters)
    )
    return first + (second if name == "normal" else second - first) * drawn


def standard_draw(
    start: nodes.Draw,
    shape: tuple[int, ...],
    dtype: np.dtype,
    seed: int | PRNGKeyArray,
    position: int,
) -> Numbers:
    """From `normal(0, 1)` or `uniform(0, 1)`, as the start says.

    Where the seed is known it is computed at once, also while JAX traces: a draw of 64 bits can't
    be part of a caller's program of 32.

    Arguments:
        seed: of the whole start, or its key.
        position: the variable's number; a draw uses `fold_in(key, position)`, so that one
            variable's draw doesn't depend on how many others there are.
    """
    normal = start.distribution.function.name == "normal"
    draw = jax.random.normal if normal else jax.random.uniform
    traced = isinstance(seed, jax.core.Tracer)
    with contextlib.nullcontext() if traced else jax.ensure_compile_time_eval():
        key = jax.random.PRNGKey(seed) if isinstance(seed, int) else seed
        return draw(jax.random.fold_in(key, position), shape, dtype)
