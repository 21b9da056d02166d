"""The answers of the ready models, each derived here by other means than the package's own.

Every function takes the model's params by name and returns the variables at the solution. NumPy
and SciPy alone; closed forms where there are any.
"""

import inspect
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from .constrained_answers import CONSTRAINED_ANSWERS, Answer


def stackelberg(levels: int) -> Callable[..., Answer]:
    """x_i = 2^-i for each good: by backward induction firm i faces the price that is left by the
    firms before it, (1 - x_1 - ... - x_i), scaled by 2^-(n-i), and takes half of what is left."""

    def answer(goods: int = 1) -> Answer:
        return {f"x{i}": np.full(goods, 2.0**-i) for i in range(1, levels + 1)}

    return answer


def three_generals() -> Answer:
    """z = (1-x-y)/4; then f_2 = -y (3 - 3x + y)/4 + y^2 gives y = (1-x)/2; then z = (1-x)/8 and
    f_1 = -x (3 + 5x)/8 + x^2 gives x = 1/2."""
    return {"x": np.array(1 / 2), "y": np.array(1 / 4), "z": np.array(1 / 8)}


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return brentq(function, low, high, xtol=1e-15, rtol=4 * np.finfo(float).eps)


def three_generals_exponential() -> Answer:
    """Nested roots of the stationarity conditions, with c(t) = t e^t - t.

    Third: (1 + z) e^z = 2 - x - y, so dz/dx = dz/dy = -1 / ((2 + z) e^z).
    Second, G(x, y) = -(1 - x - z) + y dz/dy + c'(y) = 0, and dy/dx = -G_x / G_y, with the second
    derivatives of z from its own condition: z'' = -(3 + z) e^z z'^2 / ((2 + z) e^z).
    First: -(1 - y - z) + x (dy/dx + dz/dx + dz/dy dy/dx) + c'(x) = 0.
    """

    def cost_slope(t: float) -> float:
        return (1 + t) * np.exp(t) - 1

    def cost_curvature(t: float) -> float:
        return (2 + t) * np.exp(t)

    def third(x: float, y: float) -> float:
        return _root(lambda z: (1 + z) * np.exp(z) - 2 + x + y, 0, 1)

    def second_slope(x: float, y: float) -> float:
        z = third(x, y)
        return -(1 - x - z) - y / cost_curvature(z) + cost_slope(y)

    def second(x: float) -> float:
        return _root(lambda y: second_slope(x, y), 0, 1 - x)

    def first_slope(x: float) -> float:
        y = second(x)
        z = third(x, y)
        dz = -1 / cost_curvature(z)
        ddz = -(3 + z) * np.exp(z) * dz**2 / cost_curvature(z)
        slope_in_x = 1 + dz + y * ddz
        slope_in_y = 2 * dz + y * ddz + cost_curvature(y)
        dy = -slope_in_x / slope_in_y
        return -(1 - y - z) + x * (dy + dz + dz * dy) + cost_slope(x)

    x = _root(first_slope, 0.01, 0.9)
    y = second(x)
    z = third(x, y)
    return {
        "x": np.array(x),
        "u": np.array(np.log(y / (1 - y))),
        "v": np.array(np.log(z / (1 - z))),
    }


def sato_simple(d: int = 2) -> Answer:
    """z = y, y = x: the second level's objective doesn't name z; then f_1 = |x|^2."""
    return {name: np.zeros(d) for name in "xyz"}


def ridge_tuning(n: int = 12, m: int = 12, d: int = 10, noise: float = 0.5) -> Answer:
    """theta(lam) from the normal equations; lam a root of dF/dlam = 2 r . A theta'(lam) / m with
    theta' = -(X'X/n + e^lam/d)^-1 e^lam/d theta."""
    i, j = 1 + np.arange(n + m), 1 + np.arange(d)
    features = np.sin(np.outer(i, j))
    target = features @ (1 / j) + noise * np.cos(7 * i**2)
    (X, A), (t, b) = (features[:n], features[n:]), (target[:n], target[n:])

    def theta(lam: float) -> tuple[np.ndarray, np.ndarray]:
        penalty = np.exp(lam) / d
        matrix = X.T @ X / n + penalty * np.eye(d)
        weights = np.linalg.solve(matrix, X.T @ t / n)
        return weights, -np.linalg.solve(matrix, penalty * weights)

    def slope(lam: float) -> float:
        weights, change = theta(lam)
        return 2 * (A @ weights - b) @ (A @ change) / m

    lam = _root(slope, -2, 3)
    return {"lam": np.array(lam), "theta": theta(lam)[0]}


def chain5(d: int = 1, goal: ArrayLike = 1.0) -> Answer:
    """From the last level up: v = w/2, then w minimises (w-z)^2 + (w/2)^2, and so on; each level's
    answer is `ratio` times the level above's."""
    ratios = [1 / 2]
    for _ in range(3):
        ratios.insert(0, 1 / (1 + (1 - ratios[0]) ** 2))
    x = np.broadcast_to(np.asarray(goal, float), (d,)) / (1 + np.prod(ratios) ** 2)
    answer = {"x": x}
    for name, above, ratio in zip("yzwv", "xyzw", ratios, strict=True):
        answer[name] = ratio * answer[above]
    return answer


def supply_chain(cost: float = 0.5, slope: float = 1.0) -> Answer:
    """(p - v) e^(-slope p) is largest at p = v + 1/slope; so are the firms before."""
    markup = 1 / slope
    return {
        "w": np.array(cost + markup),
        "v": np.array(cost + 2 * markup),
        "p": np.array(cost + 3 * markup),
    }


def matrix_steering(n: int = 3, m: int = 2, ridge: float = 0.5, price: float = 0.1) -> Answer:
    """W = (Q + ridge I)^-1 Q S = R S; then S minimises |A R S - G|^2 + price |S|^2."""
    i, j = 1 + np.arange(n), 1 + np.arange(m)
    A = np.cos(np.outer(i, i))
    Q = np.eye(n) + np.outer(1 / i, 1 / i)
    G = np.sin(np.outer(i, j))
    response = np.linalg.solve(Q + ridge * np.eye(n), Q)
    M = A @ response
    S = np.linalg.solve(M.T @ M + price * np.eye(n), M.T @ G)
    return {"S": S, "W": response @ S}


def indifferent_firm() -> Answer:
    """Of y = (a, x - a) the regulator's best, where 2x - a = 1 and 2a - x = 2."""
    x, a = np.linalg.solve([[2.0, -1.0], [-1.0, 2.0]], [1.0, 2.0])
    return {"x": np.array(x), "y": np.array([a, x - a])}


ANSWERS: dict[str, Callable[..., Answer]] = {
    **{f"stackelberg{levels}": stackelberg(levels) for levels in (3, 4, 5, 6)},
    "three_generals": three_generals,
    "three_generals_exponential": three_generals_exponential,
    "sato_simple": sato_simple,
    "ridge_tuning": ridge_tuning,
    "chain5": chain5,
    "supply_chain": supply_chain,
    "matrix_steering": matrix_steering,
    "indifferent_firm": indifferent_firm,
    **CONSTRAINED_ANSWERS,
}


def params_of(name: str) -> dict[str, object]:
    """The params that the answer of the model `name` knows, with their defaults."""
    parameters = inspect.signature(ANSWERS[name]).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters}
