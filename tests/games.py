"""Games with known answers, given as plain functions: what the calculus needs of a model."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import numpy as np
from jaxtyping import Array


class FunctionGame(eqx.Module):
    """A game of Python functions of all levels' vectors, without domains."""

    sizes: tuple[int, ...] = eqx.field(static=True)
    functions: tuple[Callable[..., Array], ...] = eqx.field(static=True)

    def objective(self, level: int, vectors: tuple[Array, ...]) -> Array:
        return self.functions[level](*vectors)

    def project(self, level: int, vector: Array) -> Array:
        return vector


class QuadraticGame(eqx.Module):
    """f_k = ½ vᵀ Q_k v + c_k · v over the variables v of all levels."""

    sizes: tuple[int, ...] = eqx.field(static=True)
    matrices: Array
    slopes: Array

    def objective(self, level: int, vectors: tuple[Array, ...]) -> Array:
        import jax.numpy as jnp

        everything = jnp.concatenate(vectors)
        return everything @ (self.matrices[level] @ everything / 2 + self.slopes[level])

    def project(self, level: int, vector: Array) -> Array:
        return vector


def random_quadratic_game(sizes: tuple[int, ...], seed: int) -> QuadraticGame:
    """A random quadratic game whose levels are all strictly convex, anticipating those below."""
    import jax.numpy as jnp

    generator = np.random.default_rng(seed)
    total = sum(sizes)
    matrices = []
    for _ in sizes:
        factor = generator.standard_normal((total, total)) / np.sqrt(total)
        # Diagonal dominance keeps every reduced Hessian positive definite.
        matrices.append(0.15 * (factor + factor.T) + np.eye(total))
    slopes = generator.standard_normal((len(sizes), total))
    return QuadraticGame(sizes, jnp.asarray(np.stack(matrices)), jnp.asarray(slopes))


def closed_form(game: QuadraticGame, own: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The total gradient at `own` and the response, by backward substitution of linear maps.

    Every level's response is an affine map of the variables above it: v = T a + s, with a the
    variables of the leading levels. From the bottom up, level k minimises a quadratic of its
    own variables once the levels below are substituted.
    """
    sizes = game.sizes
    total = sum(sizes)
    map_, shift = np.eye(total), np.zeros(total)
    for level in range(len(sizes) - 1, 0, -1):
        above, mine = sum(sizes[:level]), sizes[level]
        matrix, slope = np.asarray(game.matrices[level]), np.asarray(game.slopes[level])
        reduced = map_.T @ matrix @ map_
        linear = map_.T @ (matrix @ shift + slope)
        curvature = reduced[above:, above:]
        response = -np.linalg.solve(curvature, reduced[above:, :above])
        constant = -np.linalg.solve(curvature, linear[above:])
        assert np.linalg.eigvalsh(curvature)[0] > 0
        assert response.shape == (mine, above)
        map_, shift = (
            map_ @ np.vstack([np.eye(above), response]),
            shift + map_ @ np.concatenate([np.zeros(above), constant]),
        )
    matrix, slope = np.asarray(game.matrices[0]), np.asarray(game.slopes[0])
    everything = map_ @ own + shift
    gradient = map_.T @ (matrix @ everything + slope)
    return gradient, np.split(everything, np.cumsum(sizes)[:-1])
