"""The suites `overhead`, `growth` and `batch`: their answers, texts and fits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.problems.formulas import FORMULAS
from benchmarks.problems.long_models import long_model
from benchmarks.suites import batch, growth, overhead
from benchmarks.suites.fitting import exponent, factor
from benchmarks.suites.suite import Job, Row
from mlodsl.check import check
from mlodsl.diagnostics import Source
from mlodsl.report.pictures.canvas import picture_bytes
from mlodsl.syntax import parse_program


@pytest.mark.parametrize("lines", [10, 23, 24, 100, 1000])
def test_a_long_model_has_its_lines_and_nothing_wrong(lines: int) -> None:
    text = long_model(lines)
    program, found = parse_program(Source("long.mlo", text))
    assert (text.count("\n"), found) == (lines, ())
    assert program is not None
    assert check(program)[1] == ()


def test_fits_find_the_growth_that_is_there() -> None:
    sizes = [1.0, 2.0, 5.0, 10.0]
    assert exponent(sizes, [3 * size**2.5 for size in sizes]) == pytest.approx(2.5)
    assert factor(sizes, [7 * 1.8**size for size in sizes]) == pytest.approx(1.8)
    assert exponent([4], [1]) is None


def test_the_closed_form_of_the_batch_is_where_the_total_gradient_vanishes() -> None:
    c = batch.costs(7)

    def total(c: jax.Array, x: jax.Array) -> jax.Array:
        y = (2 * x + c) / 3
        return (x - 1) ** 2 + (c * x - y) ** 2 + y**2 / 10

    with jax.enable_x64(True):
        slopes = jax.vmap(jax.grad(total, 1))(jnp.asarray(c), jnp.asarray(batch.answers(c)))
    np.testing.assert_allclose(slopes, 0, atol=1e-13)


@pytest.mark.parametrize("name", ["row numbers", "lets"])
def test_a_formula_is_the_same_in_both_forms(name: str) -> None:
    job = Job(name, ("mlodsl", "jax"), repeats=1)
    formula = FORMULAS[name]()
    with jax.enable_x64(True):
        problem = overhead._problem(formula)
        rows = list(overhead._compare(job, formula, "gradient", problem))
    assert [row.failure for row in rows] == [None, None]
    assert all(row.figures["difference"] < 1e-12 for row in rows)


def test_pictures_and_targets_come_from_few_rows() -> None:
    figures = {"seconds": 2.0, "ratio": 1.0, "instances": 10}
    rows = [Row("least squares/gradient", "mlodsl", {**figures})]
    rows += [Row("least squares/gradient", "jax", {"seconds": 1.0}), Row("10", "mlodsl", figures)]
    rows += [
        Row(f"levels/{n}", "mlodsl", {"levels": n, "compile_seconds": 2.0**n, "seconds": 1.0 * n})
        for n in (2, 3)
    ]
    for suite in (overhead.SUITE, growth.SUITE, batch.SUITE):
        assert picture_bytes(suite.draw(rows), ".png").startswith(b"\x89PNG")
    worst = {target.target: target.figure for target in overhead.SUITE.targets(rows)}
    assert worst["gradient: the worst formula, relative to JAX by hand"] == 2.0
    grown = growth.SUITE.targets(rows)
    assert grown[0].figure == pytest.approx(2.0) and grown[0].met
