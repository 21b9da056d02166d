"""Helper of the tests: derivatives of functions of one number."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np


def derivatives(function: Callable[[jax.Array], object], at: float, order: int) -> np.ndarray:
    """The value and the derivatives up to an order, by nested forward mode, in one program."""

    def slope(of: Callable[[jax.Array], object]) -> Callable[[jax.Array], object]:
        return lambda x: jax.jvp(of, (x,), (jnp.ones_like(x),))[1]

    found = [function]
    for _ in range(order):
        found.append(slope(found[-1]))
    return np.asarray(jax.jit(lambda x: jnp.stack([each(x) for each in found]))(jnp.asarray(at)))
