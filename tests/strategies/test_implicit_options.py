"""What the options of `implicit` decide."""

import pytest

from mlodsl.strategies import STRATEGIES, Implicit


def forms(strategy: Implicit, sizes: tuple[int, ...]) -> list[str]:
    return [plan.form for plan in strategy.elimination_plans(sizes)]


def test_the_registry_names_implicit() -> None:
    assert STRATEGIES["implicit"] is Implicit


def test_cg_keeps_no_matrix_at_any_level() -> None:
    assert forms(Implicit("cg"), (1, 2, 3)) == ["cg", "cg", "cg"]


def test_auto_keeps_full_matrices_where_they_are_small() -> None:
    assert forms(Implicit(), (3, 20, 20)) == ["full", "full", "full"]


def test_auto_keeps_a_levels_own_matrix_where_all_below_is_too_large() -> None:
    """The wine problem's shape: 1, 440 and 11 variables."""
    assert forms(Implicit(), (1, 440, 11)) == ["reduced", "cg", "full"]


def test_auto_needs_no_matrix_for_a_large_level() -> None:
    assert forms(Implicit(), (2, 3000)) == ["reduced", "cg"]


def test_dense_keeps_matrices_whatever_the_size() -> None:
    assert forms(Implicit("dense"), (1, 440, 3000)) == ["reduced", "reduced", "reduced"]


@pytest.mark.parametrize("sizes", [(1, 2), (440, 300)])
def test_plans_carry_the_options_of_conjugate_gradients(sizes: tuple[int, ...]) -> None:
    plans = Implicit("cg", iterations=3, tolerance=1e-5).elimination_plans(sizes)
    assert {(plan.iterations, plan.tolerance) for plan in plans} == {(3, 1e-5)}
