"""Where the variables start: at a value, or at a draw."""

from __future__ import annotations

import jax
import jax.numpy as jnp
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
    key: PRNGKeyArray,
    position: int,
) -> Numbers:
    """The start of a variable, broadcast to its shape; 0 where the model says nothing.

    Arguments:
        key: the key of the whole start.
        position: the variable's number; a draw uses `fold_in(key, position)`, so that one
            variable's draw doesn't depend on how many others there are.
    """
    if start is None:
        return jnp.zeros(shape, scope.dtype)
    if not isinstance(start, nodes.Draw):
        return jnp.broadcast_to(as_array(evaluate(start, scope), scope.dtype), shape)
    name = start.distribution.function.name
    bound = bind_arguments(name, BUILTINS[name].parameters, start.distribution)
    first, second = (
        as_array(evaluate(expression, scope), scope.dtype)  # type: ignore[arg-type]
        for expression in (bound[parameter.name] for parameter in BUILTINS[name].parameters)
    )
    own = jax.random.fold_in(key, position)
    if name == "normal":
        return first + second * jax.random.normal(own, shape, scope.dtype)
    return first + (second - first) * jax.random.uniform(own, shape, scope.dtype)
