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
_HALVINGS = 10
# Each program runs a few times: compiling is most of the time.
_CHEAPLY = {"xla_backend_optimization_level": 1, "xla_llvm_disable_expensive_passes": True}


class Reference:
    """Solutions and total gradients of a problem at any choice of its top level.

    Newton's method from zero on the conditions of all lower levels at once, each step halved
    until their residual falls, until rounding stops it.
    """

    def __init__(self, problem: Problem) -> None:
        data = {name: jnp.asarray(value) for name, value in problem.data.items()}
        self.problem = problem
        compiled = partial(jax.jit, compiler_options=_CHEAPLY)

        @compiled
        def residual(data: Any, own: jax.Array, flat: jax.Array) -> jax.Array:
            return flat_nest.stationarity(problem, data, own, flat)

        @compiled
        def solve(data: Any, own: jax.Array, flat: jax.Array, right: jax.Array) -> jax.Array:
            if right.size <= _DENSE:
                return jnp.linalg.solve(flat_nest.jacobian(problem, data, own, flat), right)
            _, product = jax.linearize(
                lambda flat: flat_nest.stationarity(problem, data, own, flat), flat
            )
            return cg(product, right, tol=1e-14, maxiter=1000)[0]

        @compiled
        def right_side(data: Any, own: jax.Array, flat: jax.Array) -> jax.Array:
            return flat_nest.right_side(problem, data, own, flat)

        @compiled
        def total(data: Any, own: jax.Array, flat: jax.Array, adjoint: jax.Array) -> jax.Array:
            found = flat_nest.value_and_total_gradient(problem, data, own, flat, adjoint)
            return found[1]

        self._residual = partial(residual, data)
        self._solve = partial(solve, data)
        self._right_side = partial(right_side, data)
        self._total = partial(total, data)

    def at(self, point: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Each lower level's solution, and the total gradient."""
        own = jnp.asarray(point)
        flat = jnp.zeros(flat_nest.unknowns(self.problem))
        value = self._residual(own, flat)
        for _ in range(_STEPS):
            move, size = self._solve(own, flat, value), float(jnp.linalg.norm(value))
            for halvings in range(_HALVINGS):
                tried = flat - 0.5**halvings * move
                found = self._residual(own, tried)
                if float(jnp.linalg.norm(found)) < size:
                    break
            else:
                break
            flat, value = tried, found
        size = float(jnp.linalg.norm(value))
        bound = 1e-10 * np.sqrt(flat.size)
        assert size <= bound, f"the reference stands at a residual of {size}"
        below = tuple(map(np.asarray, flat_nest.variables(self.problem, flat)))
        adjoint = -self._solve(own, flat, self._right_side(own, flat))
        return below, np.asarray(self._total(own, flat, adjoint))
