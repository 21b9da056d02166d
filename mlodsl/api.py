"""The Python interface: compile a model, solve it, differentiate through it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from mlodsl.check import GivenParam
from mlodsl.check.symbols import taken_by_language
from mlodsl.diagnostics import Diagnostic, ModelError, has_errors
from mlodsl.loading import ModelText, Wishes, find_model, load_model, text_of_string
from mlodsl.modules import (
    Problem,
    QuickMethods,
    build,
    instances_of,
    leading_vectors,
    with_params,
)
from mlodsl.report import BatchResult, Result, result_of
from mlodsl.settings import Settings, layer_of_keywords, read_settings
from mlodsl.solver import (
    Kept,
    best_response,
    hypergradient,
    in_own_precision,
    place_on,
    solution,
    solve,
    solve_batch,
)
from mlodsl.syntax.nodes import Solve

# Of models and strategies, as `Model.hypergradient` is called over and over.
_settings: Kept[Settings] = Kept()


@dataclass(frozen=True, slots=True)
class Level:
    """What a model declares of a level: `variables` maps names to shapes."""

    name: str
    title: str
    sense: str
    variables: dict[str, tuple[int, ...]]


class Model(QuickMethods):
    """A compiled model. Its params and data are leaves, so `jit`, `vmap` and `grad` go through.

    >>> model = compile("param c = 1.0 level a { var x : real minimize (x - c)^2 }")
    >>> result = model.solve()
    >>> result.status, float(result["x"])
    ('converged', 1.0)
    """

    problem: Problem
    settings: Settings = eqx.field(static=True)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.problem.structure.checked.name

    def __hash__(self) -> int:
        """Of everything but the params' and data's values, so that `jax.jit(model.solution)` can
        keep what it compiled."""
        return hash((self.problem.structure, self.settings))

    def __repr__(self) -> str:
        """The name, the levels and their variables, on one line."""
        levels = "; ".join(f"{level.name}: {', '.join(level.variables)}" for level in self.levels)
        return f"Model({self.name!r}, {levels})"

    @property
    def levels(self) -> tuple[Level, ...]:
        """What the model declares, top first."""
        layouts = self.problem.structure.levels
        return tuple(
            Level(
                info.name,
                info.title,
                info.players[0].sense,
                {variable.name: variable.shape for variable in layout.variables},
            )
            for info, layout in zip(self.problem.structure.checked.levels, layouts, strict=True)
        )

    def solve(
        self,
        *,
        device: str | None = None,
        devices: int | Sequence[jax.Device] | None = None,
        **options: Any,
    ) -> Result:
        """Solves the model; the options of `solve { }` as keywords.

        `model.solve(strategy="implicit(linear_solver = cg)", level={"learner": {"steps": 3}})`.

        Arguments:
            device: `cpu` or `gpu`; by default the best that JAX finds.
            devices: how many devices share the rows of the data, or which; by default all of
                this process where the data has at least 10,000 numbers, else one.
            options: of `solve { }`.

        Raises:
            ModelError: an option is unknown or has a wrong value, or there is no such device.
        """
        settings = self._settings(options)
        with jax.enable_x64(True):
            problem = _in_precision(self.problem, settings)
            placed = place_on(problem, device, devices)
            with placed.running():
                return result_of(solve(placed.problem, settings), self.name)

    def solve_batch(
        self, params: Mapping[str, Any], *, device: str | None = None, **options: Any
    ) -> BatchResult:
        """Solves many instances of the model, which differ in params, in one compiled program.

        >>> model = compile("param c = 1.0 level a { var x : real minimize (x - c)^2 }")
        >>> batch = model.solve_batch({"c": [1.0, 2.0, 3.0]})
        >>> batch["x"].tolist(), batch[1].status
        ([1.0, 2.0, 3.0], 'converged')

        Each is certified as `solve` certifies it alone, with the same figures but for rounding.
        Models with constraints are searched one instance after the other.

        Arguments:
            params: by name. An array with one axis more than the param has the instances along
                its first axis; any other value is that of all instances.
            device: `cpu` or `gpu`; by default the best that JAX finds.
            options: of `solve { }`, as keywords; `timeout` is each instance's share of the time.

        Raises:
            ModelError: there is no such real param, a value has a wrong shape, the arrays differ
                in length, or an option is wrong. Whole-number params need `compile` anew.
        """
        settings = self._settings(options)
        began = time.perf_counter()
        with jax.enable_x64(True):
            problem = _in_precision(self.problem, settings)
            placed = place_on(problem, device, None if device is None else 1)
            instances = instances_of(placed.problem, _by_name(params, "params"))
            with placed.running():
                found = tuple(solve_batch(instances, settings))
            seconds = time.perf_counter() - began
            return BatchResult(found, self.name, instances.values, seconds)

    def best_response(self, choices: Mapping[str, Any]) -> dict[str, Array]:
        """The lower levels' answer to the leading levels' choices, by variable name.

        Arguments:
            choices: a value for each variable of the top level, or of the first few levels.

        Raises:
            ModelError: a variable is missing, unknown, or of a wrong shape.
            RuntimeError: a lower level can't be solved there.
        """

        def answer(problem: Problem, choices: Mapping[str, Any]) -> dict[str, Array]:
            problem = problem.fold()
            above = tuple(map(jnp.asarray, leading_vectors(problem, choices)))
            if len(above) == problem.number_of_levels:
                return {}
            start = problem.start(self.settings.seed)
            below = best_response(problem, above, start[len(above) :])
            return _named(problem, len(above), below)

        return in_own_precision(answer, self.problem, _by_name(choices, "choices"))

    def hypergradient(
        self, choices: Mapping[str, Any], strategy: str | Mapping[str, Any] = "auto"
    ) -> dict[str, Array]:
        """The total gradient of the leader's objective, as a minimisation, by variable name."""

        def read() -> Settings:
            return self._settings({"strategy": strategy})

        problem = self.problem
        by_name = isinstance(strategy, str)
        settings = _settings.once(problem, read, strategy) if by_name else read()

        def gradient(problem: Problem, choices: Mapping[str, Any]) -> dict[str, Array]:
            own = leading_vectors(problem, choices, levels=1)[0]
            return problem.structure.levels[0].unpack(hypergradient(problem, settings, own))

        return in_own_precision(gradient, problem, _by_name(choices, "choices"))

    def solution(self, params: Mapping[str, Any] | None = None) -> dict[str, Array]:
        """All variables at the solution, as a pure function of some params' values.

        Differentiable by the implicit function theorem. A param given here may be a tracer;
        whole-number params are static and need `compile` anew.

        Raises:
            ModelError: there is no such real param, or its value has a wrong shape.
            RuntimeError: a level can't be solved.
        """

        def solved(problem: Problem, params: Mapping[str, Any]) -> dict[str, Array]:
            problem = with_params(problem, params).fold()
            return problem.unpack(solution(problem, self.settings))

        return in_own_precision(solved, self.problem, _by_name(params, "params"))

    def _settings(self, options: Mapping[str, Any]) -> Settings:
        checked = self.problem.structure.checked
        own = [item.options for item in checked.program.statements if isinstance(item, Solve)]
        layers = (*own, layer_of_keywords(options))
        settings, diagnostics = read_settings(layers, [level.name for level in checked.levels])
        if has_errors(diagnostics):
            raise ModelError(diagnostics)
        return settings


def compile(
    text_or_path: str | Path,
    params: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
    modules: Mapping[str, Any] | None = None,
) -> Model:
    """Compiles a model.

    Arguments:
        text_or_path: the model's text; or a `pathlib.Path`, or a `str` of one line that ends in
            `.mlo`: a path.
        params: values of params by name: numbers, arrays or nested lists.
        data: arrays by name.
        functions: Python functions by the name that the model calls them by; they get and
            return JAX arrays.
        modules: Equinox modules by variable name, for `var … : module`.

    Raises:
        ModelError: the model, a param or an array is wrong; it carries the diagnostics.
        TypeError: an argument isn't of the kind said above.
    """
    text = _text(text_or_path)
    functions = _checked_functions(functions)
    arrays = {name: _array(value) for name, value in _by_name(params, "params").items()}
    wishes = Wishes(
        params={name: _given(value) for name, value in arrays.items()},
        arrays=_by_name(data, "data"),
        functions=frozenset(functions),
    )
    loaded = load_model(text, wishes)
    if loaded.checked is None or has_errors(loaded.diagnostics):
        raise ModelError(loaded.diagnostics)
    if modules:
        message = f"`modules` names {', '.join(modules)}, but network variables aren't built yet"
        raise ModelError([Diagnostic("E803", message, None, "write the network with arrays")])
    checked = loaded.checked
    with jax.enable_x64(True):
        problem = build(checked, arrays, loaded.arrays, functions, checked.settings.precision)
    return Model(problem, checked.settings)


def _text(text_or_path: str | Path) -> ModelText:
    if isinstance(text_or_path, Path):
        return find_model(str(text_or_path))
    if not isinstance(text_or_path, str):
        found = type(text_or_path).__name__
        raise TypeError(f"a model is a text (`str`) or a path (`pathlib.Path`), not `{found}`")
    if "\n" not in text_or_path and text_or_path.strip().endswith(".mlo"):
        return find_model(text_or_path.strip())
    return text_of_string(text_or_path)


def _by_name(values: Mapping[str, Any] | None, argument: str) -> dict[str, Any]:
    """An argument that maps names to values; None maps none."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        found = type(values).__name__
        raise TypeError(
            f'`{argument}` maps names to values, as in {{"x": 1.0}}; it is no `{found}`'
        )
    return {str(name): value for name, value in values.items()}


def _checked_functions(
    functions: Mapping[str, Callable[..., Any]] | None,
) -> dict[str, Callable[..., Any]]:
    checked = _by_name(functions, "functions")
    for name, function in checked.items():
        if not callable(function):
            found = type(function).__name__
            raise TypeError(f"`functions` gives `{name}` a `{found}`, which can't be called")
    taken = {name: taken_by_language(name, ()) for name in checked}
    wrong = [
        Diagnostic("E103", f"`{name}` is {holder}", None, "give the Python function another name")
        for name, holder in taken.items()
        if holder is not None
    ]
    if wrong:
        raise ModelError(wrong)
    return checked


def _array(value: object) -> np.ndarray:
    """The value as an array; of objects, which the checks refuse, where it isn't numbers."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.array(None, dtype=object)


def _given(value: np.ndarray) -> GivenParam:
    is_whole = value.shape == () and value.dtype.kind in "iuf" and float(value).is_integer()
    return GivenParam(shape=value.shape, static=int(value) if is_whole else None)


def _in_precision(problem: Problem, settings: Settings) -> Problem:
    """The problem in the precision that the settings ask for."""
    dtype = np.dtype(settings.precision)
    if problem.structure.dtype == dtype:
        return problem
    structure = dataclasses.replace(
        problem.structure, dtype=dtype, content=(*problem.structure.content, dtype)
    )
    leaves, data = (
        {name: jnp.asarray(value, dtype) for name, value in values.items()}
        for values in (problem.params, problem.data)
    )
    return Problem(leaves, data, {}, structure)


def _named(problem: Problem, level: int, vectors: tuple[Array, ...]) -> dict[str, Array]:
    named: dict[str, Array] = {}
    for layout, vector in zip(problem.structure.levels[level:], vectors, strict=True):
        named |= layout.unpack(vector)
    return named
