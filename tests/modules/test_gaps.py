"""Ranges that depend on other indices: mapped, and yet nothing but what Python adds up counts."""

from collections.abc import Callable, Iterable
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.diagnostics import Source
from mlodsl.modules.evaluator import evaluate
from mlodsl.modules.scope import Scope
from mlodsl.syntax import parse_expression

from .building import built

N = 5

MAPPED = [
    "sum(A[i, j] * (x[i] - x[j])**2 for i in range(n) for j in range(i))",
    "sum(sum(A[i, j] * x[j] for j in range(i))**2 for i in range(n))",
    "sum(sum(A[i, j] * w[j] for j in range(i))**2 * x[i] for i in range(n))",
    "sum(log(i - j) * x[j] for i in range(n) for j in range(i))",
    "sum(sqrt(x[i - j - 1]) * i / (i - j) for i in range(n) for j in range(i))",
    "sum(exp(x[i] * x[j])**0.5 for i in range(n) for j in range(n - 1, i, -1))",
    "sum(log(L[i, j] * x[0]) for i in range(n) for j in range(i + 1))",
    "sum(x[i] * sum(log(L[i, j]) * x[j] for j in range(i + 1)) for i in range(n))",
    "sum(x[i] * x[j] * x[k] for i in range(n) for j in range(i) for k in range(j))",
    "sum(log(x[i] + i - j + j - k) for i in range(n) for j in range(i) for k in range(j, i))",
    "sum(x[j] * w[j - i] for i in range(n - 2) for j in range(i, i + 3))",
    "sum(sum(x[j] * w[j - i] for j in range(i, i + 2)) ** 2 for i in range(n - 1))",
    "sum(x[j] / (i + 1) for i in range(n) for j in range(2 * i, n, 3))",
    "sum(x[j] * (j + 1) for i in range(3) for j in range(i, 2 * i, 2))",
    "sum(A[i, j] * x[i] * x[j] for i in range(n) for j in range(i))",
    "sum(a * x[i] * x[j] for a in x for i in range(3) for j in range(i))",
    "sum(log(a) * sqrt(x[i] - j / 100) for a in x for i in range(3) for j in range(i))",
    "mean(x[i] * x[j] for i in range(n) for j in range(i))",
    "sum(mean(x[j] for j in range(i, n)) for i in range(n))",
    "sum(max(x[j] * A[i, j] for j in range(i + 1)) for i in range(n))",
    "min(x[j] - x[i] * A[i, j] for i in range(n) for j in range(i))",
    "sum(prod(x[j] for j in range(i)) for i in range(n))",
    "sum(logsumexp(x[j] * A[i, j] for j in range(i, n)) for i in range(n))",
    "sum((-1)**(i + j) * x[j] for i in range(n) for j in range(i))",
    "sum(sum(sum(A[i, k] for k in range(j, i)) * x[j] for j in range(i))**2 for i in range(n))",
    "sum(sum(x[k] for k in range(i)) * sum(x[k] for k in range(i, n)) for i in range(n))",
    "sum(A[i, j] * w[j]**2 / (i - j) for i in range(n) for j in range(i))",
    "sum(exp(-(x[i] - w[j])**2) * log(1 + x[j]**2) for i in range(n) for j in range(i))",
    "sum((sum(x[j] for j in range(i + 1)) - x[i]**2)**2 for i in range(n))",
    "sum((sum(w[j] for j in range(i)) - x[i])**2 for i in range(n))",
    "sum((A[i, j] - x[j]) * x[i] / (2 + x[j]**2) for i in range(n) for j in range(i))",
    "sum(L[i, j] * x[i] * (x[j] + 1) for i in range(n) for j in range(i + 1))",
    "sum(exp(-3 * x[i]**2 / 2) * sqrt(x[j]**2 + 1e-2) for i in range(n) for j in range(i))",
]
UNROLLED = [
    "sum(sum(x[:i]) * x[j] for i in range(n) for j in range(i))",
    "sum(x[j * j] for i in range(3) for j in range(i)) + sum(x[i**2] for i in range(2))",
    "sum(sum(x[j] for j in range(i**2)) for i in range(3))",
]


def arrays() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    positive = draw.uniform(0.5, 2, (N, N))
    return {
        "A": draw.standard_normal((N, N)),
        # Nothing but what the triangle picks has a logarithm, or is finite.
        "L": np.where(np.tri(N) > 0, positive, np.triu(np.full((N, N), -np.inf), 2)),
        "w": np.append(draw.standard_normal(N - 1), np.inf),
        "t": np.arange(float(N)),
        "b": np.array([np.nan, 1.0, 2.0, 3.0, 4.0]),
        "c": np.array([0.1, 0.2, 0.3, np.inf, 1.0]),
        "U": np.where(np.tri(N, k=-1) > 0, np.inf, positive),
    }


def point() -> np.ndarray:
    return np.random.default_rng(1).uniform(0.5, 2, N)


def _listed(function: Callable[[jax.Array], jax.Array]) -> Callable[[Iterable], jax.Array]:
    return lambda entries: function(jnp.stack([jnp.asarray(entry) for entry in entries]))


PYTHON = {
    "range": range,
    "sum": lambda entries: reduce(lambda a, b: a + b, entries, 0.0),
    "log": jnp.log,
    "exp": jnp.exp,
    "sqrt": jnp.sqrt,
    "mean": _listed(jnp.mean),
    "max": _listed(jnp.max),
    "min": _listed(jnp.min),
    "prod": lambda entries: reduce(lambda a, b: a * b, entries, 1.0),
    "logsumexp": _listed(jax.scipy.special.logsumexp),
}


def by_python(text: str, x: jax.Array) -> jax.Array:
    return eval(text, {**PYTHON, "n": N, "x": x, **arrays()})


def by_model(text: str, x: jax.Array) -> jax.Array:
    known = {name: jnp.asarray(array) for name, array in arrays().items()}
    variables = frozenset({"x"})
    scope = Scope({"n": N, "x": x, **known}, np.dtype("float64"), variables=variables)
    return jnp.asarray(evaluate(parse_expression(Source("expression", text)), scope))


@pytest.mark.parametrize("text", MAPPED + UNROLLED)
def test_value_and_gradient_are_those_of_the_sum_in_python(text: str) -> None:
    expected = jax.value_and_grad(lambda x: by_python(text, x))(jnp.asarray(point()))
    found = jax.jit(jax.value_and_grad(lambda x: by_model(text, x)))(jnp.asarray(point()))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12, atol=1e-12)


def equations(text: str) -> int:
    return len(jax.make_jaxpr(lambda x: by_model(text, x))(jnp.asarray(point())).eqns)


@pytest.mark.parametrize("text", MAPPED)
def test_the_code_does_not_grow_with_the_range(text: str) -> None:
    fewer = text.replace("range(n", "range(n - 1").replace("range(n - 1 - 1, i", "range(n - 2, i")
    # Slices of axes come and go; a copy of a body for each index would be more.
    assert abs(equations(text) - equations(fewer)) <= 7


NOWHERE_TAKEN = [
    # At i = 0, where there is no j.
    "sum((1 / t[i]) * x[j] for i in range(n) for j in range(i))",
    "sum(log(x[i]) * x[j] for i in range(n) for j in range(i))",
    "sum(x[j] * sqrt(x[i]) for i in range(n) for j in range(i))",
    "sum(1 / t[i] * x[j]**2 + x[i] for i in range(n) for j in range(i))",
    "sum((1 / t[k]) * x[j] * x[i] for k in range(n) for i in range(n) for j in range(k))",
    "sum(x[k] * log(t[j]) for i in range(0, n, 2) for j in range(1, i) for k in range(i + 1, n))",
    "sum(log(t[j]) for i in range(0, n, 2) for j in range(1, i) for k in range(i + 1, n))",
    "sum(U[i, j] * U[i, j] * x[i] for i in range(n) for j in range(i, n, 2))",
    "sum(sum(log(x[i]) * x[j] for j in range(i)) for i in range(n))",
    "sum(sum(b[i] * x[j] for j in range(i)) for i in range(n))",
    "sum(b[i] * x[j] for i in range(n) for j in range(i))",
    "sum(b[i] * x[j] + x[i] for i in range(n) for j in range(i))",
    "sum(b[i] * x[k] + x[j] for i in range(n) for j in range(i + 1) for k in range(j))",
    # A step with a weight that is infinite counts for nothing.
    "sum(x[i] * exp(-sum(c[j] * t[j] for j in range(i))) for i in range(n))",
]


@pytest.mark.parametrize("text", NOWHERE_TAKEN)
def test_what_no_combination_takes_has_no_part_in_value_and_derivatives(text: str) -> None:
    x, along = jnp.asarray(point()).at[0].set(0.0), jnp.arange(1.0, N + 1)

    def derivatives(of: Callable[[str, jax.Array], jax.Array]) -> tuple[jax.Array, ...]:
        slope = jax.grad(lambda x: of(text, x))
        return of(text, x), *jax.jvp(slope, (x,), (along,))

    found = jax.jit(lambda: derivatives(by_model))()
    for one, other in zip(found, derivatives(by_python), strict=True):
        assert np.all(np.isfinite(other))
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_hessian_vector_products_are_finite_too() -> None:
    text = "sum(sqrt(x[i] * (i - j)) / log(i - j + 1) for i in range(n) for j in range(i))"
    x, along = jnp.asarray(point()), jnp.arange(1.0, N + 1)
    products = [
        jax.jvp(jax.grad(lambda x, of=of: of(text, x)), (x,), (along,))[1]
        for of in (by_python, by_model)
    ]
    np.testing.assert_allclose(*products, rtol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "sum(A[i + 1, j] for i in range(n) for j in range(i))",
        "sum(x[i - 9] * x[j] for i in range(n) for j in range(i))",
        "sum(sum(x[2 * i - j] for j in range(i)) * x[2 * i] for i in range(n))",
    ],
)
def test_an_index_out_of_range_stays_an_error(text: str) -> None:
    with pytest.raises(IndexError, match="out of range for an axis of length 5"):
        by_model(text, jnp.asarray(point()))


@pytest.mark.parametrize("name", ["max", "min"])
def test_a_reduction_of_nothing_stays_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="zero-size array"):
        by_model(f"sum({name}(x[j] for j in range(i)) for i in range(n))", jnp.asarray(point()))


def test_a_constraint_over_a_triangle_is_one_for_each_of_its_pairs() -> None:
    problem = built(
        "level l { var x : real[4] minimize sumsq(x)"
        " subject to x[i] - x[j] <= 0 for i in range(4) for j in range(i) }"
    )
    at_most, _ = problem.constraints(0, (jnp.array([1.0, 3.0, 6.0, 10.0]),))
    assert at_most.tolist() == [2.0, 5.0, 3.0, 9.0, 7.0, 4.0]


def test_a_constraint_with_a_sum_over_part_of_a_row_is_mapped() -> None:
    problem = built(
        "level l { var x : real[30] minimize sumsq(x)"
        " subject to sum(x[j] for j in range(i + 1)) <= i for i in range(30) }"
    )
    x = jnp.arange(30.0)
    at_most, _ = problem.constraints(0, (x,))
    np.testing.assert_allclose(at_most, np.cumsum(x) - np.arange(30), rtol=1e-14)
    assert len(jax.make_jaxpr(lambda x: problem.constraints(0, (x,)))(x).eqns) < 60
