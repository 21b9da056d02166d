"""Total gradients and lower solutions to nearly full precision, by dense linear algebra.

Level by level from the bottom: each answer is found by Newton's method on the total gradient, and
differentiated by the implicit function theorem with a dense Jacobian. Slow, simple, and unlike any
contender. For two levels with many lower variables, conjugate gradients take the place of matrices.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.sparse.linalg import cg

from .problem import Problem

_DENSE = 2000
_STEPS = 60


def reference(problem: Problem) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Each lower level's solution at the problem's start, and the total gradient there."""
    data = {name: jnp.asarray(value) for name, value in problem.data.items()}
    own = jnp.asarray(problem.start)
    if problem.levels == 2 and problem.sizes[1] > _DENSE:
        below, gradient = _matrix_free(problem, data, own)
        return (np.asarray(below),), np.asarray(gradient)
    answers = _answers(problem, data, (own,))
    gradient = jax.jit(lambda own: _total_gradient(problem, data, (), own, answers))(own)
    return tuple(map(np.asarray, answers)), np.asarray(gradient)


def _answers(problem: Problem, data: Any, above: tuple[Any, ...]) -> tuple[Any, ...]:
    """The solutions of the levels below those of `above`: Newton's method on all their total
    gradients at once, which vanish together."""
    sizes = problem.sizes[len(above) :]
    ends = np.cumsum((0, *sizes))

    def parts(flat: jax.Array) -> tuple[jax.Array, ...]:
        return tuple(flat[ends[i] : ends[i + 1]] for i in range(len(sizes)))

    def residual(flat: jax.Array) -> jax.Array:
        below = parts(flat)
        return jnp.concatenate(
            [
                _total_gradient(problem, data, (*above, *below[:i]), below[i], below[i + 1 :])
                for i in range(len(sizes))
            ]
        )

    jacobian = jax.jit(jax.jacfwd(residual))
    compiled = jax.jit(residual)
    flat = jnp.zeros(ends[-1])
    size = jnp.inf
    for _ in range(_STEPS):
        value = compiled(flat)
        move = jnp.linalg.solve(jacobian(flat), value)
        length, norm = 1.0, jnp.linalg.norm(value)
        while jnp.linalg.norm(compiled(flat - length * move)) > norm and length > 1e-4:
            length /= 2
        if norm >= size and norm < 1e-9:
            break
        flat, size = flat - length * move, norm
    assert size < 1e-9, f"the reference stands at a residual of {size}"
    return parts(flat)


def _total_gradient(
    problem: Problem, data: Any, above: tuple[Any, ...], own: Any, below: tuple[Any, ...]
) -> jax.Array:
    """∂f_k/∂x_k + Σ_{j > k} (dx_j/dx_k)ᵀ ∂f_k/∂x_j at given values of the levels below."""
    objective = problem.objectives[len(above)]
    if not below:
        return jax.grad(lambda own: objective(data, *above, own))(own)
    direct, right = jax.grad(lambda own, below: objective(data, *above, own, *below), (0, 1))(
        own, below
    )
    sizes = [part.size for part in below]
    ends = np.cumsum((0, *sizes))

    def residual(own: jax.Array, flat: jax.Array) -> jax.Array:
        here = tuple(flat[ends[i] : ends[i + 1]] for i in range(len(sizes)))
        return jnp.concatenate(
            [
                _total_gradient(problem, data, (*above, own, *here[:i]), here[i], here[i + 1 :])
                for i in range(len(sizes))
            ]
        )

    flat = jnp.concatenate(below)
    matrix = jax.jacfwd(residual, 1)(own, flat)
    adjoint = jnp.linalg.solve(matrix.T, jnp.concatenate(right))
    _, pull = jax.vjp(lambda own: residual(own, flat), own)
    return direct - pull(adjoint)[0]


def _matrix_free(problem: Problem, data: Any, own: jax.Array) -> tuple[jax.Array, jax.Array]:
    upper, lower = problem.objectives

    def stationarity(own: jax.Array, below: jax.Array) -> jax.Array:
        return jax.grad(lower, 2)(data, own, below)

    @jax.jit
    def step(below: jax.Array) -> tuple[jax.Array, jax.Array]:
        gradient, product = jax.linearize(lambda below: stationarity(own, below), below)
        move, _ = cg(product, gradient, tol=1e-12, maxiter=500)
        return below - move, jnp.linalg.norm(gradient)

    @jax.jit
    def total(below: jax.Array) -> jax.Array:
        direct, right = jax.grad(upper, (1, 2))(data, own, below)
        _, product = jax.linearize(lambda below: stationarity(own, below), below)
        adjoint, _ = cg(product, right, tol=1e-14, maxiter=500)
        _, pull = jax.vjp(lambda own: stationarity(own, below), own)
        return direct - pull(adjoint)[0]

    below = jnp.zeros(problem.sizes[1])
    for _ in range(_STEPS):
        moved, norm = step(below)
        if norm < 1e-13 * np.sqrt(below.size) or not norm < 1e6:
            break
        below = moved
    return below, total(below)
