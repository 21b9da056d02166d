"""Total gradients and lower solutions to nearly full precision, with dense linear algebra.

With more than a few thousand unknowns (two levels only) conjugate gradients take its place.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg

from benchmarks.contenders import flat_nest

from .problem import Problem

_DENSE = 2500
_STEPS = 60
# Each program runs a few times: compiling is most of the time.
_CHEAPLY = {"xla_backend_optimization_level": 1, "xla_llvm_disable_expensive_passes": True}


def reference(problem: Problem) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Each lower level's solution at the problem's start, and the total gradient there."""
    return reference_at(problem, problem.start)


def reference_at(problem: Problem, point: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Each lower level's solution at a choice of the top level, and the total gradient there.

    Newton's method from zero on the conditions of all lower levels at once, each step halved
    until their residual falls, until rounding stops it.
    """
    data = {name: jnp.asarray(value) for name, value in problem.data.items()}
    own = jnp.asarray(point)

    compiled = partial(jax.jit, compiler_options=_CHEAPLY)

    @compiled
    def residual(data: Any, own: jax.Array, flat: jax.Array) -> jax.Array:
        return flat_nest.stationarity(problem, data, own, flat)

    @compiled
    def solve(data: Any, own: jax.Array, flat: jax.Array, right: jax.Array) -> jax.Array:
        if right.size <= _DENSE:
            return jnp.linalg.solve(flat_nest.jacobian(problem, data, own, flat), right)
        _, product = jax.linearize(lambda flat: residual(data, own, flat), flat)
        return cg(product, right, tol=1e-14, maxiter=1000)[0]

    @compiled
    def right_side(data: Any, own: jax.Array, flat: jax.Array) -> jax.Array:
        return flat_nest.right_side(problem, data, own, flat)

    @compiled
    def total(data: Any, own: jax.Array, flat: jax.Array, multipliers: jax.Array) -> jax.Array:
        return flat_nest.total_gradient(problem, data, own, flat, multipliers)

    flat = jnp.zeros(flat_nest.unknowns(problem))
    value = residual(data, own, flat)
    for _ in range(_STEPS):
        move, size = solve(data, own, flat, value), float(jnp.linalg.norm(value))
        length = 1.0
        while length > 1e-3:
            tried = flat - length * move
            found = residual(data, own, tried)
            if float(jnp.linalg.norm(found)) < size:
                break
            length /= 2
        else:
            break
        flat, value = tried, found
    size = float(jnp.linalg.norm(value))
    assert size <= 1e-10 * np.sqrt(flat.size), f"the reference stands at a residual of {size}"
    below = tuple(map(np.asarray, flat_nest.variables(problem, flat)))
    multipliers = -solve(data, own, flat, right_side(data, own, flat))
    return below, np.asarray(total(data, own, flat, multipliers))
