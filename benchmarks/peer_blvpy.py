"""The peer blvpy on a two-level model: the syntax tree as CVXPY expressions.

blvpy ("disciplined bilevel programming") extends CVXPY and needs Python 3.12, CVXPY 1.9 and Ipopt:
`pip install blvpy` beside mlodsl, with the development packages of Ipopt, BLAS and LAPACK. It takes
smooth leaders and disciplined convex followers whose data are affine in the leader's variables. So
that no model is refused for the way it is written:

- what a follower's expression says of the leader's variables alone, and isn't affine, becomes a
  variable of the leader of its own;
- an objective of the follower that is quadratic in his variables (found by its second derivatives,
  which are the same at random points) is given as such, where its products aren't disciplined.

Everything else that it refuses, it refuses in its own words. It runs with default options from the
model's start; where it finds no first point from there, with `best_of = 10` from random ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import mlodsl
from mlodsl.modules import Problem
from mlodsl.syntax import nodes, walk

_FUNCTIONS = {
    "exp": "exp",
    "log": "log",
    "sqrt": "sqrt",
    "abs": "abs",
    "cos": "cos",
    "sin": "sin",
    "sum": "sum",
    "sumsq": "sum_squares",
    "maximum": "maximum",
    "minimum": "minimum",
}

# Random first points are within this of zero.
_SPREAD = 10.0


class Untranslated(Exception):
    """What stands in the model and isn't translated."""


@dataclass(slots=True)
class _Translation:
    """CVXPY expressions of a model.

    Arguments:
        names: CVXPY variables by name.
        upper: names of the leader's.
        lifted: constraints of the leader that define what was lifted out of the follower.
    """

    cvxpy: Any
    names: dict[str, Any]
    upper: frozenset[str]
    lifted: list[Any] = field(default_factory=list)

    def value(self, node: Any, *, below: bool) -> Any:
        """An expression; `below`: one of the follower."""
        match node:
            case nodes.Number(value=number):
                return number
            case nodes.Name(name=name) if name in self.names:
                return self.names[name]
        found = self._operation(node, below=below)
        named = {one.name for one in walk(node) if isinstance(one, nodes.Name)}
        if below and named and named <= self.upper and not found.is_affine():
            if not found.is_smooth():
                raise Untranslated(f"`{node.span.text}` in the follower isn't smooth")
            lifted = self.cvxpy.Variable()
            self.lifted.append(lifted == found)
            return lifted
        return found

    def _operation(self, node: Any, *, below: bool) -> Any:
        def value(part: Any) -> Any:
            return self.value(part, below=below)

        match node:
            case nodes.Negation(operand=operand):
                return -value(operand)
            case nodes.Chain(first=first, rest=rest):
                result = value(first)
                for operator, operand in rest:
                    result = self._combined(operator, result, value(operand))
                return result
            case nodes.Power(base=base, exponent=exponent):
                power = value(exponent)
                if not isinstance(power, int | float):
                    power = power.value
                if power % 2 == 1 and power > 1:
                    # CVXPY's odd powers are of nonnegative numbers alone.
                    return self.cvxpy.multiply(
                        value(base), self.cvxpy.power(value(base), power - 1)
                    )
                return self.cvxpy.power(value(base), power)
            case nodes.Index(base=base, items=(item,)) if isinstance(item, nodes.Number):
                return value(base)[item.value]
            case nodes.Call(function=function, arguments=arguments) if (
                function.name in _FUNCTIONS and not node.keywords
            ):
                made = getattr(self.cvxpy, _FUNCTIONS[function.name], None)
                if made is None:
                    raise Untranslated(f"CVXPY has no `{function.name}`")
                return made(*map(value, arguments))
        raise Untranslated(f"`{node.span.text}` is not translated")

    def _combined(self, operator: str, left: Any, right: Any) -> Any:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return self.cvxpy.multiply(left, right)
            case "/":
                return left / right
        raise Untranslated(f"`{operator}` is not translated")

    def constraints(self, info: Any, *, below: bool) -> Iterator[Any]:
        """A level's constraints."""
        for constraint in info.constraints:
            comparison = constraint.comparison
            if constraint.clauses:
                raise Untranslated("constraints with `for` are not translated")
            left = self.value(comparison.first, below=below)
            for operator, operand in comparison.rest:
                right = self.value(operand, below=below)
                yield {"<=": left <= right, ">=": left >= right, "==": left == right}[operator]
                left = right


@dataclass(frozen=True, slots=True)
class Answer:
    """What blvpy says of a model.

    Arguments:
        status: its own; `missing` where it isn't installed, `refused` where it takes no such model.
        seconds: from the syntax tree to the answer.
        message: what it says.
        variables: by name; None where it has no answer.
    """

    status: str
    seconds: float
    message: str
    variables: dict[str, np.ndarray] | None = None


def solve_by_blvpy(model: mlodsl.Model) -> Answer:
    """blvpy's answer."""
    try:
        cvxpy, blvpy = import_module("cvxpy"), import_module("blvpy")
    except ImportError as missing:
        return Answer("missing", 0.0, f"blvpy can't be imported: {missing}")
    began = time.perf_counter()
    try:
        names, result = _solved(cvxpy, blvpy, model.problem)
    except (Untranslated, blvpy.BilevelError, cvxpy.DCPError, ValueError) as refusal:
        seconds = time.perf_counter() - began
        words = " ".join(str(refusal).split())
        return Answer("refused", seconds, f"{type(refusal).__name__}: {words}")
    seconds = time.perf_counter() - began
    values = {name: result.variable_values.get(one) for name, one in names.items()}
    known = {name: np.asarray(one) for name, one in values.items() if one is not None}
    complete = result.succeeded and len(known) == len(values)
    return Answer(result.status, seconds, result.message or "", known if complete else None)


def _solved(cvxpy: Any, blvpy: Any, problem: Problem) -> tuple[dict[str, Any], Any]:
    """Its variables, which hold the answer, and its result."""
    refusal: Exception | None = None
    for quadratic in (False, True):
        names, translated = _translated(cvxpy, blvpy, problem, quadratic=quadratic)
        if translated is None:
            break
        try:
            translated.validate()
        except blvpy.BilevelError as error:
            refusal = refusal or error
            continue
        try:
            return names, translated.solve(verbose=False)
        except blvpy.InitializationError:
            for variable in translated.upper_variables:
                variable.sample_bounds = (-_SPREAD, _SPREAD)
            return names, translated.solve(verbose=False, best_of=10, seed=0)
    assert refusal is not None, "the first translation is always there"
    raise refusal


def _translated(
    cvxpy: Any, blvpy: Any, problem: Problem, *, quadratic: bool
) -> tuple[dict[str, Any], Any]:
    """The model for blvpy; None for one whose follower's objective isn't quadratic."""
    levels = problem.structure.checked.levels
    with jax.enable_x64(True):
        start = problem.unpack(problem.start(jax.random.PRNGKey(0)))
    names = {}
    for name, value in start.items():
        names[name] = cvxpy.Variable(value.shape, name=name)
        names[name].value = np.asarray(value)
    leader, follower = levels[0].players[0], levels[1].players[0]
    upper = frozenset(variable.name for variable in leader.variables)
    tree = _Translation(cvxpy, names, upper)
    sides = {"minimize": cvxpy.Minimize, "maximize": cvxpy.Maximize}
    if quadratic:
        form = _quadratic(cvxpy, problem, names)
        if form is None:
            return names, None
        goal = cvxpy.Minimize(form)
    else:
        goal = sides[follower.sense](tree.value(follower.objective, below=True))
    below = list(tree.constraints(follower, below=True))
    own = {names[variable.name].id for variable in follower.variables}
    seen = {one.id: one for part in (goal, *below) for one in part.variables()}
    parameters = [one for key, one in seen.items() if key not in own]
    lower = blvpy.LowerProblem(goal, below, parameters=parameters)
    above = [*tree.constraints(leader, below=False), *tree.lifted]
    for lifted in tree.lifted:
        lifted.args[0].value = lifted.args[1].value
    top = sides[leader.sense](tree.value(leader.objective, below=False))
    return names, blvpy.BilevelProblem(top, lower, upper_constraints=above)


def _quadratic(cvxpy: Any, problem: Problem, names: Mapping[str, Any]) -> Any:
    """½ yᵀ H y + yᵀ B x + cᵀ y of the follower's objective; None where that isn't all of it that
    depends on y, or H isn't positive semidefinite."""
    upper, size = problem.sizes

    def objective(z: Any) -> Any:
        return problem.objective(1, (z[:upper], z[upper:]))

    with jax.enable_x64(True):
        points = np.random.default_rng(0).standard_normal((3, upper + size))
        below = [np.asarray(jax.hessian(objective)(jnp.asarray(z)))[upper:] for z in points]
        at_zero = np.asarray(jax.grad(objective)(jnp.zeros(upper + size)))[upper:]
    scale = 1 + float(np.max(np.abs(below[0])))
    if not all(np.max(np.abs(one - below[0])) <= 1e-9 * scale for one in below[1:]):
        return None
    curvature = (below[0][:, upper:] + below[0][:, upper:].T) / 2
    if np.linalg.eigvalsh(curvature)[0] < -1e-9 * scale:
        return None
    x, y = (
        cvxpy.hstack([cvxpy.vec(names[one.name], order="C") for one in layout.variables])
        for layout in problem.structure.levels
    )
    linear = cvxpy.multiply(below[0][:, :upper] @ x + at_zero, y)
    return cvxpy.quad_form(y, cvxpy.psd_wrap(curvature)) / 2 + cvxpy.sum(linear)
