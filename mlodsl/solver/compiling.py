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
from jaxtyping import Array, PyTree

from mlodsl.modules import Problem

from .nest import Nest

Found = TypeVar("Found")


class _Form:
    """The part of an argument that isn't arrays; there is one object for each, equal to itself
    alone, since comparing structures takes long.

    Arguments:
        structure: of the argument.
        static: its leaves that aren't arrays, by number.
    """

    def __init__(self, structure: Any, static: tuple[tuple[int, Any], ...]) -> None:
        self.structure, self.static = structure, static

    def merge(self, arrays: list[Array]) -> PyTree:
        """The argument with these arrays."""
        fixed, waiting = dict(self.static), iter(arrays)
        count = self.structure.num_leaves
        leaves = [fixed[n] if n in fixed else next(waiting) for n in range(count)]
        return jax.tree.unflatten(self.structure, leaves)


_forms: dict[Any, _Form] = {}
_known: dict[int, tuple[weakref.ref[Any], _Form, list[Any]]] = {}


def _parts(argument: Any) -> tuple[_Form, list[Any]]:
    """The form of an argument, and its arrays."""
    if type(argument) not in (Nest, Problem):
        return _separate(argument)
    key = id(argument)
    known = _known.get(key)
    if known is not None and known[0]() is argument:
        return known[1], known[2]
    form, arrays = _separate(argument)
    if not any(isinstance(one, jax.core.Tracer) for one in arrays):
        _known[key] = (weakref.ref(argument, lambda _: _known.pop(key, None)), form, arrays)
    return form, arrays


def _separate(argument: Any) -> tuple[_Form, list[Any]]:
    leaves, structure = jax.tree.flatten(argument)
    arrays = [leaf for leaf in leaves if eqx.is_array(leaf)]
    static: tuple[tuple[int, Any], ...] = ()
    if len(arrays) < len(leaves):
        static = tuple((n, leaf) for n, leaf in enumerate(leaves) if not eqx.is_array(leaf))
    key = (structure, static)
    form = _forms.get(key)
    if form is None:
        form = _forms.setdefault(key, _Form(structure, static))
    return form, arrays


def compiled(function: Callable[..., Found]) -> Callable[..., Found]:
    """As `equinox.filter_jit` of positional arguments: what isn't an array in them is static."""

    @functools.partial(jax.jit, static_argnums=0)
    def run(forms: tuple[_Form, ...], arrays: list[list[Array]]) -> Found:
        merged = [form.merge(own) for form, own in zip(forms, arrays, strict=True)]
        return function(*merged)

    @functools.wraps(function)
    def call(*arguments: Any) -> Found:
        forms, arrays = [], []
        for argument in arguments:
            form, own = _parts(argument)
            forms.append(form)
            arrays.append(own)
        return run(tuple(forms), arrays)

    return call
