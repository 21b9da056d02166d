"""The top level at minima that aren't isolated."""

import mlodsl


def test_an_orbit_of_a_symmetry_is_a_minimum() -> None:
    # A Q and Qᵀ B are as good as A and B for every rotation Q, and the orbit winds.
    result = mlodsl.compile(
        "level a { var A : real[2, 3] = 1 minimize sumsq(A) + sum((A @ B - eye(2))^2) }"
        "level b { var B : real[3, 2] minimize sumsq(A @ B - ones(2, 2)) + 0.1 * sumsq(B) }"
    ).solve()
    assert result.status == "converged"


def test_a_quartic_saddle_is_not_certified() -> None:
    result = mlodsl.compile("level a { var x : real[2] minimize x[0]^4 - x[1]^4 }").solve()
    assert result.status != "converged"
