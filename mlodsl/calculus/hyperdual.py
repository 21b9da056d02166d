"""Hyper-dual numbers: all mixed derivatives of a function in one evaluation, in vectorised code.

A hyper-dual number (Fike and Alonso 2011, with two of them) is a polynomial in ε_1 … ε_m with every
ε_i² = 0. Its 2^m coefficients, its parts, are an axis here: at place S, read as a binary number
whose lowest digit is that of ε_1, is the part of Π_{i ∈ S} ε_i. At x + Σ_i ε_i v_i the part of a
function's value at place S is its derivative along all v_i, i ∈ S. The same comes of m forward
derivatives one inside the other, but as code that grows by a factor of 2 to 3 with each; this code
doesn't grow with m.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Inexact, Shaped

from .equations import called_jaxpr, read, results_of

Found = TypeVar("Found")

# Linear in all operands together that aren't whole numbers or truth values.
_LINEAR = frozenset(
    [
        "add",
        "add_any",
        "broadcast_in_dim",
        "concatenate",
        "convert_element_type",
        "copy",
        "cumsum",
        "dynamic_slice",
        "dynamic_update_slice",
        "neg",
        "pad",
        "reduce_sum",
        "reshape",
        "rev",
        "select_n",
        "slice",
        "split",
        "squeeze",
        "stack",
        "sub",
        "transpose",
    ]
)
_BILINEAR = frozenset({"dot_general", "mul"})
# Of one real operand entry by entry, the others being known.
_ENTRYWISE = frozenset(
    [
        "abs",
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cbrt",
        "cos",
        "cosh",
        "erf",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "integer_pow",
        "lgamma",
        "log",
        "log1p",
        "logistic",
        "max",
        "min",
        "pow",
        "rsqrt",
        "sin",
        "sinh",
        "sqrt",
        "square",
        "tan",
        "tanh",
    ]
)
# Powers x^r by the name of their primitive.
_EXPONENTS = {"rsqrt": -0.5, "sqrt": 0.5, "square": 2}


@dataclass(frozen=True, eq=False)
class _HyperDual:
    """An array of hyper-dual numbers by their parts, along the first axis."""

    parts: Inexact[Array, "parts ..."]

    @property
    def order(self) -> int:
        """m, the number of ε."""
        return _order(self.parts)

    @functools.cached_property
    def powers(self) -> Inexact[Array, "order parts ..."]:
        """n, n² … n^m, with n the number without its part at no ε; n^(m+1) is 0."""
        nothing = jnp.zeros_like(self.parts[:1])
        rest = _HyperDual(jax.lax.concatenate([nothing, self.parts[1:]], 0))
        found = [rest]
        for _ in range(self.order - 1):
            found.append(_product(jax.lax.mul, found[-1], rest))
        return jnp.stack([power.parts for power in found])


def at_hyperdual(
    function: Callable[[Float[Array, " n"]], Found], parts: Float[Array, "parts n"]
) -> Found:
    """A function's value at a hyper-dual vector, by its parts, along a first axis of 2^m.

    What has no rule here (loops, say) is differentiated by JAX, once inside the other.
    """
    closed, shapes = jax.make_jaxpr(function, return_shape=True)(parts[0])
    order = _order(parts)
    given = _HyperDual(parts) if order else parts[0]
    found = [_parts_of(one, order) for one in read(closed.jaxpr, closed.consts, [given], _results)]
    made: Found = jax.tree.unflatten(jax.tree.structure(shapes), found)
    return made


def of_order(order: int, parts: Shaped[Array, "fewer ..."]) -> Shaped[Array, "parts ..."]:
    """The same hyper-dual numbers in more ε, of which they don't have the last."""
    missing = (1 << order) - len(parts)
    return jnp.pad(parts, [(0, missing), *[(0, 0)] * (parts.ndim - 1)]) if missing else parts


def _order(parts: Array) -> int:
    return len(parts).bit_length() - 1


def _parts_of(value: Any, order: int) -> Array:
    parts = value.parts if isinstance(value, _HyperDual) else jnp.asarray(value)[None]
    return of_order(order, parts)


def _results(equation: Any, operands: list[Any]) -> Sequence[Any]:
    inner = called_jaxpr(equation)
    if inner is not None:
        return read(inner.jaxpr, inner.consts, operands, _results)
    primitive = equation.primitive
    changing = [number for number, one in enumerate(operands) if isinstance(one, _HyperDual)]
    if not changing or not any(map(_is_inexact, equation.outvars)):
        return results_of(primitive, [_plain(one) for one in operands], equation.params)

    def apply(*operands: Any) -> Any:
        return results_of(primitive, operands, equation.params)[0]

    if primitive.name in _LINEAR:
        return _linear(equation, operands)
    if primitive.name in _BILINEAR or (primitive.name == "div" and changing == [0]):
        return [_product(apply, *operands)]
    if primitive.name == "div":
        over, under = operands
        inverse = _composed(under, _of_power(-1.0, 1 / under.parts[0], under))
        return [_product(jax.lax.mul, over, inverse)]
    if primitive.name in _ENTRYWISE and len(changing) == 1:
        (place,) = changing
        number, before, after = operands[place], operands[:place], operands[place + 1 :]
        if _is_of_real_entries(equation, place):
            if primitive.name == "pow" and place == 0:
                return [_composed(number, _of_any_power(jnp.asarray(*after), number))]
            series = _series(equation, lambda value: apply(*before, value, *after), number)
            return [_composed(number, series)]
    return _differentiated(equation, operands)


def _plain(one: Any) -> Any:
    return one.parts[0] if isinstance(one, _HyperDual) else one


def _is_inexact(atom: Any) -> bool:
    return bool(jnp.issubdtype(atom.aval.dtype, jnp.inexact))


def _is_of_real_entries(equation: Any, place: int) -> bool:
    """Whether each entry of the result is a function of one entry of an operand: of a number beside
    an array it isn't, and as a function of complex numbers `abs` has no series."""
    given, made = equation.invars[place].aval, equation.outvars[0].aval
    return given.shape == made.shape and not any(
        jnp.issubdtype(one.dtype, jnp.complexfloating) for one in (given, made)
    )


def _linear(equation: Any, operands: list[Any]) -> list[_HyperDual]:
    """A primitive that is linear in all operands together: it is applied to each part."""
    order = max(one.order for one in operands if isinstance(one, _HyperDual))
    axes = [0 if _is_inexact(atom) else None for atom in equation.invars]
    lifted = [
        _plain(one) if axis is None else _parts_of(one, order)
        for one, axis in zip(operands, axes, strict=True)
    ]

    def apply(*parts: Any) -> list[Any]:
        return results_of(equation.primitive, parts, equation.params)

    return [_HyperDual(parts) for parts in jax.vmap(apply, axes)(*lifted)]


def _product(apply: Callable[[Any, Any], Any], first: Any, second: Any) -> _HyperDual:
    """A bilinear function: the part at U is the sum over S ∪ T = U, S ∩ T = ∅."""
    both = (first, second)
    if not all(isinstance(one, _HyperDual) for one in both):
        axes = [0 if isinstance(one, _HyperDual) else None for one in both]
        values = [one.parts if isinstance(one, _HyperDual) else one for one in both]
        return _HyperDual(jax.vmap(apply, axes)(*values))
    left, right, sums = _pairs(first.order, second.order)
    found = jax.vmap(apply)(_mixed(left, first.parts), _mixed(right, second.parts))
    return _HyperDual(_mixed(sums, found))


@functools.lru_cache(maxsize=64)
def _pairs(first: int, second: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For all pairs of disjoint S and T, the matrices that take S, take T, and add them up at
    S ∪ T."""
    s, t = np.meshgrid(np.arange(1 << first), np.arange(1 << second), indexing="ij")
    disjoint = (s & t) == 0
    s, t = s[disjoint], t[disjoint]
    rows = [np.eye(1 << order) for order in (first, second, max(first, second))]
    return rows[0][s], rows[1][t], rows[2][:, s | t]


def _mixed(matrix: np.ndarray, parts: Inexact[Array, "parts ..."]) -> Inexact[Array, "rows ..."]:
    """Sums of parts. As a product of matrices: gathers run slower and take longer to compile.

    Where one part isn't finite none is, though with forward derivatives the lower ones may be.
    """
    flat = jax.lax.reshape(parts, (len(parts), parts.size // len(parts)))
    mixed = jax.lax.dot(jnp.asarray(matrix, parts.dtype), flat, precision=jax.lax.Precision.HIGHEST)
    return jax.lax.reshape(mixed, (len(matrix), *parts.shape[1:]))


def _composed(number: _HyperDual, series: Sequence[Array]) -> _HyperDual:
    """g(x + n) = Σ_i g_i nⁱ.

    Arguments:
        series: g_i, the i-th derivative of g at x over i!, for i = 0 … m.
    """
    terms = number.powers * jnp.stack(series[1:])[:, None]
    return _HyperDual(jnp.concatenate([series[0][None], jnp.sum(terms, axis=0)[1:]]))


def _series(equation: Any, function: Callable[[Array], Array], number: _HyperDual) -> list[Array]:
    """The series of a primitive as a function of one operand, entry by entry."""
    name, at, places = equation.primitive.name, number.parts[0], range(number.order + 1)
    if name == "exp":
        value = function(at)
        return [value / math.factorial(place) for place in places]
    if name in ("cos", "sin"):
        sin, cos = jnp.sin(at), jnp.cos(at)
        turns = [sin, cos, -sin, -cos] if name == "sin" else [cos, -sin, -cos, sin]
        return [turns[place % 4] / math.factorial(place) for place in places]
    exponent = equation.params["y"] if name == "integer_pow" else _EXPONENTS.get(name)
    if isinstance(exponent, int) and exponent >= 0:
        return [math.comb(exponent, place) * at ** max(exponent - place, 0) for place in places]
    if exponent is not None:
        return _of_power(float(exponent), function(at), number)
    derivatives = [function]
    for _ in places[1:]:
        derivatives.append(functools.partial(_derivative, derivatives[-1]))
    return [one(at) / math.factorial(place) for place, one in enumerate(derivatives)]


def _of_power(exponent: float, value: Array, number: _HyperDual) -> list[Array]:
    """The series of x^r.

    Arguments:
        value: x^r.
    """
    inverse = 1 / number.parts[0]
    found = [value]
    for place in range(1, number.order + 1):
        found.append(found[-1] * ((exponent - place + 1) / place) * inverse)
    return found


def _of_any_power(exponent: Array, number: _HyperDual) -> list[Array]:
    """As `_of_power`, where the exponent may turn out to be a whole number: at x = 0 the factor 0
    ends the series, though JAX's own derivative says 0 · ∞."""
    at = number.parts[0]
    factor, found = jnp.ones_like(at), []
    for place in range(number.order + 1):
        found.append(jnp.where(factor == 0, 0, factor * at ** (exponent - place)))
        factor = factor * (exponent - place) / (place + 1)
    return found


def _derivative(function: Callable[[Array], Array], at: Array) -> Array:
    found: Array = jax.jvp(function, (at,), (jnp.ones_like(at),))[1]
    return found


def _differentiated(equation: Any, operands: list[Any]) -> list[Any]:
    """Any primitive, by forward derivatives one inside the other."""
    order = max(one.order for one in operands if isinstance(one, _HyperDual))
    changing = [isinstance(one, _HyperDual) for one in operands]
    inexact = [_is_inexact(atom) for atom in equation.outvars]
    numbers = [_parts_of(one, order) for one in operands if isinstance(one, _HyperDual)]

    def results(values: list[Array]) -> list[Any]:
        given = iter(values)
        mixed = [next(given) if own else one for own, one in zip(changing, operands, strict=True)]
        return results_of(equation.primitive, mixed, equation.params)

    def parts(numbers: list[Array]) -> list[Array]:
        half = len(numbers[0]) // 2
        if half == 0:
            found = results([one[0] for one in numbers])
            return [one[None] for one, keep in zip(found, inexact, strict=True) if keep]
        without, along = [one[:half] for one in numbers], [one[half:] for one in numbers]
        both = jax.jvp(parts, (without,), (along,))
        return [jnp.concatenate(pair) for pair in zip(*both, strict=True)]

    plain = iter(results([one[0] for one in numbers])) if not all(inexact) else None
    found = iter(parts(numbers))
    made = []
    for keep in inexact:
        value = next(plain) if plain is not None else None
        made.append(_HyperDual(next(found)) if keep else value)
    return made
