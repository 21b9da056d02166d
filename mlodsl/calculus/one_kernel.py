"""Small computations that a processor runs as one function.

XLA runs a program on a processor operation by operation, each a function of its own that an
interpreter calls; for vectors of some hundred entries the calls take longer than what they do. A
call that is marked as small is compiled as one function, its loops included: MINRES on 300 unknowns
takes a third of the time. XLA marks tiny loops itself (its pass `small-while-loop-hoisting`). What
it can't compile so isn't marked: matrix products, which need its threads, and calls of libraries.

XLA ends the process where a marked function has a parameter that it comes to do without; so there
is only one, of all arguments side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jax.experimental.xla_metadata import set_xla_metadata
from jaxtyping import Array

from mlodsl.modules import default_platform

Found = TypeVar("Found")

# The versions of JAX whose XLA was seen to do right by marks; others compile as ever.
_TESTED = ((0, 10),)

# What XLA reads of a call: compile it as one function, and don't dissolve it before.
_MARKS = {"xla_cpu_small_call": "true", "inlineable": "false"}

# Arrays of more entries take longer than a call, and several threads take less time.
_LARGEST, _LARGEST_OPERAND = 4096, 65_536

_ELEMENTWISE = frozenset(
    [
        "abs",
        "acos",
        "acosh",
        "add",
        "add_any",
        "and",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "ceil",
        "clamp",
        "convert_element_type",
        "cos",
        "cosh",
        "div",
        "eq",
        "erf",
        "erf_inv",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "ge",
        "gt",
        "integer_pow",
        "is_finite",
        "le",
        "log",
        "log1p",
        "logistic",
        "lt",
        "max",
        "min",
        "mul",
        "ne",
        "neg",
        "nextafter",
        "not",
        "or",
        "pow",
        "rem",
        "round",
        "rsqrt",
        "select_n",
        "sign",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "sub",
        "tan",
        "tanh",
        "xor",
    ]
)
_SHAPES = frozenset(
    [
        "broadcast_in_dim",
        "concatenate",
        "dynamic_slice",
        "dynamic_update_slice",
        "iota",
        "pad",
        "reduce_and",
        "reduce_max",
        "reduce_min",
        "reduce_or",
        "reduce_prod",
        "reduce_sum",
        "reshape",
        "rev",
        "slice",
        "split",
        "squeeze",
        "stack",
        "transpose",
    ]
)
_PLAIN = _ELEMENTWISE | _SHAPES
_OF_OTHERS = frozenset({"cond", "custom_jvp_call", "jit", "pjit", "scan", "while"})


def in_one_kernel(
    function: Callable[..., Found],
    *arguments: Any,
    otherwise: Callable[..., Found] | None = None,
) -> Found:
    """function(*arguments), on a processor as one compiled function where all of it is small.

    Under `vmap` it is computed as any other, since products may be ones of matrices there, and so
    are derivatives of it.

    Arguments:
        function: pure; may close over traced arrays.
        arguments: pytrees of arrays.
        otherwise: what is computed where `function` isn't small; `function` itself.
    """
    if not _on_one_processor():
        return (otherwise or function)(*arguments)
    closed, shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
    values = [*closed.consts, *jax.tree.leaves(arguments)]
    count = len(closed.consts)
    small = _is_small(closed.jaxpr) and _can_be_packed([jax.typeof(one) for one in values])
    if not small and otherwise is not None:
        return otherwise(*arguments)

    def plain(*values: Any) -> list[Array]:
        found: list[Array] = jax.core.eval_jaxpr(closed.jaxpr, values[:count], *values[count:])
        return found

    run = _marked(plain) if small else plain
    found: Found = jax.tree.unflatten(jax.tree.structure(shapes), run(*values))
    return found


def _marked(plain: Callable[..., list[Array]]) -> Callable[..., list[Array]]:
    @custom_vmap
    def run(*values: Any) -> list[Array]:
        like = [jax.typeof(one) for one in values]
        packed = jnp.concatenate([jnp.ravel(one).astype(_dtype(like)) for one in values])

        @jax.jit
        def kernel(packed: Array) -> list[Array]:
            return [packed[:1], *plain(*_unpacked(packed, like))]

        # The parameter is never done without, since a part of it is a result that is needed.
        part, *found = kernel(packed)
        return jax.lax.optimization_barrier([set_xla_metadata(part, **_MARKS), *found])[1:]

    @run.def_vmap
    def _(size: int, batched: Sequence[bool], *values: Any) -> tuple[list[Array], list[bool]]:
        axes = [0 if one else None for one in batched]
        found = jax.vmap(plain, in_axes=axes, axis_size=size)(*values)
        return found, [True] * len(found)

    # Derivatives are those of the plain computation: a custom rule for `vmap` has none that hold
    # where changes alone are many.
    @jax.custom_jvp
    def outermost(*values: Any) -> list[Array]:
        return run(*values)

    @outermost.defjvp
    def _(values: Any, changes: Any) -> tuple[list[Array], list[Any]]:
        found: tuple[list[Array], list[Any]] = jax.jvp(plain, values, changes)
        return found

    return outermost


def _can_be_packed(like: Sequence[Any]) -> bool:
    """Whether they are floats of one kind, and truth values, and soon copied."""
    if sum(one.size for one in like) > _LARGEST_OPERAND:
        return False
    floats = {one.dtype for one in like if one.dtype != bool}
    return len(floats) == 1 and all(jnp.issubdtype(one, jnp.floating) for one in floats)


def _dtype(like: Sequence[Any]) -> Any:
    return next(one.dtype for one in like if one.dtype != bool)


def _unpacked(packed: Array, like: Sequence[Any]) -> list[Array]:
    found, start = [], 0
    for one in like:
        size = math.prod(one.shape)
        part = packed[start : start + size].reshape(one.shape)
        found.append(part != 0 if one.dtype == bool else part)
        start += size
    return found


def _on_one_processor() -> bool:
    """Whether XLA compiles for one, and there is no other device to spread a computation over."""
    tested = jax.__version_info__[:2] in _TESTED
    return tested and default_platform() == "cpu" and jax.device_count("cpu") == 1


def _is_small(jaxpr: Any) -> bool:
    return bool(jaxpr.outvars) and all(
        _is_allowed(equation) and all(one.aval.size <= _LARGEST for one in equation.outvars)
        for equation in _equations(jaxpr)
    )


def _is_allowed(equation: Any) -> bool:
    name = equation.primitive.name
    if name == "dot_general":
        operands = [atom.aval for atom in equation.invars]
        ((summed, _), (batch, _)) = equation.params["dimension_numbers"]
        # With a vector there is a loop for it, with two matrices a library.
        looped = (equation.outvars[0].aval.ndim <= 1 or not summed) and not batch
        return looped and max(one.size for one in operands) <= _LARGEST_OPERAND
    return name in _PLAIN or name in _OF_OTHERS


def _equations(jaxpr: Any) -> Iterator[Any]:
    """The equations, and those of all functions that they call."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(tuple(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                yield from _equations(getattr(inner, "jaxpr", inner))


def _is_jaxpr(value: Any) -> bool:
    return hasattr(value, "eqns") or hasattr(value, "jaxpr")
