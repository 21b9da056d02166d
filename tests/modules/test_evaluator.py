"""The value of expressions: NumPy's meaning, static numbers, comprehensions, derivatives."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.check import FunctionInfo
from mlodsl.check.static_indices import index_use
from mlodsl.diagnostics import ModelError, Source
from mlodsl.modules.evaluator import evaluate
from mlodsl.modules.scope import Scope
from mlodsl.modules.values import Value
from mlodsl.syntax import nodes, parse_expression, parse_program

from .derivatives import derivatives

FLOAT = np.dtype("float64")
NAMES = {
    "n": 3,
    "x": np.array([1.0, -2.0, 3.0]),
    "y": np.array([0.5, 4.0, -1.0]),
    "A": np.arange(12.0).reshape(3, 4),
    "s": np.array(-2.0),
}


def functions_of(text: str) -> dict[str, FunctionInfo]:
    program, _ = parse_program(
        Source("functions.mlo", text + "\nlevel l { var v : real minimize v }")
    )
    assert program is not None
    return {
        let.name.name: FunctionInfo(
            let.name.name, tuple(p.name for p in let.parameters), let.body, None, let
        )
        for let in program.statements
        if isinstance(let, nodes.LetFunction)
    }


def nodes_of(functions: dict[str, FunctionInfo]) -> dict[str, nodes.LetFunction]:
    return {name: function.node for name, function in functions.items()}


def value(
    text: str,
    functions: str = "",
    python: dict[str, Callable[..., object]] | None = None,
    dtype: np.dtype = FLOAT,
    **names: object,
) -> Value:
    known = {
        name: jnp.asarray(given, dtype) if isinstance(given, np.ndarray) else given
        for name, given in {**NAMES, **names}.items()
    }
    own = functions_of(functions)
    scope = Scope(known, dtype, own, index_use(nodes_of(own), tuple(own)), python or {})  # type: ignore[arg-type]
    return evaluate(parse_expression(Source("test", text)), scope)


x, y, A = NAMES["x"], NAMES["y"], NAMES["A"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x - y + 1", x - y + 1),
        ("2 - 3 - 4", -5),
        ("x * y / 2", x * y / 2),
        ("A.T @ x", A.T @ x),
        ("x @ A", x @ A),
        ("x @ y", x @ y),
        ("-x ^ 2", -(x**2)),
        ("2 ^ 3 ^ 2", 512),
        ("x ^ 2", x**2),
        ("x ^ 3", x**3),
        ("x ^ -1", x**-1.0),
        ("x ^ [1, 2, 3]", x ** np.array([1, 2, 3])),
        ("2 ^ x", 2**x),
        ("x ** 2", x**2),
        ("[1, 2, 3] * x", x * [1, 2, 3]),
        ("[[1, 2], [3, 4.5]]", [[1, 2], [3, 4.5]]),
        ("[[s, 2], [3, s * s]]", [[-2, 2], [3, 4]]),
        ("[x, y]", np.stack([x, y])),
        ("[[1, 2, 3], x]", np.stack([[1, 2, 3], x])),
        ("pi", np.pi),
        ("-inf", -np.inf),
        ("x[0]", 1.0),
        ("x[-1]", 3.0),
        ("x[1:]", x[1:]),
        ("A[:, :-1]", A[:, :-1]),
        ("A[1]", A[1]),
        ("A[1, 2]", 6.0),
        ("A[::2, -1]", A[::2, -1]),
        ("A[1:n, 3 - n]", A[1:3, 0]),
        ("x[[2, 0]]", x[[2, 0]]),
        ("A[arange(2) + 1, 0]", A[1:3, 0]),
        ("A.T[0]", A[:, 0]),
        ("rows(A) * cols(A) - size(x)", 9),
        ("where(x > 0, x, 0)", np.where(x > 0, x, 0)),
        ("where(0 <= x <= 2, 1, 0)", [1, 0, 0]),
        ("where(n == 3, x, y)", x),
        ("sum(A, axis = 1)", A.sum(1)),
        ("smooth_abs(eps = 2, x = s)", np.sqrt(8)),
        ("concat(x, y, x)", np.concatenate([x, y, x])),
        ("stack(x, y, axis = 1)", np.stack([x, y], 1)),
        ("zeros(n, rows(A) - 1)", np.zeros((3, 2))),
        ("floor(n / 2)", 1),
        ("zeros(floor(n / 2))", np.zeros(1)),
        ("floor(x / 2)", np.floor(x / 2)),
    ],
)
def test_an_expression_means_what_numpy_means(text: str, expected: object) -> None:
    np.testing.assert_allclose(value(text), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / 0", np.inf),
        ("-1 / 0", -np.inf),
        ("0 / 0", np.nan),
        ("0 ^ -1", np.inf),
        ("(-2) ^ 0.5", np.nan),
        ("10 ^ 400", np.inf),
        ("10.0 ^ 400", np.inf),
        ("9 ^ 9 ^ 9 ^ 9", np.inf),
        ("inf - inf", np.nan),
        ("2 ^ 62 * 4", 2.0**64),
    ],
)
def test_arithmetic_of_known_numbers_follows_ieee(text: str, expected: float) -> None:
    np.testing.assert_equal(value(text), expected)


@pytest.mark.parametrize("text", ["n * 2 - 1", "7", "rows(A)", "n ^ 2", "-n", "floor(n / 2)"])
def test_whole_numbers_known_before_solving_stay_python_integers(text: str) -> None:
    assert type(value(text)) is int


def test_an_index_out_of_range_is_not_clamped() -> None:
    with pytest.raises(IndexError, match="index 3 is out of range for an axis of length 3"):
        value("x[n]")


@pytest.mark.parametrize(
    "text", ["[1, 2] + x[:2]", "sqrt(arange(n)) * x", "mean(x for i in range(n))", "x * n / 3"]
)
def test_everything_stays_in_the_precision_of_the_model(text: str) -> None:
    found = value(text, dtype=np.dtype("float32"))
    assert isinstance(found, jax.Array) and found.dtype == np.float32 and not found.weak_type


# ---------------------------------------------------------------- comprehensions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(x[i] * y[i]^2 for i in range(n))", x @ y**2),
        ("sum(i for i in range(4))", 6),
        ("sum(1 for i in range(n))", 3),
        ("sum(x[i] - x[i - 1] for i in range(1, n))", x[-1] - x[0]),
        ("sum(x[i] for i in range(2, -1, -2))", x[2] + x[0]),
        ("sum(i * A[i, 2 * j - j] for i in range(3) for j in range(4))", np.arange(3) @ A.sum(1)),
        ("mean(A[i, j] for i in range(3) for j in range(4))", A.mean()),
        ("max(A[i, 0] - j for i in range(3) for j in range(2))", 8),
        ("min(x[i] for i in range(n))", -2),
        ("prod(i + 1 for i in range(30))", 265252859812191058636308480000000.0),
        ("logsumexp(x[i] for i in range(n))", np.log(np.exp(x).sum())),
        ("sum(A[i, :] for i in range(3))", A.sum(0)),
        ("sum([x[i], 1] for i in range(3))", [x.sum(), 3]),
        ("mean((a @ w - b)^2 for a, b in (A, y))", np.mean((A @ np.arange(4) - y) ** 2)),
        ("sum(sum(row) for row in A)", A.sum()),
        ("sum(e for row in A for e in row)", A.sum()),
        ("sum(a * i for a in x for i in range(2))", x.sum()),
        ("sum(i^2 for i in range(n))", 5),
        ("sum(sum(j for j in range(i)) for i in range(4))", 4),
        ("sum(j for i in range(4) for j in range(i))", 4),
        ("mean(j for i in range(4) for j in range(i))", 4 / 6),
        ("sum(sum(y[:i]) for i in range(n))", 2 * y[0] + y[1]),
        ("sum(sum(zeros(i + 1) + 1) for i in range(n))", 6),
        ("sum(x[i] for i in range(0))", 0),
        ("sum(A[i, :] for i in range(0))", np.zeros(4)),
        ("prod(x[i] for i in range(0))", 1),
        ("sum(A[:, :0][:, j] for j in range(0))", np.zeros(3)),
        ("sum(sum(x[:i]) for i in range(0))", 0),
        ("sum(j * x for i in range(0) for j in range(i))", np.zeros(3)),
        ("sum(x[floor(i / 2)] for i in range(4))", 2 * (x[0] + x[1])),
        ("sum(x[i] for i in [0, 2])", x[0] + x[2]),
    ],
)
def test_a_comprehension_means_what_python_means(text: str, expected: object) -> None:
    np.testing.assert_allclose(value(text, w=np.arange(4.0)), expected, rtol=1e-14)


def test_the_code_of_a_comprehension_does_not_grow_with_its_length() -> None:
    def length(count: int) -> int:
        def total(z: jax.Array) -> Value:
            return value("sum(i * sin(z[i]) for i in range(n))", n=count, z=z)

        return len(str(jax.make_jaxpr(total)(jnp.ones(count))).splitlines())

    assert length(1000) == length(10)


def test_a_polynomial_over_its_powers_has_all_derivatives_at_zero() -> None:
    found = derivatives(lambda z: value("sum(z^k for k in range(5))", z=z), 0.0, 4)
    assert found.tolist() == [1, 1, 2, 6, 24]


# ---------------------------------------------------------------- powers


@pytest.mark.parametrize("at", [0.0, -2.0])
@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("form", ["literal", "float", "param"])
def test_whole_powers_have_right_derivatives_everywhere(
    form: str, exponent: int, at: float
) -> None:
    text = {"literal": f"z^{exponent}", "float": f"z^{exponent}.0", "param": "z^p"}[form]
    polynomial = np.polynomial.Polynomial([0] * exponent + [1])

    power = jnp.asarray(float(exponent))
    found = derivatives(lambda z: value(text, z=z, p=power), at, 4)
    expected = [polynomial.deriv(order)(at) if order else polynomial(at) for order in range(5)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_power_is_differentiated_by_its_exponent() -> None:
    slope = jax.grad(lambda p: value("s^p", s=jnp.asarray(3.0), p=p))(2.0)
    np.testing.assert_allclose(slope, 9 * np.log(3), rtol=1e-14)


def test_a_mixed_second_derivative_of_a_power_is_right() -> None:
    mixed = jax.grad(jax.grad(lambda z, p: value("z^p", z=z, p=p)), argnums=1)(2.0, 0.0)
    np.testing.assert_allclose(mixed, 0.5, rtol=1e-14)


# ---------------------------------------------------------------- functions


def test_a_function_is_inlined_with_its_arguments() -> None:
    found = value("f(x, b = 2) + 1", functions="let f(a, b) = sum(a) * b")
    assert float(found) == 5  # type: ignore[arg-type]


def test_a_function_may_be_called_inside_a_comprehension() -> None:
    found = value("sum(f(x[i], i) for i in range(n))", functions="let f(a, k) = a * k")
    assert float(found) == 4  # type: ignore[arg-type]


def test_a_loop_is_unrolled_where_a_function_needs_its_index_static() -> None:
    found = value("sum(f(y, i) for i in range(n))", functions="let f(a, k) = sum(a[:k])")
    assert float(found) == 5.0  # type: ignore[arg-type]


def test_functions_that_double_calls_take_no_exponential_time() -> None:
    lets = ["let f0(a) = a"] + [f"let f{k}(a) = f{k - 1}(a) + f{k - 1}(a)" for k in range(1, 60)]
    assert float(value("f59(s)", functions="\n".join(lets))) == -2 * 2.0**59  # type: ignore[arg-type]


def test_a_python_function_gets_and_returns_arrays() -> None:
    seen: list[type] = []

    def double(a: jax.Array, k: jax.Array) -> jax.Array:
        seen.extend([type(a), type(k)])
        return a * k

    np.testing.assert_array_equal(value("double(x, n)", python={"double": double}), 3 * x)
    assert all(issubclass(kind, jax.Array) for kind in seen)


def test_an_exception_of_a_python_function_points_at_its_call() -> None:
    def broken(a: jax.Array) -> jax.Array:
        raise RuntimeError("no such thing")

    with pytest.raises(ModelError) as caught:
        value("1 + broken(x)", python={"broken": broken})
    (found,) = caught.value.diagnostics
    assert (found.code, found.span and found.span.text) == ("E607", "broken(x)")
    assert "RuntimeError: no such thing" in found.message


def test_a_long_sum_is_evaluated_without_deep_recursion() -> None:
    assert value(" + ".join(["n"] * 5000)) == 15000


def test_a_product_of_matrices_that_is_written_twice_is_differentiated_once() -> None:
    def total(x: jax.Array) -> Value:
        return value(
            "sum((A.T @ x)^2) + f(A.T @ x) + sum(exp(A.T @ x))", functions="let f(a) = sum(a)", x=x
        )

    x = jnp.asarray(NAMES["x"])
    code = str(jax.make_jaxpr(jax.grad(total))(x))
    assert code.count("dot_general") == 2  # forwards and backwards


def test_products_of_the_same_text_and_other_parameters_are_not_one() -> None:
    functions = "let f(a) = sum(A.T @ a)\nlet g(a) = f(a) * f(2 * a)"
    found = value("g(x) + f(y)", functions=functions)
    A, x, y = (np.asarray(NAMES[name]) for name in "Axy")
    np.testing.assert_allclose(found, 2 * (A.T @ x).sum() ** 2 + (A.T @ y).sum(), rtol=1e-14)


def test_products_of_vectors_over_rows_are_one_product_of_a_matrix() -> None:
    code = str(jax.make_jaxpr(lambda x: value("sum(dot(a, x)^2 for a in A.T)", x=x))(NAMES["x"]))
    assert "dot_general" in code


def test_a_trace_of_a_product_computes_no_entry_off_the_diagonal() -> None:
    def trace(A: jax.Array) -> Value:
        return value("trace(2 * A @ A.T @ B)", A=A, B=B)

    A, B = np.asarray(NAMES["A"]), np.arange(9.0).reshape(3, 3)
    np.testing.assert_allclose(trace(jnp.asarray(A)), np.trace(2 * A @ A.T @ B), rtol=1e-14)
    assert str(jax.make_jaxpr(trace)(jnp.asarray(A))).count("dot_general") == 1
