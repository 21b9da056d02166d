"""Many small instances at once: one batch beside loops, JAX by hand, and blvpy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mlodsl.report.pictures.canvas import COLOURS, Drawing

from .comparing import agreeing, prepared, timed
from .suite import Job, Row, Suite, Target

COUNTS = (1, 10, 100, 1000, 10_000)
MODEL = """
model tiny
param c = 1
level leader { var x : real minimize (x - 1)^2 + (c * x - y)^2 + y^2 / 10 }
level follower { var y : real minimize (y - x)^2 + (y - c)^2 / 2 }
"""
TOLERANCE = 1e-8
"""On the norm of the leader's total gradient."""
_AGREE = 1e-6
_RELAXED = 1e-2  # blvpy's relaxed complementarity of 1e-6 leaves up to some thousandths
_LOOP, _SOLUTION, _HAND, _PEER = "mlodsl, one by one", "mlodsl, vmap", "jax", "blvpy"
CONTENDERS = ("mlodsl", _LOOP, _SOLUTION, _HAND, _PEER)
_MOST = {_LOOP: 100, _PEER: 10}


def costs(count: int) -> np.ndarray:
    """The param of each instance."""
    return np.linspace(0.5, 2.0, count)


def answers(c: np.ndarray) -> np.ndarray:
    """The leader's choices: the follower's is (2 x + c) / 3, which makes the leader's objective
    a quadratic in x."""
    slope = c - 2 / 3
    return (1 + slope * c / 3 - c * 2 / 90) / (1 + slope**2 + 4 / 90)


def _measure(job: Job) -> Iterator[Row]:
    count = int(job.case)
    c = costs(count)
    expected = answers(c)

    def make(contender: str) -> Callable[[], np.ndarray]:
        most = _MOST.get(contender, count)
        if count > most:
            raise ValueError(f"measured for at most {most} instances")
        return _RUNS[contender](c)

    def error(contender: str, answer: np.ndarray) -> float:
        return float(np.max(np.abs(answer - expected)))

    def share(contender: str, answer: np.ndarray) -> float:
        return error(contender, answer) / (_RELAXED if contender == _PEER else _AGREE)

    ready = yield from prepared(job, make)
    right = yield from agreeing(job, ready, share)

    def figures(contender: str, answer: np.ndarray) -> dict[str, Any]:
        return {
            "instances": count,
            "error": error(contender, answer),
            "first_seconds": right[contender].seconds,
        }

    yield from timed(job, right, figures)


# ---------------------------------------------------------------- contenders


def _batch(c: np.ndarray) -> Callable[[], np.ndarray]:
    """Each instance is certified."""
    import mlodsl

    model = mlodsl.compile(MODEL)
    return lambda: np.asarray(model.solve_batch({"c": c}, tolerance=TOLERANCE)["x"])


def _one_by_one(c: np.ndarray) -> Callable[[], np.ndarray]:
    """Each instance is certified."""
    import mlodsl

    models = [mlodsl.compile(MODEL, params={"c": float(one)}) for one in c]
    return lambda: np.array([float(model.solve(tolerance=TOLERANCE)["x"]) for model in models])


def _solution(c: np.ndarray) -> Callable[[], np.ndarray]:
    """`model.solution` under `jax.vmap`, without certificates."""
    import jax

    import mlodsl

    jax.config.update("jax_enable_x64", True)
    model = mlodsl.compile(MODEL)
    solve = jax.jit(jax.vmap(lambda one: model.solution({"c": one})["x"]))
    return lambda: np.asarray(solve(c))


def _by_hand(c: np.ndarray) -> Callable[[], np.ndarray]:
    """The answer by Newton's method, and Newton's method on the leader's objective through it.

    The follower's loop isn't differentiated; a Newton step from its end is exact in the first
    derivative of the answer, and two steps are in the second.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def leader(c: Any, x: Any, y: Any) -> Any:
        return (x - 1) ** 2 + (c * x - y) ** 2 + y**2 / 10

    def follower(c: Any, x: Any, y: Any) -> Any:
        return (y - x) ** 2 + (y - c) ** 2 / 2

    slope = jax.grad(follower, 2)
    curvature = jax.grad(slope, 2)

    def step(c: Any, x: Any, y: Any) -> Any:
        return y - slope(c, x, y) / curvature(c, x, y)

    def answer(c: Any, x: Any) -> Any:
        still = jax.lax.stop_gradient(x)
        found = jax.lax.while_loop(
            lambda y: jnp.abs(slope(c, still, y)) > TOLERANCE,
            lambda y: step(c, still, y),
            jnp.zeros_like(x),
        )
        y = jax.lax.stop_gradient(found)
        return step(c, x, step(c, x, y))

    def total(c: Any, x: Any) -> Any:
        return leader(c, x, answer(c, x))

    gradient = jax.grad(total, 1)
    hessian = jax.grad(gradient, 1)

    @jax.jit
    @jax.vmap
    def solve(c: Any) -> Any:
        return jax.lax.while_loop(
            lambda x: jnp.abs(gradient(c, x)) > TOLERANCE,
            lambda x: x - gradient(c, x) / hessian(c, x),
            jnp.zeros_like(c),
        )

    return lambda: np.asarray(solve(c))


def _blvpy(c: np.ndarray) -> Callable[[], np.ndarray]:
    """The translation knows no params: their values stand in the text."""
    import mlodsl
    from benchmarks.peer_blvpy import solve_by_blvpy

    text = MODEL.replace("param c = 1\n", "")
    models = [mlodsl.compile(re.sub(r"\bc\b", repr(float(one)), text)) for one in c]

    def run() -> np.ndarray:
        found = []
        for model in models:
            answer = solve_by_blvpy(model)
            if answer.variables is None:
                raise RuntimeError(f"{answer.status}: {answer.message}")
            found.append(float(np.ravel(answer.variables["x"])[0]))
        return np.array(found)

    return run


_RUNS: dict[str, Callable[[np.ndarray], Callable[[], np.ndarray]]] = {
    "mlodsl": _batch,
    _LOOP: _one_by_one,
    _SOLUTION: _solution,
    _HAND: _by_hand,
    _PEER: _blvpy,
}

# ---------------------------------------------------------------- what it shows


def _figure(rows: Sequence[Row], count: int, contender: str, name: str) -> float | None:
    for row in rows:
        if row.contender == contender and row.figures.get("instances") == count:
            return float(row.figures[name])
    return None


def _targets(rows: Sequence[Row]) -> Sequence[Target]:
    peer = _figure(rows, 10, _PEER, "seconds")
    found = []
    for contender, name, words in (
        ("mlodsl", "seconds", "a batch of 1,000, compiled before"),
        ("mlodsl", "first_seconds", "a batch of 1,000, compiling included"),
        (_SOLUTION, "seconds", "1,000 solutions by vmap, compiled before"),
    ):
        own = _figure(rows, 1000, contender, name)
        ratio = None if own is None or peer is None else own / peer
        found.append(Target(f"{words}, relative to 10 by blvpy", ratio, 1.0))
    return found


def _draw(rows: Sequence[Row]) -> Drawing:
    def on(canvas: Figure) -> None:
        axes = canvas.subplots()
        for number, contender in enumerate(CONTENDERS):
            known = {count: _figure(rows, count, contender, "seconds") for count in COUNTS}
            shown = {count: seconds for count, seconds in known.items() if seconds is not None}
            counts, seconds = list(shown), list(shown.values())
            axes.loglog(counts, seconds, "o-", label=contender, color=COLOURS[number])
        axes.set_xlabel("instances")
        axes.set_ylabel("seconds for all, compiled before")
        axes.set_title("Tiny problems of two levels")
        canvas.legend(loc="outside right upper")

    return Drawing((7.5, 4), on)


SUITE = Suite(
    name="batch",
    title="Many small problems of two levels at once",
    cases=tuple(map(str, COUNTS)),
    quick=("10",),
    contenders=CONTENDERS,
    measure=_measure,
    draw=_draw,
    targets=_targets,
)
