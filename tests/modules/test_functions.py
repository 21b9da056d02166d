"""The JAX form of every built-in function, against NumPy and SciPy."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special as special
from scipy.linalg import block_diag

from mlodsl.check.builtins import BUILTINS, Place
from mlodsl.modules import FUNCTIONS

from .derivatives import derivatives

# Rounding of a few dozen float64 operations.
TOLERANCE = {"rtol": 1e-13, "atol": 1e-14}

rng = np.random.default_rng(0)
VECTOR = rng.normal(size=5)
OTHER = rng.normal(size=5)
POSITIVE = np.exp(VECTOR)
TABLE = rng.normal(size=(4, 3))
SQUARE = rng.normal(size=(3, 3))
DEFINITE = SQUARE @ SQUARE.T + np.eye(3)
LABELS = np.array([2.0, 0.0, 1.0, 2.0])
ONE_HOT = np.eye(3)[LABELS.astype(int)]


def log_softmax(x: np.ndarray) -> np.ndarray:
    return np.asarray(special.log_softmax(x, axis=-1))


# name, arguments, keywords, expected
CASES = [
    ("exp", (VECTOR,), {}, np.exp(VECTOR)),
    ("log", (POSITIVE,), {}, VECTOR),
    ("log1p", (POSITIVE,), {}, np.log1p(POSITIVE)),
    ("expm1", (VECTOR,), {}, np.expm1(VECTOR)),
    ("sqrt", (POSITIVE,), {}, np.sqrt(POSITIVE)),
    ("abs", (VECTOR,), {}, np.abs(VECTOR)),
    ("sign", (VECTOR,), {}, np.sign(VECTOR)),
    ("sin", (VECTOR,), {}, np.sin(VECTOR)),
    ("cos", (VECTOR,), {}, np.cos(VECTOR)),
    ("tan", (VECTOR,), {}, np.tan(VECTOR)),
    ("tanh", (VECTOR,), {}, np.tanh(VECTOR)),
    ("arctan", (VECTOR,), {}, np.arctan(VECTOR)),
    ("sigmoid", (VECTOR,), {}, special.expit(VECTOR)),
    ("relu", (VECTOR,), {}, np.maximum(VECTOR, 0)),
    ("softplus", (VECTOR,), {}, np.logaddexp(VECTOR, 0)),
    ("elu", (VECTOR,), {}, np.where(VECTOR > 0, VECTOR, np.expm1(VECTOR))),
    ("gelu", (VECTOR,), {}, VECTOR * special.ndtr(VECTOR)),
    ("square", (VECTOR,), {}, VECTOR**2),
    ("floor", (VECTOR,), {}, np.floor(VECTOR)),
    ("smooth_abs", (VECTOR,), {}, np.sqrt(VECTOR**2 + 1e-6)),
    ("smooth_abs", (VECTOR, 0.5), {}, np.sqrt(VECTOR**2 + 0.25)),
    ("huber", (VECTOR,), {}, special.huber(1.0, VECTOR)),
    ("huber", (VECTOR, 0.3), {}, special.huber(0.3, VECTOR)),
    ("logistic_loss", (VECTOR,), {}, np.log1p(np.exp(-VECTOR))),
    ("where", (VECTOR > 0, VECTOR, OTHER), {}, np.where(VECTOR > 0, VECTOR, OTHER)),
    ("maximum", (VECTOR, OTHER), {}, np.maximum(VECTOR, OTHER)),
    ("minimum", (VECTOR, OTHER), {}, np.minimum(VECTOR, OTHER)),
    ("clip", (VECTOR, -0.1, 0.2), {}, np.clip(VECTOR, -0.1, 0.2)),
    ("sum", (TABLE,), {}, TABLE.sum()),
    ("sum", (TABLE,), {"axis": 1}, TABLE.sum(1)),
    ("mean", (TABLE,), {}, TABLE.mean()),
    ("mean", (TABLE,), {"axis": 0}, TABLE.mean(0)),
    ("max", (TABLE,), {}, TABLE.max()),
    ("max", (TABLE,), {"axis": -1}, TABLE.max(-1)),
    ("min", (TABLE,), {}, TABLE.min()),
    ("min", (TABLE,), {"axis": 0}, TABLE.min(0)),
    ("prod", (TABLE,), {}, TABLE.prod()),
    ("prod", (TABLE,), {"axis": 0}, TABLE.prod(0)),
    ("logsumexp", (VECTOR,), {}, special.logsumexp(VECTOR)),
    ("logsumexp", (TABLE,), {}, special.logsumexp(TABLE, axis=-1)),
    ("logsumexp", (TABLE,), {"axis": 0}, special.logsumexp(TABLE, axis=0)),
    ("softmax", (TABLE,), {}, special.softmax(TABLE, axis=-1)),
    ("softmax", (TABLE,), {"axis": 0}, special.softmax(TABLE, axis=0)),
    ("log_softmax", (TABLE,), {}, log_softmax(TABLE)),
    ("log_softmax", (TABLE,), {"axis": 0}, special.log_softmax(TABLE, axis=0)),
    ("cumsum", (TABLE,), {}, TABLE.cumsum()),
    ("cumsum", (TABLE,), {"axis": 0}, TABLE.cumsum(0)),
    ("dot", (VECTOR, OTHER), {}, VECTOR @ OTHER),
    ("dot", (TABLE, TABLE), {}, (TABLE**2).sum()),
    ("norm1", (TABLE,), {}, np.abs(TABLE).sum()),
    ("norm2", (TABLE,), {}, np.linalg.norm(TABLE)),
    ("sumsq", (TABLE,), {}, (TABLE**2).sum()),
    ("norm_inf", (TABLE,), {}, np.abs(TABLE).max()),
    ("smooth_norm1", (TABLE, 0.1), {}, np.sqrt(TABLE**2 + 0.01).sum()),
    ("cross_entropy", (TABLE, LABELS), {}, -log_softmax(TABLE)[range(4), LABELS.astype(int)]),
    ("cross_entropy", (TABLE, ONE_HOT), {}, -(ONE_HOT * log_softmax(TABLE)).sum(-1)),
    ("cross_entropy", (TABLE[0], 1.0), {}, -log_softmax(TABLE[0])[1]),
    ("trace", (SQUARE,), {}, np.trace(SQUARE)),
    ("det", (SQUARE,), {}, np.linalg.det(SQUARE)),
    ("logdet", (SQUARE,), {}, np.log(abs(np.linalg.det(SQUARE)))),
    ("inv", (SQUARE,), {}, np.linalg.inv(SQUARE)),
    ("linsolve", (SQUARE, VECTOR[:3]), {}, np.linalg.solve(SQUARE, VECTOR[:3])),
    ("linsolve", (SQUARE, TABLE[:3]), {}, np.linalg.solve(SQUARE, TABLE[:3])),
    ("cholesky", (DEFINITE,), {}, np.linalg.cholesky(DEFINITE)),
    ("outer", (VECTOR, OTHER), {}, np.outer(VECTOR, OTHER)),
    ("kron", (SQUARE, TABLE), {}, np.kron(SQUARE, TABLE)),
    ("kron", (np.eye(2), SQUARE), {}, block_diag(SQUARE, SQUARE)),
    ("diag", (VECTOR,), {}, np.diag(VECTOR)),
    ("diag", (TABLE,), {}, np.diag(TABLE)),
    ("zeros", (2, 3), {}, np.zeros((2, 3))),
    ("ones", (2,), {}, np.ones(2)),
    ("eye", (3,), {}, np.eye(3)),
    ("linspace", (-1.0, 2.0, 5), {}, np.linspace(-1, 2, 5)),
    ("arange", (4,), {}, np.arange(4)),
    ("concat", (TABLE, SQUARE), {}, np.concatenate([TABLE, SQUARE])),
    ("concat", (TABLE, TABLE), {"axis": 1}, np.concatenate([TABLE, TABLE], 1)),
    ("stack", (VECTOR, OTHER), {}, np.stack([VECTOR, OTHER])),
    ("stack", (VECTOR, OTHER), {"axis": 1}, np.stack([VECTOR, OTHER], 1)),
    ("reshape", (TABLE, 2, 6), {}, TABLE.reshape(2, 6)),
    ("reshape", (TABLE, -1), {}, TABLE.ravel()),
    ("rows", (TABLE,), {}, 4),
    ("cols", (TABLE,), {}, 3),
    ("size", (TABLE,), {}, 12),
    ("one_hot", (LABELS, 3), {}, ONE_HOT),
    ("one_hot", (1.0, 3), {}, [0, 1, 0]),
    ("split", (TABLE, 1, 2), {}, (TABLE[:1], TABLE[1:3])),
    ("standardize", (TABLE,), {}, (TABLE - TABLE.mean(0)) / TABLE.std(0)),
    ("normalize", (TABLE,), {}, TABLE / np.linalg.norm(TABLE, axis=1, keepdims=True)),
]


def test_every_function_of_expressions_has_a_jax_form() -> None:
    named = {name for name, entry in BUILTINS.items() if entry.place is Place.EXPRESSION}
    assert FUNCTIONS.keys() == named


def test_every_function_is_compared_with_a_reference() -> None:
    assert {case[0] for case in CASES} | {"shuffle"} == FUNCTIONS.keys()


@pytest.mark.parametrize(
    ("name", "arguments", "keywords", "expected"), CASES, ids=[case[0] for case in CASES]
)
def test_a_function_agrees_with_its_reference(
    name: str, arguments: tuple, keywords: dict, expected: object
) -> None:
    arrays = [jnp.asarray(x) if isinstance(x, np.ndarray) else x for x in arguments]
    found = FUNCTIONS[name](*arrays, **keywords)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, **TOLERANCE), found, expected)


def test_shuffle_orders_rows_as_jax_does() -> None:
    order = jax.random.permutation(jax.random.PRNGKey(7), 4)
    np.testing.assert_array_equal(FUNCTIONS["shuffle"](jnp.asarray(TABLE), 7), TABLE[order])


def test_shuffle_permutes_rows_as_a_whole_as_jax_does() -> None:
    expected = jax.random.permutation(jax.random.PRNGKey(7), jnp.asarray(TABLE))
    np.testing.assert_array_equal(FUNCTIONS["shuffle"](jnp.asarray(TABLE), 7), expected)


# ---------------------------------------------------------------- places where formulas break


@pytest.mark.parametrize("x", [-1e3, -50.0, 50.0, 1e3])
def test_logistic_loss_neither_overflows_nor_underflows(x: float) -> None:
    expected = -x if x < 0 else np.exp(-x)
    np.testing.assert_allclose(FUNCTIONS["logistic_loss"](jnp.asarray(x)), expected, rtol=1e-14)


@pytest.mark.parametrize("x", [-50.0, 50.0])
def test_the_curvature_of_logistic_loss_is_right_in_both_tails(x: float) -> None:
    curvature = jax.grad(jax.grad(FUNCTIONS["logistic_loss"]))(x)
    np.testing.assert_allclose(curvature, np.exp(-50.0), rtol=1e-13)


def test_a_constant_column_is_standardized_to_zeros() -> None:
    table = jnp.stack([jnp.full(7, 0.1), jnp.arange(7.0)], axis=1)
    assert not FUNCTIONS["standardize"](table)[:, 0].any()


def test_a_row_of_zeros_stays_zeros_when_normalized() -> None:
    np.testing.assert_array_equal(FUNCTIONS["normalize"](jnp.zeros((2, 3))), np.zeros((2, 3)))


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_squares_neither_underflow_nor_overflow(scale: float) -> None:
    table = jnp.asarray(TABLE * scale)
    np.testing.assert_allclose(FUNCTIONS["norm2"](table), np.linalg.norm(TABLE) * scale, rtol=1e-14)
    for name in ("standardize", "normalize"):
        expected = FUNCTIONS[name](jnp.asarray(TABLE))
        np.testing.assert_allclose(FUNCTIONS[name](table), expected, rtol=1e-13, atol=1e-15)


def test_the_gradient_of_norm2_far_below_one_has_length_one() -> None:
    gradient = jax.grad(FUNCTIONS["norm2"])(jnp.asarray(VECTOR * 1e-200))
    np.testing.assert_allclose(gradient, VECTOR / np.linalg.norm(VECTOR), rtol=1e-14)


def test_the_hessian_of_norm2_is_the_projection_over_the_length() -> None:
    unit, length = VECTOR / np.linalg.norm(VECTOR), np.linalg.norm(VECTOR)
    found = jax.hessian(FUNCTIONS["norm2"])(jnp.asarray(VECTOR))
    np.testing.assert_allclose(found, (np.eye(5) - np.outer(unit, unit)) / length, atol=1e-15)


def test_derivatives_pass_through_standardizing() -> None:
    def total(x: jax.Array) -> jax.Array:
        return (FUNCTIONS["standardize"](x) ** 3).sum()

    def plain(x: jax.Array) -> jax.Array:
        return (((x - x.mean(0)) / x.std(0)) ** 3).sum()

    found, expected = (jax.grad(each)(jnp.asarray(TABLE)) for each in (total, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_softmax_of_large_scores_is_finite() -> None:
    found = FUNCTIONS["softmax"](jnp.asarray([1e4, 1e4]))
    np.testing.assert_array_equal(found, [0.5, 0.5])


def test_a_class_number_out_of_range_gives_nan() -> None:
    losses = FUNCTIONS["cross_entropy"](jnp.asarray(TABLE[:2]), jnp.asarray([3.0, -1.0]))
    assert jnp.isnan(losses).all()


def test_split_refuses_more_rows_than_there_are() -> None:
    with pytest.raises(ValueError, match="asks for 5 rows of 4"):
        FUNCTIONS["split"](jnp.asarray(TABLE), 2, 3)


# ---------------------------------------------------------------- derivatives

SMOOTH: list[tuple[str, Callable[..., jax.Array], float]] = [
    *((name, FUNCTIONS[name], 0.0) for name in ("sigmoid", "softplus", "logistic_loss", "gelu")),
    *((name, FUNCTIONS[name], 0.0) for name in ("smooth_abs", "smooth_norm1", "tanh", "arctan")),
    *((name, FUNCTIONS[name], 0.0) for name in ("huber", "elu", "relu", "abs", "norm1", "norm2")),
    *((name, FUNCTIONS[name], 800.0) for name in ("elu", "softplus", "logistic_loss", "sigmoid")),
    *((name, FUNCTIONS[name], -800.0) for name in ("softplus", "logistic_loss", "sigmoid")),
    ("prod", lambda x: FUNCTIONS["prod"](jnp.stack([x, 2 * x, x + 1])), 0.0),
    ("logsumexp", lambda x: FUNCTIONS["logsumexp"](jnp.stack([x, 0.0, -jnp.inf])), 0.0),
    ("softmax", lambda x: FUNCTIONS["softmax"](jnp.stack([x, 0.0, -500.0]))[0], 0.0),
    ("cross_entropy", lambda x: FUNCTIONS["cross_entropy"](jnp.stack([x, 0.0]), 1.0), 0.0),
    ("det", lambda x: FUNCTIONS["det"](x * jnp.asarray(DEFINITE)), 1.0),
    ("logdet", lambda x: FUNCTIONS["logdet"](x * jnp.asarray(DEFINITE)), 1.0),
    ("inv", lambda x: FUNCTIONS["inv"](x * jnp.asarray(DEFINITE)).sum(), 1.0),
    ("cholesky", lambda x: FUNCTIONS["cholesky"](x * jnp.asarray(DEFINITE)).sum(), 1.0),
]


@pytest.mark.parametrize(("name", "function", "x"), SMOOTH, ids=[f"{n}@{x}" for n, _, x in SMOOTH])
def test_four_derivatives_are_finite(
    name: str, function: Callable[..., jax.Array], x: float
) -> None:
    assert np.isfinite(derivatives(function, x, 4)).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Taylor coefficients at 0, times k!
        ("softplus", [0.5, 0.25, 0.0, -0.125]),
        ("sigmoid", [0.25, 0.0, -0.125, 0.0]),
        ("gelu", [0.5, 2 / np.sqrt(2 * np.pi), 0.0, -4 / np.sqrt(2 * np.pi)]),
        ("smooth_abs", [0.0, 1e3, 0.0, -3e9]),
    ],
)
def test_four_derivatives_at_zero_are_right(name: str, expected: list[float]) -> None:
    found = derivatives(FUNCTIONS[name], 0.0, 4)[1:]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_the_gradient_of_norm2_at_zero_is_zero() -> None:
    np.testing.assert_array_equal(jax.grad(FUNCTIONS["norm2"])(jnp.zeros(3)), np.zeros(3))


def test_the_gradient_of_a_class_loss_passes_an_impossible_class() -> None:
    def loss(x: jax.Array) -> jax.Array:
        return FUNCTIONS["cross_entropy"](jnp.stack([x, 0.0, -jnp.inf]), jnp.asarray([0, 1.0, 0]))

    np.testing.assert_allclose(jax.grad(loss)(0.0), 0.5, rtol=1e-14)
