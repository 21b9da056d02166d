"""The answers of the ready models with constraints, derived by other means than the package's own.

By hand where that is possible, else by enumerating supports or by nested solves with SciPy.
"""

from itertools import combinations

import numpy as np
from scipy.optimize import brentq, lsq_linear, root

Answer = dict[str, np.ndarray]


def toll_road() -> Answer:
    """With the third road empty, toll + 1 + a = 2 + b and a + b = 1 give a = 1 - toll/2; the
    revenue toll (1 - toll/2) is largest at toll = 1. Both used roads then cost 2.5, less than 4."""
    return {"toll": np.array(1.0), "flow": np.array([0.5, 0.5, 0.0])}


def stackelberg_nash() -> Answer:
    """At the price p a follower with the first cost c sells (p - c)/2 where that is positive. With
    n of them selling a leader's piece lowers p by s = 1 / (1 + n/2), and his condition
    p - c - s x = 0 gives x = (p - c) / s. What is sold rises with p and what is bought falls, so
    that they meet once: for n = 2 where 30 - p = 2 (p - 3) + 2 (p - 4) + (p - 2)/2 + (p - 6)/2,
    that is at p = 8, which is between the costs 6 and 9 of the second and the third follower.

    Conversely this is an equilibrium: as a leader sells more, p falls and n with it, so that s
    rises and his marginal profit p - c - s x falls: his profit is concave.
    """
    p = (30 + 2 * (3 + 4) + (2 + 6) / 2) / 6
    sold = {"x1": 2 * (p - 3), "x2": 2 * (p - 4), "y1": (p - 2) / 2, "y2": (p - 6) / 2, "y3": 0}
    return {name: np.array(value) for name, value in sold.items()}


def electricity_market() -> Answer:
    """From the marginal costs offer + 2 own = 1 + cheap = 2 + dear = price, with b the offer:

    - quiet: (p - b)/2 + (p - 1) + (p - 2) = 4, so that p = (14 + b)/5, while b < 3.5;
    - busy, where cheap = 3 since p >= 4: (p - b)/2 + 3 + (p - 2) = 10, so that p = (18 + b)/3.

    The derivatives of p g - g - g^2 with g = (p - b)/2 are 0.68 - 0.48 b and (12 - 4 b)/9. Their
    sum falls and vanishes at b = 453/208; from 3.5 on the busy hour's alone is negative.
    """
    b = (0.68 + 12 / 9) / (0.48 + 4 / 9)
    price = np.array([(14 + b) / 5, (18 + b) / 3])
    return {
        "offer": np.array(b),
        "own": (price - b) / 2,
        "cheap": np.array([price[0] - 1, 3]),
        "dear": price - 2,
    }


def portfolio_regulator(aversion: float = 4.0, rescue: float = 0.3) -> Answer:
    """On a support S the weights w and the budget's multiplier m solve a Σ w + m = r - t q and
    sum w = 1 (a the aversion, Σ the covariance, r the returns, q the risk weights): they are linear
    in the charge t, and are the bank's answer for the t for which the weights on S and the slacks
    a Σ w + m - r + t q off S are nonnegative. On that interval the regulator's objective is a
    parabola; his answer is the best of all S."""
    returns, crash = np.array([0.02, 0.05, 0.05, 0.1]), np.array([0, 0.1, 0.4, 0.8])
    official = np.array([0, 0.2, 0.5, 1])
    covariance = np.diag([0.0004, 0.01, 0.0225, 0.0625])
    for i, j, value in [(1, 2, 0.004), (1, 3, 0.003), (2, 3, 0.015)]:
        covariance[i, j] = covariance[j, i] = value
    found = []
    supports = (list(s) for size in range(1, 5) for s in combinations(range(4), size))
    for support in supports:
        size = len(support)
        matrix = np.ones((size + 1, size + 1))
        matrix[:size, :size] = aversion * covariance[np.ix_(support, support)]
        matrix[size, size] = 0
        right = np.array([[*returns[support], 1], [*-official[support], 0]])
        solved = np.linalg.solve(matrix, right.T)
        weights = np.zeros((4, 2))  # the constants, and the slopes in t
        weights[support] = solved[:size]
        slacks = aversion * covariance @ weights + solved[size] - np.stack([returns, -official], 1)
        bounded = np.where(np.isin(range(4), support)[:, None], weights, slacks)
        low = max([0, *(-a / b for a, b in bounded if b > 1e-12)])
        high = min([1, *(-a / b for a, b in bounded if b < -1e-12)])
        if low > high or any(a < -1e-12 for a, b in bounded if abs(b) <= 1e-12):
            continue
        loss, change = crash @ weights
        best = 0.0
        if abs(change) > 1e-12:
            best = (returns @ weights[:, 1] / (2 * rescue) - loss * change) / change**2
        charge = np.clip(best, low, high)
        w = weights @ [1, charge]
        found.append((rescue * (crash @ w) ** 2 - returns @ w, charge, w))
    _, charge, w = min(found, key=lambda one: one[0])
    return {"charge": np.array(charge), "weights": w}


SEEN = [[0.4, 1.5], [1.1, 0], [-0.2, 1.2], [0.1, -0.6], [1.2, 0.4], [-0.6, 1.5]]
SEEN += [[0.6, -0.1], [-1.5, -1.2], [-0.8, -0.3], [-1.8, -1.2], [-1.1, -0.6], [-1.8, -0.4]]
HELD_OUT = [[2.6, -1.9], [0.8, -1.1], [0.9, -1.7], [1.1, -0.3], [1.1, 1.8], [0.3, 0.3]]
HELD_OUT += [[-2, -1.1], [-0.9, -0.4], [-0.1, 1], [-1.3, -2.8], [-0.1, -3.1], [-1.1, 0.5]]


def svm_hyperparameters() -> Answer:
    """Nested solves: with Q = L L' the machine's problem is the bounded least squares problem
    |L' alpha - L^-1 1|, which an active-set method solves exactly. Where its active set stays, the
    alphas at the bound C grow like C and the free ones follow by -Q_ff^-1 Q_fu C, so that the loss
    has the slope -mean(sigmoid(-margin) margin'). Its root is sought around the best of a grid."""
    seen, held_out = np.array(SEEN), np.array(HELD_OUT)
    labels = np.repeat([1.0, -1.0], 6)

    def kernel(A: np.ndarray) -> np.ndarray:
        return np.exp(-((A[:, None] - seen) ** 2).sum(axis=-1) / 2) * np.outer(labels, labels)

    Q, M = kernel(seen), kernel(held_out)
    L = np.linalg.cholesky(Q)

    def alpha(lam: float) -> np.ndarray:
        right = np.linalg.solve(L, np.ones(12))
        return lsq_linear(L.T, right, (0, np.exp(lam)), method="bvls", tol=1e-15).x

    def slope(lam: float) -> float:
        C, x = np.exp(lam), alpha(lam)
        at_bound = x >= (1 - 1e-9) * C
        free = (x > 1e-9 * C) & ~at_bound
        change = C * at_bound
        change[free] = -np.linalg.solve(Q[np.ix_(free, free)], Q[free] @ change)
        return -np.mean(M @ change / (1 + np.exp(M @ x)))

    grid = np.linspace(-4, 4, 81)
    around = grid[np.argmin([np.mean(np.logaddexp(0, -M @ alpha(lam))) for lam in grid])]
    lam = brentq(slope, around - 0.05, around + 0.05, xtol=1e-14)
    return {"lam": np.array(lam), "alpha": alpha(lam)}


def defender_attacker_defender() -> Answer:
    """The attacker's objective is linear in his attack a and convex in the load s, so that min and
    max may be exchanged: he then puts all his strength B on the largest (1 - f_i) s_i, and the
    three levels are the one problem min c.s + |s|^2/2 + B max_i (1 - f_i) s_i over f and s. (Solved
    numerically from 100 starts, it has no other local minimum.)

    The defender's budget of 1 makes the first two (1 - f_i) s_i equal, t = s_1 s_2 / S with
    S = s_1 + s_2, larger than s_3. With r = s_2 / S stationarity in s says

        c_1 + s_1 + B r^2 = c_2 + s_2 + B (1 - r)^2 = c_3 + s_3,

    1.74 at the root. f = 1 - t / s, and the operator's own conditions c + a (1 - f) + s = constant
    give a = B (r, 1 - r, 0).
    """
    cost, strength = np.array([1, 1.24, 1.64]), 0.5

    def differences(s: np.ndarray) -> np.ndarray:
        share = s[1] / s.sum()
        attacked = cost[:2] + s + strength * np.array([share, 1 - share]) ** 2
        return attacked - (cost[2] + 1 - s.sum())

    s = root(differences, [0.6, 0.3], tol=1e-14).x
    r = s[1] / s.sum()
    return {
        "fortified": np.array([1 - r, r, 0]),
        "attack": strength * np.array([r, 1 - r, 0]),
        "load": np.array([*s, 1 - s.sum()]),
    }


CONSTRAINED_ANSWERS = {
    "toll_road": toll_road,
    "stackelberg_nash": stackelberg_nash,
    "electricity_market": electricity_market,
    "portfolio_regulator": portfolio_regulator,
    "svm_hyperparameters": svm_hyperparameters,
    "defender_attacker_defender": defender_attacker_defender,
}
