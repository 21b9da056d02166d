"""Objectives in the language, and as an expert writes them in JAX.

Some are of the ready models at larger sizes, the others made to be hard on the compiler: much
data, sums over indices, functions and `let`s used often. Both forms have their terms in one order:
XLA fuses a sum of sums differently the other way round, by up to a factor of two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Data = Mapping[str, Any]
_EXACT = jax.lax.Precision.HIGHEST


@dataclass(frozen=True, slots=True)
class Formula:
    """An objective of a level in two forms.

    Arguments:
        text: the model, or the name of a ready one.
        objective: `f(data, x_0, …, x_{n-1})`, one flat vector a level.
        level: whose objective it is; it is differentiated by that level's own variables.
        params: of the model.
        data: arrays that both forms get.
        prepared: what the hand-written form computes in advance from the data: the compiled
            model computes `let`s without variables in advance, too.
    """

    text: str | Path
    objective: Callable[..., Any]
    level: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, np.ndarray] = field(default_factory=dict)
    prepared: Mapping[str, np.ndarray] = field(default_factory=dict)


def _dot(a: Any, b: Any) -> Any:
    return jnp.dot(a, b, precision=_EXACT)


# ---------------------------------------------------------------- ready models


def _stackelberg() -> Formula:
    return Formula(
        Path("stackelberg3"),
        lambda data, x, y, z: -_dot(x, 1 - x - y - z),
        params={"goods": 20_000},
    )


def _ridge() -> Formula:
    n, m, d = 400, 400, 200
    i, j = 1 + np.arange(n + m), 1 + np.arange(d)
    features = np.sin(np.outer(i, j))
    target = features @ (1 / j) + 0.5 * np.cos(7 * i**2)

    def learner(data: Data, lam: Any, theta: Any) -> Any:
        misfit = _dot(data["X"], theta) - data["t"]
        return jnp.mean(misfit**2) + jnp.exp(lam[0]) * jnp.sum(theta**2) / d

    return Formula(
        Path("ridge_tuning"),
        learner,
        level=1,
        params={"n": n, "m": m, "d": d},
        prepared={"X": features[:n], "t": target[:n]},
    )


def _matrix() -> Formula:
    n = m = 60
    i, j = 1 + np.arange(n), 1 + np.arange(m)
    prepared = {"Q": np.eye(n) + np.outer(1 / i, 1 / i), "j": j}

    def follower(data: Data, goal: Any, weights: Any) -> Any:
        goal, weights = goal.reshape(n, m), weights.reshape(n, m)
        apart = weights - goal
        return jnp.sum(apart * _dot(data["Q"], apart)) + 0.5 * jnp.sum(weights**2)

    return Formula(
        Path("matrix_steering"), follower, level=1, params={"n": n, "m": m}, prepared=prepared
    )


def _chain() -> Formula:
    return Formula(
        Path("chain5"),
        lambda data, x, y, z, w, v: jnp.sum((z - y) ** 2) + jnp.sum((z - w) ** 2),
        level=2,
        params={"d": 20_000},
    )


# ---------------------------------------------------------------- much data


def _table(rows: int, columns: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {"X": draw.standard_normal((rows, columns)), "y": draw.standard_normal(rows)}


_HEAD = "data X : real[n, d]\ndata y : real[n]\n"


def _of_table(objective: str, hand: Callable[[Any, Any, Any], Any], before: str = "") -> Formula:
    """A formula of a table, a target and a vector of weights."""
    return Formula(
        f"{_HEAD}{before}level l {{ var w : real[d] minimize {objective} }}",
        lambda data, w: hand(data["X"], data["y"], w),
        data=_table(20_000, 50),
    )


def _huber(residual: Any) -> Any:
    size = jnp.abs(residual)
    return jnp.where(size <= 1, 0.5 * residual**2, size - 0.5)


def _least_squares() -> Formula:
    return _of_table(
        "mean((X @ w - y)^2) + 0.1 * sumsq(w)",
        lambda X, y, w: jnp.mean((_dot(X, w) - y) ** 2) + 0.1 * jnp.sum(w**2),
    )


def _softmax() -> Formula:
    classes, table = 10, _table(20_000, 50)
    labels = np.random.default_rng(1).integers(0, classes, 20_000)

    def hand(data: Data, w: Any) -> Any:
        logits = _dot(data["X"], w.reshape(50, classes))
        losses = jax.nn.logsumexp(logits, -1) - jnp.sum(data["T"] * logits, -1)
        return jnp.mean(losses) + 0.1 * jnp.sum(w**2)

    return Formula(
        "data X : real[n, d]\ndata T : real[n, k]\nlevel l { var W : real[d, k]"
        " minimize mean(cross_entropy(X @ W, T)) + 0.1 * sumsq(W) }",
        hand,
        data={"X": table["X"], "T": np.eye(classes)[labels]},
    )


def _rows() -> Formula:
    return _of_table(
        "mean(huber(dot(a, w) - b) for a, b in (X, y))",
        lambda X, y, w: jnp.mean(_huber(_dot(X, w) - y)),
    )


# ---------------------------------------------------------------- sums over indices


def _row_numbers() -> Formula:
    return _of_table(
        "sum(huber(dot(X[i, :], w) - y[i]) for i in range(n))",
        lambda X, y, w: jnp.sum(_huber(_dot(X, w) - y)),
    )


def _series() -> Formula:
    def hand(data: Data, x: Any) -> Any:
        u = data["u"]
        return jnp.sum((x[1:] - 0.9 * x[:-1] - u[:-1]) ** 2) + jnp.sum((x - u) ** 2)

    return Formula(
        "data u : real[n]\nlevel l { var x : real[n] minimize"
        " sum((x[i + 1] - 0.9 * x[i] - u[i])^2 for i in range(n - 1)) + sumsq(x - u) }",
        hand,
        data={"u": np.random.default_rng(0).standard_normal(50_000)},
    )


def _pairs() -> Formula:
    def hand(data: Data, x: Any) -> Any:
        return jnp.sum(data["K"] * (x[:, None] - x[None, :]) ** 2) + jnp.sum(x**2)

    return Formula(
        "data K : real[n, n]\nlevel l { var x : real[n] minimize"
        " sum(K[i, j] * (x[i] - x[j])^2 for i in range(n) for j in range(n)) + sumsq(x) }",
        hand,
        data={"K": np.random.default_rng(0).standard_normal((400, 400))},
    )


def _grid() -> Formula:
    size = 200

    def hand(data: Data, x: Any) -> Any:
        g = x.reshape(size, size)
        down, right = g[:-1, :-1] - g[1:, :-1], g[:-1, :-1] - g[:-1, 1:]
        return jnp.sum(down**2 + right**2) + jnp.sum((g - 1) ** 2)

    return Formula(
        f"param m : int = {size}\nlevel l {{ var g : real[m, m] minimize"
        " sum((g[i, j] - g[i + 1, j])^2 + (g[i, j] - g[i, j + 1])^2"
        " for i in range(m - 1) for j in range(m - 1)) + sumsq(g - 1) }",
        hand,
    )


def _quadratic_form() -> Formula:
    return Formula(
        "data K : real[n, n]\nlevel l { var x : real[n] minimize"
        " sum(K[i, j] * x[i] * x[j] for i in range(n) for j in range(n)) + sumsq(x) }",
        lambda data, x: _dot(x, _dot(data["K"], x)) + jnp.sum(x**2),
        data={"K": np.random.default_rng(0).standard_normal((400, 400))},
    )


def _triangle() -> Formula:
    return Formula(
        "data K : real[n, n]\nlevel l { var x : real[n] minimize"
        " sum(sum(K[i, j] * x[j] for j in range(i))^2 for i in range(n)) + sumsq(x) }",
        lambda data, x: jnp.sum(_dot(jnp.tril(data["K"], -1), x) ** 2) + jnp.sum(x**2),
        data={"K": np.random.default_rng(0).standard_normal((60, 60))},
    )


def _pairs_once() -> Formula:
    def hand(data: Data, x: Any) -> Any:
        between = x[:, None] - x[None, :]
        apart = jnp.arange(200)[:, None] - jnp.arange(200)[None, :]
        terms = jnp.tril(data["K"], -1) * jnp.log(1 + between**2) / jnp.maximum(apart, 1)
        return jnp.sum(terms) + jnp.sum(x**2)

    return Formula(
        "data K : real[n, n]\nlevel l { var x : real[n] minimize"
        " sum(K[i, j] * log(1 + (x[i] - x[j])^2) / (i - j) for i in range(n) for j in range(i))"
        " + sumsq(x) }",
        hand,
        data={"K": np.random.default_rng(0).standard_normal((200, 200))},
    )


def _running_sums() -> Formula:
    def hand(data: Data, x: Any) -> Any:
        return jnp.sum((_dot(jnp.tril(jnp.ones((300, 300))), x) - data["u"]) ** 2)

    return Formula(
        "data u : real[n]\nlevel l { var x : real[n] minimize"
        " sum((sum(x[j] for j in range(i + 1)) - u[i])^2 for i in range(n)) }",
        hand,
        data={"u": np.random.default_rng(0).standard_normal(300)},
    )


def _window() -> Formula:
    count = 5000

    def hand(data: Data, x: Any) -> Any:
        w = data["w"]
        smooth = w[0] * x[:-2] + w[1] * x[1:-1] + w[2] * x[2:]
        return jnp.sum(smooth**2) + jnp.sum(x**2)

    return Formula(
        f"data w : real[m]\nparam n : int = {count}\nlevel l {{ var x : real[n] minimize"
        " sum(sum(w[j - i] * x[j] for j in range(i, i + 3))^2 for i in range(n - 2)) + sumsq(x) }",
        hand,
        data={"w": np.array([0.25, 0.5, -0.75])},
    )


def _factorisation() -> Formula:
    rows, columns, rank = 120, 80, 5

    def hand(data: Data, x: Any) -> Any:
        u = x[: rows * rank].reshape(rows, rank)
        v = x[rows * rank :].reshape(columns, rank)
        misfit = data["R"] - _dot(u, v.T)
        return jnp.sum(misfit**2) + 0.1 * (jnp.sum(u**2) + jnp.sum(v**2))

    return Formula(
        f"data R : real[n, m]\nlevel l {{ var U : real[n, {rank}] var V : real[m, {rank}] minimize"
        f" sum((R[i, j] - sum(U[i, k] * V[j, k] for k in range({rank})))^2"
        " for i in range(n) for j in range(m)) + 0.1 * (sumsq(U) + sumsq(V)) }",
        hand,
        data={"R": np.random.default_rng(0).standard_normal((rows, columns))},
    )


def _transport() -> Formula:
    rows, columns = 120, 80

    def hand(data: Data, x: Any) -> Any:
        plan = x.reshape(rows, columns)
        cost = jnp.sum(data["C"] * plan + 0.1 * plan**2)
        sent, received = jnp.sum(plan, 1), jnp.sum(plan, 0)
        return cost + jnp.sum((sent - 1) ** 2) + jnp.sum((received - 1) ** 2)

    return Formula(
        "data C : real[n, m]\nlevel l { var P : real[n, m] minimize"
        " sum(C[i, j] * P[i, j] + 0.1 * P[i, j]^2 for i in range(n) for j in range(m))"
        " + sum((sum(P[i, j] for j in range(m)) - 1)^2 for i in range(n))"
        " + sum((sum(P[i, j] for i in range(n)) - 1)^2 for j in range(m)) }",
        hand,
        data={"C": np.random.default_rng(0).standard_normal((rows, columns))},
    )


# ---------------------------------------------------------------- lets and functions


def _lets() -> Formula:
    def hand(X: Any, y: Any, w: Any) -> Any:
        def f(a: Any, b: Any) -> Any:
            return jnp.exp(-(a**2)) * b + jnp.log1p(a**2)

        scores = _dot(X, w)
        z = f(scores, y)
        q = f(z, scores)
        return jnp.mean(f(z, q)) + jnp.mean(f(q, z)) + jnp.sum(w**2)

    before = "let f(a, b) = exp(-a^2) * b + log1p(a^2)\nlet z = f(X @ w, y)\nlet q = f(z, X @ w)\n"
    return _of_table("mean(f(z, q)) + mean(f(q, z)) + sumsq(w)", hand, before)


FORMULAS: dict[str, Callable[[], Formula]] = {
    "stackelberg3": _stackelberg,
    "chain5": _chain,
    "ridge_tuning": _ridge,
    "matrix_steering": _matrix,
    "least squares": _least_squares,
    "softmax": _softmax,
    "rows": _rows,
    "row numbers": _row_numbers,
    "series": _series,
    "pairs": _pairs,
    "grid": _grid,
    "lets": _lets,
    "quadratic form": _quadratic_form,
    "triangle": _triangle,
    "pairs once": _pairs_once,
    "running sums": _running_sums,
    "window": _window,
    "factorisation": _factorisation,
    "transport": _transport,
}
