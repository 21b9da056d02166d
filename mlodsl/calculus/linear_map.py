"""Linear maps with what they multiply by folded, for maps that are applied many times.

A derivative of second order, as JAX linearises it, multiplies entry by entry by one vector after
the other, each from a rule of its own: t c₁ c₂ c₃ + t c₄. Here all that doesn't depend on t is
multiplied and added up once: t c, with c = c₁ c₂ c₃ + c₄. What moves entries about (slices, say)
is kept apart from what scales them, so that terms of one such view of t are one term.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .equations import called_jaxpr, read, results_of

# Scales of more numbers than so many times the argument's would take memory rather than save time.
_MOST = 4


_ELEMENTWISE = frozenset({"mul", "div", "add", "add_any", "sub"})


class _View(NamedTuple):
    """Something that depends on the argument, with zeros before and after it."""

    number: int
    before: int = 0
    after: int = 0


_Terms: TypeAlias = Mapping[_View, Any]
"""Σ scale · view. A scale is an array or a number, that of a padded view as long as that unpadded;
None is 1."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What is done with every argument: a primitive on terms and arrays; it makes new views."""

    primitive: Any
    params: dict[str, Any]
    operands: Sequence[Any]
    numbers: Sequence[int]


def folded(
    product: Callable[[Float[Array, " n"]], Float[Array, " m"]],
    like: Float[Array, " n"],
    part: slice | None = None,
) -> Callable[[Float[Array, " part"]], Float[Array, " m"]]:
    """The same linear map to rounding, for vectors of the shape of `like`.

    Arguments:
        part: where the vectors' entries aren't zero; then the map takes these alone.
    """
    closed = jax.make_jaxpr(product)(like)
    folding = _Folding(_MOST * like.size)
    start, stop, _ = (part or slice(None)).indices(like.size)
    given = _View(0, start, like.size - stop)
    (found,) = folding.read(closed.jaxpr, closed.consts, [{given: None}])
    shape, dtype = closed.out_avals[0].shape, closed.out_avals[0].dtype
    if not isinstance(found, Mapping) or not found:
        # It doesn't depend on the vector: a linear map then is zero.
        return lambda _: jnp.zeros(shape, dtype)

    def run(vector: Float[Array, " part"]) -> Float[Array, " m"]:
        views = {0: vector}
        for step in folding.steps:
            operands = [_total(views, one) for one in step.operands]
            made = results_of(step.primitive, operands, step.params)
            views.update(zip(step.numbers, made, strict=True))
        total: Array = _total(views, found)
        assert total.shape == shape
        return total

    return run


class _Folding:
    """Reads a linear map once, and leaves what is to be done with each argument in `steps`."""

    def __init__(self, most: int) -> None:
        self.steps: list[_Step] = []
        self._most = most
        self._views = 1
        self._parts: dict[tuple[int, tuple[int, int]], int] = {}

    def read(self, jaxpr: Any, consts: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        """The results of a jaxpr: terms where they depend on the argument, else arrays."""
        return read(jaxpr, consts, given, self._digest)

    def _digest(self, equation: Any, operands: list[Any]) -> Sequence[Any]:
        inner = called_jaxpr(equation)
        if inner is not None:
            return self.read(inner.jaxpr, inner.consts, operands)
        if not any(isinstance(one, Mapping) for one in operands):
            return results_of(equation.primitive, operands, equation.params)
        if equation.outvars[0].aval.size <= self._most:
            terms = self._fold(equation, operands)
            if terms is not None:
                return [terms]
        if not any(isinstance(one, Mapping) and one for one in operands):
            return [{} for _ in equation.outvars]
        filled = [
            jnp.zeros(atom.aval.shape, atom.aval.dtype)
            if isinstance(one, Mapping) and not one
            else one
            for atom, one in zip(equation.invars, operands, strict=True)
        ]
        return self._later(equation.primitive, equation.params, filled, len(equation.outvars))

    def _fold(self, equation: Any, operands: list[Any]) -> _Terms | None:
        """The result as terms, where the primitive's rule is known."""
        name, first, second = equation.primitive.name, operands[0], operands[-1]
        shape = equation.outvars[0].aval.shape
        if name in _ELEMENTWISE:
            # An operand of one entry is one term for many: that isn't folded.
            shapes = (atom.aval.shape for atom in equation.invars)
            both = zip(operands, shapes, strict=True)
            if any(isinstance(one, Mapping) and own != shape for one, own in both):
                return None
            first, second = (_as_large(one, shape) for one in (first, second))
        linear = tuple(isinstance(one, Mapping) for one in operands)
        if name == "neg":
            return _scaled(first, -1.0)
        if name == "mul" and linear != (True, True):
            return _scaled(first, second) if linear[0] else _scaled(second, first)
        if name == "dot_general" and sum(linear) == 1:
            # With a number it is a multiple.
            terms, scale = (first, second) if linear[0] else (second, first)
            return _scaled(terms, scale) if jnp.ndim(scale) == 0 else None
        if name == "div" and not linear[1]:
            return _scaled(first, 1 / second)
        if name in ("add", "add_any"):
            # What a linear map adds that doesn't depend on its argument is zero.
            return _added(*(one if isinstance(one, Mapping) else {} for one in (first, second)))
        if name == "sub" and all(linear):
            return _added(first, _scaled(second, -1.0))
        if name == "pad" and linear == (True, False):
            return _padded(equation, first)
        if name == "slice" and len(equation.outvars[0].aval.shape) == 1:
            return self._sliced(equation, first)
        return None

    def _sliced(self, equation: Any, terms: _Terms) -> _Terms | None:
        """Some entries of a vector."""
        if equation.params["strides"] not in (None, (1,)):
            return None
        (start,), (stop,) = equation.params["start_indices"], equation.params["limit_indices"]
        (size,) = equation.invars[0].aval.shape
        found: dict[_View, Any] = {}
        for view, scale in terms.items():
            first, last = max(start, view.before), min(stop, size - view.after)
            if first >= last:
                continue
            inner = (first - view.before, last - view.before)
            number = view.number
            if inner != (0, size - view.after - view.before):
                number = self._part(view.number, inner)
                if scale is not None and jnp.ndim(scale):
                    scale = scale[slice(*inner)]
            found[_View(number, first - start, stop - last)] = scale
        return found

    def _part(self, number: int, ends: tuple[int, int]) -> int:
        key = (number, ends)
        if key not in self._parts:
            start, stop = ends
            params = {"start_indices": (start,), "limit_indices": (stop,), "strides": None}
            (made,) = self._later(jax.lax.slice_p, params, [{_View(number): None}], 1)
            self._parts[key] = next(iter(made)).number
        return self._parts[key]

    def _later(
        self, primitive: Any, params: dict[str, Any], operands: Sequence[Any], count: int
    ) -> list[_Terms]:
        numbers = range(self._views, self._views + count)
        self._views += count
        self.steps.append(_Step(primitive, params, operands, numbers))
        return [{_View(number): None} for number in numbers]


def _as_large(one: Any, shape: tuple[int, ...]) -> Any:
    """An array of as many entries as what it is multiplied with or added to; a number stays one."""
    if isinstance(one, Mapping) or jnp.ndim(one) == 0:
        return one
    return jnp.broadcast_to(one, shape)


def _padded(equation: Any, terms: _Terms) -> _Terms | None:
    """Zeros before and after a vector: a linear map can pad with nothing else."""
    config = equation.params["padding_config"]
    if len(config) != 1:
        return None
    ((before, after, between),) = config
    if between or before < 0 or after < 0:
        return None
    return {
        _View(view.number, view.before + int(before), view.after + int(after)): scale
        for view, scale in terms.items()
    }


def _scaled(terms: _Terms, factor: Any) -> _Terms:
    found: dict[_View, Any] = {}
    for view, scale in terms.items():
        own = factor
        if jnp.ndim(factor) and (view.before or view.after):
            own = factor[view.before : len(factor) - view.after]
        found[view] = own if scale is None else scale * own
    return found


def _added(first: _Terms, second: _Terms) -> _Terms:
    found = dict(first)
    for view, scale in second.items():
        if view in found:
            mine = found[view]
            scale = (1.0 if mine is None else mine) + (1.0 if scale is None else scale)
        found[view] = scale
    return found


def _total(views: Mapping[int, Array], terms: Any) -> Any:
    """The sum of terms; anything else is itself."""
    if not isinstance(terms, Mapping):
        return terms
    places: dict[tuple[int, int], Array] = {}
    for view, scale in terms.items():
        part = views[view.number] if scale is None else scale * views[view.number]
        place = (view.before, view.after)
        places[place] = places[place] + part if place in places else part
    return places[0, 0] if list(places) == [(0, 0)] else _side_by_side(places)


def _side_by_side(places: Mapping[tuple[int, int], Array]) -> Array:
    """The sum of vectors with so many zeros before and after each.

    Those that overlap are padded and added, the others stand beside each other: a processor pads
    in a loop with a branch for each pad.
    """
    (before, after), part = next(iter(places.items()))
    whole, dtype = before + len(part) + after, part.dtype
    groups: list[tuple[int, int, list[tuple[int, Array]]]] = []
    for (before, after), part in sorted(places.items(), key=lambda one: one[0]):
        start, stop, inside = before, whole - after, [(before, part)]
        if groups and start < groups[-1][1]:
            start, end, overlapping = groups.pop()
            stop, inside = max(stop, end), overlapping + inside
        groups.append((start, stop, inside))
    pieces, done = [], 0
    for start, stop, inside in [*groups, (whole, whole, [])]:
        if start > done:
            pieces.append(jnp.zeros(start - done, dtype))
        ends = ((before - start, stop - before - len(part)) for before, part in inside)
        padded = [
            jnp.pad(part, own) if any(own) else part
            for (_, part), own in zip(inside, ends, strict=True)
        ]
        if padded:
            pieces.append(sum(padded[1:], start=padded[0]))
        done = stop
    return jnp.concatenate(pieces) if len(pieces) > 1 else pieces[0]
