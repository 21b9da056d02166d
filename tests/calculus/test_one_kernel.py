"""Small computations as one kernel of a processor."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.calculus import in_one_kernel
from mlodsl.calculus.one_kernel import _ELEMENTWISE, _SHAPES

X = np.linspace(0.1, 0.9, 7)
Y = np.linspace(2.0, 1.0, 7)
MATRIX = np.random.default_rng(0).standard_normal((7, 7))

pytestmark = pytest.mark.skipif(
    jax.default_backend() != "cpu" or jax.device_count() > 1, reason="one processor alone"
)


def is_marked(function: Callable[..., Any], *arguments: Any) -> bool:
    run = jax.jit(lambda *arguments: in_one_kernel(function, *arguments))
    return "xla_cpu_small_call" in run.lower(*arguments).as_text()


def loop(x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Some Newton steps to the root of x, and how many."""

    def step(state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        root, count = state
        return (root + x / root) / 2, count + 1

    def proceed(state: tuple[jax.Array, jax.Array]) -> jax.Array:
        return (jnp.linalg.norm(state[0] ** 2 - x) > 1e-12) & (state[1] < 50)

    return jax.lax.while_loop(proceed, step, (y, jnp.array(0)))


def branch(x: jax.Array, y: jax.Array) -> jax.Array:
    found: jax.Array = jax.lax.cond(x[0] > y[0], lambda: x, lambda: jnp.zeros_like(y))
    return found


def scanned(x: jax.Array, y: jax.Array) -> jax.Array:
    total, _ = jax.lax.scan(lambda total, one: (0.5 * total + one, None), jnp.sum(y), x)
    return jnp.asarray(total)


SMALL: dict[str, Callable[..., Any]] = {
    "a loop": loop,
    "a branch": branch,
    "a scan": scanned,
    "a product with a vector": lambda x, y: MATRIX @ x + y @ MATRIX,
    "an inner product": lambda x, y: jnp.vdot(x, y),
    "an outer product": jnp.outer,
    "a custom derivative": lambda x, y: jax.grad(lambda x: jnp.sum(jax.nn.softplus(x * y)))(x),
    "trigonometric": lambda x, y: (
        jnp.sin(x) + jnp.cos(y) + jnp.tan(x) + jnp.asin(x) + jnp.acos(x) + jnp.atan(y)
    ),
    "arc of two": jnp.arctan2,
    "hyperbolic": lambda x, y: (
        jnp.sinh(x) + jnp.cosh(x) + jnp.tanh(y) + jnp.asinh(x) + jnp.acosh(y) + jnp.atanh(x)
    ),
    "exponential": lambda x, y: jnp.exp(x) + jnp.exp2(y) + jnp.expm1(x) + jax.nn.sigmoid(y),
    "logarithms": lambda x, y: jnp.log(x) + jnp.log1p(y),
    "error functions": lambda x, y: (
        jax.scipy.special.erf(x) + jax.scipy.special.erfc(y) + jax.scipy.special.erfinv(x)
    ),
    "powers": lambda x, y: x**y + x**3 + jnp.sqrt(x) + jax.lax.rsqrt(y) + jnp.square(x),
    "rounding": lambda x, y: (
        jnp.floor(9 * x) + jnp.ceil(y) + jnp.round(9 * x) + jnp.sign(x - 0.5) + jnp.abs(x - y)
    ),
    "extremes": lambda x, y: jnp.maximum(x, y) + jnp.minimum(x, 0.5) + jax.lax.clamp(0.2, x, 0.4),
    "sums of derivatives": jax.grad(lambda x, y: jnp.sum(x * jnp.sin(x) + y)),
    "remainders": lambda x, y: jnp.fmod(y, x) - (-x),
    "the next number": jnp.nextafter,
    "choices": lambda x, y: jnp.where((x > 0.5) & ~(y >= 1.5) | (x != y) ^ (x == y), x, y),
    "comparisons": lambda x, y: (x < y) & (x <= y) & jnp.isfinite(x),
    "reductions": lambda x, y: jnp.stack(
        [
            jnp.sum(x),
            jnp.max(y),
            jnp.min(x),
            jnp.prod(y),
            1.0 * jnp.any(x > y),
            1.0 * jnp.all(x > 0),
        ]
    ),
    "parts": lambda x, y: jnp.concatenate([x[1:3], jnp.pad(y, 2), x[::-1], jnp.split(y, [3])[0]]),
    "moving parts": lambda x, y: jax.lax.fori_loop(
        0,
        7,
        lambda n, x: jax.lax.dynamic_update_index_in_dim(
            x, 2 * jax.lax.dynamic_index_in_dim(y, n, keepdims=False), n, 0
        ),
        x,
    ),
    "shapes": lambda x, y: (
        x[:, None] * y.reshape(7, 1).T + jnp.broadcast_to(x, (7, 7)).T + jnp.arange(7.0)
    ),
    "no dependence": lambda x, y: jnp.arange(5.0),
    "its arguments": lambda x, y: (y, x),
}


@pytest.mark.parametrize("name", SMALL)
def test_small_computations_are_marked_and_find_the_same(name: str) -> None:
    function = SMALL[name]
    assert is_marked(function, X, Y)
    found = jax.jit(lambda x, y: in_one_kernel(function, x, y))(X, Y)
    plain = jax.jit(function)(X, Y)
    for one, expected in zip(jax.tree.leaves(found), jax.tree.leaves(plain), strict=True):
        assert one.dtype == expected.dtype
        np.testing.assert_allclose(one, expected, rtol=1e-14, atol=1e-14)


def test_every_primitive_is_among_those() -> None:
    """Each that may be marked is compiled in a test above."""
    seen: set[str] = set()

    def visit(jaxpr: Any) -> None:
        for equation in jaxpr.eqns:
            seen.add(equation.primitive.name)
            for inner in jax.tree.leaves(
                tuple(equation.params.values()), is_leaf=lambda one: hasattr(one, "jaxpr")
            ):
                if hasattr(inner, "jaxpr") or hasattr(inner, "eqns"):
                    visit(getattr(inner, "jaxpr", inner))

    for function in SMALL.values():
        visit(jax.make_jaxpr(function)(X, Y).jaxpr)
    assert sorted((_ELEMENTWISE | _SHAPES) - seen) == []


LARGE: dict[str, Callable[..., Any]] = {
    "a matrix product": lambda x, y: MATRIX @ jnp.outer(x, y),
    "a library's call": lambda x, y: jnp.linalg.cholesky(jnp.eye(7) + jnp.outer(x, x)),
    "picked entries": lambda x, y: x[jnp.argsort(y)],
    "many entries": lambda x, y: jnp.sum(jnp.outer(jnp.arange(900.0), x)) + y,
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_not_small_is_not_marked(name: str) -> None:
    function = LARGE[name]
    assert not is_marked(function, X, Y)
    found = jax.jit(lambda x, y: in_one_kernel(function, x, y))(X, Y)
    np.testing.assert_allclose(found, function(X, Y), rtol=1e-14)


def test_something_else_may_be_computed_where_it_is_not_small() -> None:
    def otherwise(x: jax.Array, y: jax.Array) -> jax.Array:
        return 2 * x

    small, large = SMALL["an inner product"], LARGE["picked entries"]
    assert in_one_kernel(small, X, Y, otherwise=otherwise) == small(X, Y)
    np.testing.assert_array_equal(in_one_kernel(large, X, Y, otherwise=otherwise), 2 * X)


def test_arguments_are_floats_of_one_kind_and_truth_values() -> None:
    def chosen(x: jax.Array, which: jax.Array) -> jax.Array:
        return jnp.where(which, x, -x)

    which = X > 0.4
    assert is_marked(chosen, X, which)
    np.testing.assert_array_equal(in_one_kernel(chosen, X, which), chosen(X, which))
    assert not is_marked(chosen, X, jnp.arange(7))
    assert not is_marked(jnp.add, X, X.astype(jnp.float32))


def test_few_entries_of_a_large_table_are_read_where_they_are() -> None:
    """All arguments of a kernel are copied."""
    table = np.ones((7, 10_000))
    assert is_marked(lambda table, x: table[:, 3] * x, table[:, :9], X)
    assert not is_marked(lambda table, x: table[:, 3] * x, table, X)


def test_what_is_closed_over_may_be_traced() -> None:
    def outer(x: jax.Array, y: jax.Array) -> jax.Array:
        which = y > 1.5
        return in_one_kernel(lambda x: jnp.where(which, x * y, x), x)

    assert "xla_cpu_small_call" in jax.jit(outer).lower(X, Y).as_text()
    np.testing.assert_allclose(jax.jit(outer)(X, Y), jnp.where(Y > 1.5, X * Y, X))


def test_many_at_once_are_not_marked() -> None:
    """A product with a vector is one of matrices then."""
    rows = np.stack([X, Y, X + Y])
    run = jax.jit(jax.vmap(lambda x: in_one_kernel(lambda x: MATRIX @ x + Y, x)))
    assert "xla_cpu_small_call" not in run.lower(rows).as_text()
    np.testing.assert_allclose(run(rows), rows @ MATRIX.T + Y, rtol=1e-13)


def rooted(x: jax.Array) -> jax.Array:
    which = x > 0.3

    def solved(x: jax.Array, which: jax.Array) -> tuple[jax.Array, jax.Array]:
        root, count = loop(x, Y)
        return jnp.where(which, root, -root), count

    return in_one_kernel(solved, x, which)[0]


CHANGE = np.where(X > 0.3, 0.5, -0.5) / np.sqrt(X)
DERIVATIVES: dict[str, Callable[[], Any]] = {
    "along one direction": lambda: jnp.diag(jax.jvp(rooted, (X,), (np.ones(7),))[1]),
    "of a compiled one": lambda: jax.jacfwd(jax.jit(rooted))(X),
    "compiled": lambda: jax.jit(jax.jacfwd(rooted))(X),
    "along many directions": lambda: jax.vmap(lambda v: jax.jvp(rooted, (X,), (v,))[1])(np.eye(7)),
    "of many": lambda: jax.jvp(jax.vmap(rooted), (np.stack(7 * [X]),), (np.eye(7),))[1],
    "at many points": lambda: jax.vmap(jax.jacfwd(rooted))(np.stack([X, Y]))[0],
}


@pytest.mark.parametrize("kind", DERIVATIVES)
def test_derivatives_go_through(kind: str) -> None:
    np.testing.assert_allclose(DERIVATIVES[kind](), np.diag(CHANGE), rtol=1e-9, atol=1e-14)


UNNEEDED = """
import jax, jax.numpy as jnp
from mlodsl.calculus import in_one_kernel

def carried(a, b, c, d):
    def step(state):
        a, count, c, d = state
        return 0.9 * a + b, count + 1, c + d, 2 * d
    return jax.lax.while_loop(lambda state: state[1] < 10, step, (a, 0, c, d))[0]

x = jnp.ones(30)
run = jax.jit(lambda x: in_one_kernel(carried, x, 2 * x, 3 * x + 1, 4 * x))
assert "xla_cpu_small_call" in run.lower(x).as_text()
print(float(run(x)[0]))
"""


def test_what_a_loop_carries_in_vain_is_no_trouble() -> None:
    """XLA ends the process where a parameter of a marked function turns out to be unneeded."""
    ended = subprocess.run([sys.executable, "-c", UNNEEDED], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    expected = 0.9**10 + 2 * (1 - 0.9**10) / 0.1
    assert float(ended.stdout) == pytest.approx(expected, rel=1e-5)
