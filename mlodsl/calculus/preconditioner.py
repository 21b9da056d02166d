"""The inverse of a level's Hessian at an earlier point, which preconditions conjugate gradients."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mlodsl.modules import Record


class Preconditioner(Record):
    """An inverse in single precision, which takes half as long to read as in double.

    Arguments:
        inverse: symmetric positive definite, where it is known.
        known: whether it is; where not, residuals are left as they are.
    """

    inverse: Float[Array, "own own"]
    known: Bool[Array, ""]

    def apply(self, residual: Float[Array, " own"]) -> Float[Array, " own"]:
        """The residual times the inverse."""

        def times() -> Array:
            return (self.inverse @ residual.astype(self.inverse.dtype)).astype(residual.dtype)

        return jax.lax.cond(self.known, times, lambda: residual)


def preconditioner_of(matrix: Float[Array, "own own"]) -> Preconditioner:
    """The inverse of a symmetric matrix; unknown where that isn't positive definite."""
    lower = jnp.linalg.cholesky((matrix + matrix.T) / 2, symmetrize_input=False)
    unit = jnp.eye(len(matrix), dtype=matrix.dtype)
    root = jax.scipy.linalg.solve_triangular(lower, unit, lower=True).astype(jnp.float32)
    inverse = root.T @ root
    known = jnp.all(jnp.isfinite(inverse))
    return Preconditioner(jnp.where(known, inverse, 0), known)
