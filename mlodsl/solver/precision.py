"""The border between the caller's precision and the package's own 64-bit arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jaxtyping import PyTree

from .compiling import is_traced


def in_own_precision(function: Callable[..., Any], *arguments: PyTree) -> Any:
    """function(*arguments) with 64-bit arithmetic, also when the caller differentiates it.

    Without the caller's `jax_enable_x64`, JAX would run the reverse pass of a transformation
    in 32-bit arithmetic; there this is one function to it with a reverse rule of its own
    (`jit`, `vmap` and `grad` go through, `jacfwd` doesn't). With it, all of JAX goes through.
    Outside of transformations arguments keep their precision.

    Arguments:
        function: pure; gets the arguments as they are.
        arguments: pytrees; what isn't an array in them is static.
    """
    if jax.dtypes.canonicalize_dtype("float64") == "float64":
        return function(*arguments)
    if not is_traced(*arguments):
        with jax.enable_x64(True):
            return function(*arguments)
    arrays, static = eqx.partition(arguments, eqx.is_array_like)

    def inside(leaves: PyTree) -> Any:
        return function(*eqx.combine(leaves, static))

    @jax.custom_vjp
    def bordered(leaves: PyTree) -> Any:
        with jax.enable_x64(True):
            return inside(leaves)

    def forward(leaves: PyTree) -> tuple[Any, Any]:
        with jax.enable_x64(True):
            return jax.vjp(inside, leaves)

    def backward(pull: Any, cotangent: Any) -> tuple[PyTree]:
        with jax.enable_x64(True):
            return pull(cotangent)

    bordered.defvjp(forward, backward)
    return bordered(arrays)
