"""Inexact gradients of a level above one that is barely curved in some directions."""

import numpy as np

import mlodsl

MODEL = """
data H : real[n, n]
data W : real[n, k]
level leader {
  var x : real[k]
  minimize sumsq(x - 1) + 0.5 * mean((y - 1)^2) + 0.1 * sum(sin(y)) / n
}
level follower {
  var y : real[n]
  minimize 0.5 * dot(y, H @ y) - dot(y, W @ x)
}
"""


def test_errors_below_do_not_hold_up_the_leader() -> None:
    """What conjugate gradients leave of the follower's gradient, its curvature enlarges by 1e4 in
    the leader's: an answer only as exact as the leader's progress asks for must allow for that."""
    size = 30
    random = np.random.default_rng(3)
    axes, _ = np.linalg.qr(random.normal(size=(size, size)))
    hessian = axes @ np.diag(np.logspace(0, -4, size)) @ axes.T
    data = {"H": hessian, "W": random.normal(size=(size, 3)) * 1e-2}
    model = mlodsl.compile(MODEL, data=data)
    exact = model.solve()
    inexact = model.solve(strategy="implicit(linear_solver = cg)")
    assert (exact.status, inexact.status) == ("converged", "converged")
    np.testing.assert_allclose(inexact["x"], exact["x"], atol=1e-6)
    assert inexact.steps <= 2 * exact.steps + 10
