"""A compiled model: objectives, variables, starts, domains, folding."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mlodsl.modules import with_params

from .building import built
from .derivatives import derivatives

GAME = """
param a = 3.0
param k : int = 2
let gap = x - sum(y)
let weight = exp(a) / k
level leader { var x : real = 1  maximize gap^k - weight * x^2 }
level follower { var y : real[k, 2] = [1, 2]  var z : real  minimize sumsq(y) + gap * z + z^2 }
"""
KEY = jax.random.PRNGKey(0)


def test_levels_stand_in_the_order_of_the_file() -> None:
    problem = built(GAME)
    assert problem.level_names == ("leader", "follower")
    assert problem.sizes == (1, 5)
    assert problem.senses == ("maximize", "minimize")


def test_an_objective_has_the_value_of_its_formula() -> None:
    problem = built(GAME)
    y = np.arange(4.0).reshape(2, 2)
    vectors = problem.pack({"x": 2.0, "y": y, "z": 0.5})
    expected = (2 - 6) ** 2 - np.exp(3.0) / 2 * 4, (y**2).sum() + (2 - 6) * 0.5 + 0.25
    leader, follower = problem.objectives(vectors)
    np.testing.assert_allclose([-leader, follower], expected, rtol=1e-15)


def test_unpacking_undoes_packing() -> None:
    problem = built(GAME)
    values = {"x": np.array(2.0), "y": np.arange(4.0).reshape(2, 2), "z": np.array(0.5)}
    found = problem.unpack(problem.pack(values))
    assert found.keys() == values.keys()
    for name in values:
        np.testing.assert_array_equal(found[name], values[name])


def test_a_start_is_broadcast_and_is_zero_by_default() -> None:
    found = built(GAME).unpack(built(GAME).start(KEY))
    np.testing.assert_array_equal(found["y"], [[1, 2], [1, 2]])
    assert (found["x"], found["z"]) == (1, 0)


def test_draws_come_from_the_key_and_do_not_depend_on_other_draws() -> None:
    one = "level l { var a : real[3] ~ normal(1, 2)  minimize sum(a) }"
    two = "level l { var a : real[3] ~ normal(1, 2)  var b : real ~ uniform(5, 6)  minimize b }"
    alone = built(one).start(KEY)[0]
    (both,) = built(two).start(KEY)
    np.testing.assert_array_equal(alone, both[:3])
    expected = 1 + 2 * jax.random.normal(jax.random.fold_in(KEY, 0), (3,))
    np.testing.assert_allclose(alone, expected, rtol=1e-15)
    assert 5 <= both[3] < 6


def test_starts_are_moved_into_the_domains_of_the_top_level() -> None:
    problem = built(
        """
        param r = 2.0
        level top {
          var a : real[2] in [-1, r] = [5, -5]
          var b : real in nonnegative = -1
          var c : real[2, 2] in simplex = 3
          var d : real[2] in ball(r) = [3, 4]
          minimize sum(a) + b + sum(c) + sum(d)
        }
        """
    )
    found = problem.unpack(problem.start(KEY))
    np.testing.assert_array_equal(found["a"], [2, -1])
    assert found["b"] == 0
    np.testing.assert_allclose(found["c"], 0.5)
    np.testing.assert_allclose(found["d"], [1.2, 1.6])


def test_a_level_without_domains_is_projected_onto_itself() -> None:
    problem = built(GAME)
    vector = jnp.asarray([7.0])
    assert not problem.has_domain(0)
    assert problem.project(0, vector) is vector


def test_only_lets_that_an_objective_needs_are_evaluated() -> None:
    calls: list[str] = []

    def seen(value: jax.Array) -> jax.Array:
        calls.append("seen")
        return value

    problem = built(
        "let unused = seen(x)  level l { var x : real minimize x^2 }", functions={"seen": seen}
    )
    problem.objective(0, problem.start(KEY))
    assert calls == []


TABLE = """
data T : real[n, d]
param c = 2.0
let X = standardize(T)
let (A, B) = split(X, 2, 1)
let scale = c / n
let scaled(v) = scale * sumsq(v)
level l { let shifted = A + x  var x : real minimize scaled(shifted) + sum(B) * x + rows(X) }
"""
T = np.array([[1.0, 5.0], [2.0, 7.0], [4.0, 6.0], [0.0, 1.0]])


def test_folding_changes_no_objective() -> None:
    problem = built(TABLE, data={"T": T})
    vectors = problem.pack({"x": 0.3})
    folded = problem.fold()
    np.testing.assert_allclose(
        folded.objective(0, vectors), problem.objective(0, vectors), rtol=1e-15
    )


def test_folding_computes_just_what_objectives_use_directly() -> None:
    problem = built(TABLE, data={"T": T}).fold()
    assert set(problem.folded) == {"A", "B", "X", "scale"}


def test_an_objective_of_a_folded_problem_does_not_prepare_data_again() -> None:
    problem = built(TABLE, data={"T": T})
    vectors = problem.pack({"x": 0.3})

    def code(which: object) -> str:
        arrays, static = eqx.partition(which, eqx.is_array)
        return str(jax.make_jaxpr(lambda a: eqx.combine(a, static).objective(0, vectors))(arrays))

    assert "sqrt" in code(problem) and "sqrt" not in code(problem.fold())


def test_a_param_follows_another_one_that_its_value_names() -> None:
    lets = "param a = 1  let twice = 2 * a  param b = twice + 1"
    text = lets + " level l { var x : real minimize b * x^2 }"
    problem = with_params(built(text), {"a": 5.0})
    assert problem.params["b"] == 11


def test_a_param_given_by_the_caller_follows_no_other() -> None:
    text = "param a = 1  param b = 2 * a  level l { var x : real minimize b * x^2 }"
    problem = with_params(built(text, params={"b": 7.0}), {"a": 5.0})
    assert problem.params["b"] == 7


def test_changing_one_param_keeps_another_that_was_changed_before() -> None:
    text = "param a = 1  param b = 2  level l { var x : real minimize (a + b) * x^2 }"
    problem = with_params(with_params(built(text), {"a": 5.0}), {"b": 6.0})
    assert (problem.params["a"], problem.params["b"]) == (5, 6)


# ---------------------------------------------------------------- precision, transformations


def test_float32_is_kept_throughout() -> None:
    problem = built(TABLE, data={"T": T}, dtype="float32").fold()
    leaves = jax.tree.leaves(
        (problem, problem.start(KEY), problem.objective(0, problem.start(KEY)))
    )
    assert {leaf.dtype for leaf in leaves} == {np.dtype("float32")}


def test_jit_changes_no_value() -> None:
    problem = built(GAME)
    vectors = problem.pack({"x": 2.0, "y": [[1.0, 2], [3, 4]], "z": 0.5})
    jitted = eqx.filter_jit(lambda p, v: p.objectives(v))(problem, vectors)
    np.testing.assert_allclose(jitted, problem.objectives(vectors), rtol=1e-15)


def test_vmap_over_a_param_equals_a_loop() -> None:
    problem = built(GAME)
    vectors = problem.pack({"x": 2.0, "y": 1.0, "z": 0.5})
    values = jnp.asarray([1.0, 2.0, 3.0])
    mapped = jax.vmap(lambda a: with_params(problem, {"a": a}).objective(0, vectors))(values)
    loop = [with_params(problem, {"a": a}).objective(0, vectors) for a in values]
    np.testing.assert_allclose(mapped, loop, rtol=1e-15)


def test_the_derivative_by_a_param_passes_through_folding() -> None:
    problem = built(TABLE, data={"T": T})
    vectors = problem.pack({"x": 0.3})
    slope = jax.grad(lambda c: with_params(problem, {"c": c}).fold().objective(0, vectors))(2.0)
    ahead, behind = (
        with_params(problem, {"c": 2.0 + step}).objective(0, vectors) for step in (1, -1)
    )
    np.testing.assert_allclose(slope, (ahead - behind) / 2, rtol=1e-13)  # linear in c


def test_derivatives_nest_to_the_fourth_order() -> None:
    problem = built("level l { var x : real minimize x^4 + exp(x) + smooth_abs(x, eps = 1) }")

    found = derivatives(lambda x: problem.objective(0, (x[None],)), 0.0, 4)
    # Of sqrt(1 + x²) the derivatives at 0 are 1, 0, 1, 0, -3.
    np.testing.assert_allclose(found, [2, 1, 2, 1, 24 + 1 - 3], rtol=1e-14)


# ---------------------------------------------------------------- compiling once


def counting_traces() -> tuple[list[int], object]:
    traces: list[int] = []

    def counted(value: jax.Array) -> jax.Array:
        traces.append(1)
        return value**2

    return traces, counted


@eqx.filter_jit
def compiled(problem: object, vectors: object) -> jax.Array:
    return problem.objective(0, vectors)  # type: ignore[attr-defined]


COUNTED = "param c = 1.0  level l { var x : real minimize c * counted(x - 1) }"


def test_a_new_param_value_traces_nothing_again() -> None:
    traces, counted = counting_traces()
    problem = built(COUNTED, functions={"counted": counted})  # type: ignore[dict-item]
    vectors = problem.pack({"x": 3.0})
    compiled(problem, vectors)
    before = len(traces)
    values = [compiled(with_params(problem, {"c": c}), vectors) for c in (2.0, 3.0)]
    assert (values, len(traces)) == ([8, 12], before)


def test_two_builds_of_one_text_share_compiled_code() -> None:
    traces, counted = counting_traces()
    text = "param c = 1.0\nlevel l { var x : real  minimize c * counted(x - 1) }"
    other = "model named # a comment\nparam c = 1.0 level l { var x:real minimize c*counted(x-1) }"
    functions = {"counted": counted}
    problem = built(text, functions=functions)  # type: ignore[arg-type]
    vectors = problem.pack({"x": 3.0})
    compiled(problem, vectors)
    again = built(other, params={"c": np.array(5.0)}, functions=functions)  # type: ignore[arg-type]
    before = len(traces)
    assert (compiled(again, vectors), len(traces)) == (20, before)


def test_another_text_has_another_structure() -> None:
    one = built("level l { var x : real minimize x^2 }").structure
    assert one != built("level l { var x : real minimize x^2.0 }").structure


@pytest.mark.parametrize("k", [2, 3])
def test_a_whole_number_param_is_static(k: int) -> None:
    problem = built(GAME, params={"k": k})
    assert "k" not in problem.params and problem.sizes == (1, 2 * k + 1)


MIXED = """
data T : real[n, d]
param base = mean(T)
param offsets = [1, 2, 3] * doubled
let doubled = 2 * base
let (head, tail) = split(T, 2, n - 2)
level upper {
  let half = n / 2
  let weights = offsets / half
  let cost(v) = sum(weights * v^2)
  var u : real[3] in [-doubled, inf] = T[0, :]
  minimize cost(u - y) + sum(dot(row, u) for row in tail)
}
level lower {
  let top = sum(head)
  var y : real[d] = doubled
  minimize sum((y[i] - u[i])^2 * (i + 1) for i in range(d)) + top * y[0]
}
"""


def test_params_lets_and_data_depend_on_each_other_in_any_order() -> None:
    table = np.arange(12.0).reshape(4, 3) / 7
    problem = built(MIXED, data={"T": table})
    u, y = np.array([1.0, -2, 3]), np.array([0.5, 1, 2])
    doubled = 2 * table.mean()
    expected = [
        (np.array([1, 2, 3]) * doubled / 2 * (u - y) ** 2).sum() + (table[2:] @ u).sum(),
        ((y - u) ** 2 * [1, 2, 3]).sum() + table[:2].sum() * y[0],
    ]
    vectors = problem.pack({"u": u, "y": y})
    np.testing.assert_allclose(problem.objectives(vectors), expected, rtol=1e-14)
    np.testing.assert_allclose(problem.fold().objectives(vectors), expected, rtol=1e-14)


def test_starts_and_domains_may_use_data_and_lets() -> None:
    table = np.arange(12.0).reshape(4, 3) - 6
    start = built(MIXED, data={"T": table}).fold().start(KEY)
    doubled = 2 * table.mean()
    np.testing.assert_allclose(start[0], np.maximum(table[0], -doubled))
    np.testing.assert_allclose(start[1], np.full(3, doubled))


def test_folding_goes_through_jit_and_vmap_over_data() -> None:
    table = np.arange(12.0).reshape(4, 3) / 7
    problem = built(MIXED, data={"T": table})
    vectors = problem.pack({"u": 1.0, "y": 2.0})

    def value(T: jax.Array) -> jax.Array:
        changed = eqx.tree_at(lambda p: p.data["T"], problem, T)
        return changed.fold().objective(1, vectors)

    tables = jnp.stack([jnp.asarray(table), jnp.asarray(table) + 1])
    mapped = jax.jit(jax.vmap(value))(tables)
    np.testing.assert_allclose(mapped, [value(tables[0]), value(tables[1])], rtol=1e-14)
