"""Compiling functions of nests and problems, so that calling them costs the host little.

What in a nest isn't an array belongs to the program, and to find it takes longer than to run a
small one. So it is found once for each object, however often functions of it are called.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import numpy as np
from jax.extend.core import get_opaque_trace_state
from jaxtyping import Array, PyTree

from mlodsl.calculus import flat_size
from mlodsl.modules import Problem

from .kept import Kept
from .nest import Nest

Found = TypeVar("Found")


class _Form:
    """The part of an argument that isn't arrays; there is one object for each, equal to itself
    alone, since comparing structures takes long.

    Arguments:
        structure: of the argument.
        static: its leaves that aren't arrays, by number.
        sizes: of the levels of a nest or a problem; none of other arguments.
    """

    def __init__(
        self, structure: Any, static: tuple[tuple[int, Any], ...], sizes: tuple[int, ...] = ()
    ) -> None:
        self.structure, self.static, self.sizes = structure, static, sizes

    def merge(self, arrays: list[Array]) -> PyTree:
        """The argument with these arrays."""
        fixed, waiting = dict(self.static), iter(arrays)
        count = self.structure.num_leaves
        leaves = [fixed[n] if n in fixed else next(waiting) for n in range(count)]
        return jax.tree.unflatten(self.structure, leaves)


# From so many levels on, code takes long to compile and little to run; from `_DEEPER` on, to at
# most `_FEW` unknowns below the top, so long that what runs some hundred times needn't be fast.
# A solve of six levels of 3 takes 0.68 of the time then, of five of 20 0.75, compiling included.
_DEEP, _DEEPER, _FEW = 4, 5, 512

_ARRAY = _Form(jax.tree.structure(0), ())
# A form lives as long as what is compiled, or known, of it.
_forms: weakref.WeakValueDictionary[Any, _Form] = weakref.WeakValueDictionary(
    {(_ARRAY.structure, ()): _ARRAY}
)
# Those of words, of which there are few.
_words: dict[str, _Form] = {}
# Which types are those of arrays that are no tracers; of types there are few.
_kinds: dict[type, bool] = {}
# What is known holds no tracer.
_known: Kept[tuple[_Form, list[Any]]] = Kept()


def _holds_numbers(kind: type) -> bool:
    """Whether its instances are arrays whose numbers are known; found once for a type, as to ask
    whether an object is an array of JAX takes long."""
    known = _kinds.get(kind)
    if known is None:
        is_array = issubclass(kind, (jax.Array, np.ndarray))
        known = _kinds[kind] = is_array and not issubclass(kind, jax.core.Tracer)
    return known


def _parts(argument: Any) -> tuple[_Form, list[Any]]:
    """The form of an argument, and its arrays."""
    kind = type(argument)
    if _holds_numbers(kind):
        return _ARRAY, [argument]
    if kind is str:
        if argument not in _words:
            _words[argument] = _Form(_ARRAY.structure, ((0, argument),))
        return _words[argument], []
    if kind is not Nest and kind is not Problem:
        return _separate(argument)
    known = _known.find(argument)
    if known is not None:
        return known
    form, arrays = _separate(argument)
    if any(isinstance(one, jax.core.Tracer) for one in arrays):
        return form, arrays
    return _known.keep(argument, (form, [_on_device(one) for one in arrays]))


def _on_device(array: Any) -> Any:
    """The array as one of JAX, whose way into compiled code is shorter than that of NumPy's."""
    exact = jax.dtypes.canonicalize_dtype(array.dtype) == array.dtype
    return jax.device_put(array) if exact and jax.process_count() == 1 else array


def _separate(argument: Any) -> tuple[_Form, list[Any]]:
    leaves, structure = jax.tree.flatten(argument)
    arrays = [leaf for leaf in leaves if eqx.is_array(leaf)]
    static: tuple[tuple[int, Any], ...] = ()
    if len(arrays) < len(leaves):
        static = tuple((n, leaf) for n, leaf in enumerate(leaves) if not eqx.is_array(leaf))
    key = (structure, static)
    form = _forms.get(key)
    if form is None:
        form = _forms.setdefault(key, _Form(structure, static, _sizes(argument)))
    return form, arrays


def _sizes(argument: Any) -> tuple[int, ...]:
    if isinstance(argument, Nest):
        return argument.game.sizes
    return argument.sizes if isinstance(argument, Problem) else ()


def is_tracing() -> bool:
    """Whether JAX is tracing now, whatever with."""
    return get_opaque_trace_state() != _NO_TRACE


def is_traced(*arguments: Any) -> bool:
    """Whether JAX is tracing what computes with these, so that their numbers aren't known."""
    return any(map(_is_traced, arguments))


def _is_traced(argument: Any) -> bool:
    if _holds_numbers(type(argument)) or _known.find(argument) is not None:
        return False
    return any(isinstance(one, jax.core.Tracer) for one in jax.tree.leaves(argument))


def compiled(function: Callable[..., Found], *, seldom: bool = False) -> Callable[..., Found]:
    """As `equinox.filter_jit` of positional arguments: what isn't an array in them is static.

    Arguments:
        seldom: whether it is called some hundreds of times at most: in deep nests it is then
            compiled in half the time, to code that takes three times as long.
    """

    def merged(forms: tuple[_Form, ...], arrays: list[list[Array]]) -> Found:
        return function(*(form.merge(own) for form, own in zip(forms, arrays, strict=True)))

    run = jit_soon(functools.wraps(function)(merged), static=0)

    @functools.wraps(function)
    def call(*arguments: Any) -> Found:
        forms, arrays = [], []
        sizes: tuple[int, ...] = ()
        for argument in arguments:
            form, own = _parts(argument)
            forms.append(form)
            arrays.append(own)
            if len(form.sizes) > len(sizes):
                sizes = form.sizes
        return run(tuple(forms), arrays, effort=effort_of(sizes, seldom))

    return call


@functools.lru_cache(maxsize=256)
def effort_of(sizes: tuple[int, ...], seldom: bool) -> int | None:
    """The level of LLVM's optimisation for a nest's code; None for XLA's own."""
    if len(sizes) < _DEEP:
        return None
    hurried = seldom and len(sizes) >= _DEEPER and flat_size(sizes, 1) <= _FEW
    return 0 if hurried else 1


def jit_soon(function: Callable[..., Found], *, static: int) -> Callable[..., Found]:
    """As `jax.jit`, in less time where the compiler can be told to hurry.

    Arguments:
        static: the number of the argument that is static.
    """
    within = jax.jit(function, static_argnums=static)

    @functools.cache
    def outermost(effort: int | None) -> Callable[..., Found]:
        return jax.jit(function, static_argnums=static, compiler_options=compiler_options(effort))

    def run(*arguments: Any, effort: int | None = None) -> Found:
        # Inside of a transformation the options are those of the outermost program.
        if is_tracing():
            return within(*arguments)
        return outermost(effort)(*arguments)

    return run


with jax.ensure_compile_time_eval():
    _NO_TRACE = get_opaque_trace_state()


@functools.cache
def compiler_options(effort: int | None) -> dict[str, bool | int] | None:
    """What makes XLA compile in two thirds of its time, to half in deep nests, programs that run as
    fast: its older way to write loops on a processor, and in deep nests fewer of LLVM's passes; a
    closer look at what a loop has to copy makes them run a twentieth faster. None where this
    version hasn't it.

    Arguments:
        effort: the level of LLVM's optimisation; None for XLA's own.
    """
    options: dict[str, bool | int] = {
        "xla_cpu_use_fusion_emitters": False,
        "xla_cpu_copy_insertion_use_region_analysis": True,
    }
    if effort is not None:
        options["xla_backend_optimization_level"] = effort
    try:
        jax.jit(lambda: 0, compiler_options=options)()
    except jax.errors.JaxRuntimeError:
        return None
    return options
